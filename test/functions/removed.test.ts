import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, type ExpectStatic, expect, inject, test } from "vitest";
import { askApi } from "./api/ask.ts";
import { type Fixture, openFixture, warmUp } from "./fixture.ts";
import { openContext } from "./session/calls/context-fixture.ts";
import { desk, inWaitingRoom, lose, session, wordsTo } from "./waiting-room-fixture.ts";

beforeAll(warmUp);

const WELCOME = "Welcome.";
const carrier = { speed: 10 };
const to = "+15550100100";
/** A leave this soon after a join may be the doing of one of our own documents. */
const EARLY_MS = 3_100;

/** By then it is known that a caller dropped. */
const DECIDED_MS = 2_500;
/** The same where nothing answers: our end goes out 1 s after the leave. */
const UNANSWERED_MS = 6_500;

function rulesWith(more: Record<string, unknown> = {}): unknown[] {
  return [
    {
      id: "desk",
      match: {},
      place: { room: "desk", capacity: 3, rejoin_s: 600, announce: WELCOME, ...more },
    },
  ];
}

interface Way {
  open(rules: unknown[]): Promise<Fixture>;
  call(home: Fixture, from: string): Promise<string>;
}

const bySwml = async (home: Fixture, from: string) =>
  (await home.carrier.placeCall({ from, to, url: home.webhook_url })).call_id;

const byRelay: Way = { open: (rules) => openFixture({ rules, carrier }), call: bySwml };

const ways: [name: string, way: Way][] = [
  ["SWML, joined by RELAY", byRelay],
  [
    "SWML, joined by its document",
    { open: (rules) => openFixture({ rules, carrier, tenant: { join_via: "document" } }), call: bySwml },
  ],
  [
    "cXML",
    {
      open: (rules) => openFixture({ rules, carrier }),
      call: async (home, from) => {
        const cxml_url = home.webhook_url.replace(/swml$/, "cxml");
        return (await home.carrier.placeCall({ from, to, cxml_url })).call_id;
      },
    },
  ],
  [
    "a context",
    {
      open: (rules) => openContext(rules),
      call: async (home, from) => (await home.carrier.placeCall({ from, to, context: "main" })).call_id,
    },
  ],
];

/** What an operator does in SignalWire's dashboard: the participant is taken out, and the call goes on. */
async function remove({ carrier }: Fixture, call_id: string): Promise<void> {
  const get = async (path: string, method = "GET") =>
    await fetch(new URL(`/api/laml/2010-04-01/Accounts/${carrier.project_id}/${path}`, inject("carrier")), {
      method,
      headers: { authorization: `Basic ${btoa(`${carrier.project_id}:${carrier.token}`)}` },
    });
  const { conferences } = await (await get("Conferences.json?Status=in-progress")).json<{
    conferences: { sid: string }[];
  }>();
  const { call_sid = call_id } = (await carrier.call(call_id)) as { call_sid?: string };
  for (const { sid } of conferences) {
    const response = await get(`Conferences/${sid}/Participants/${call_sid}.json`, "DELETE");
    if (response.status === 204) return;
  }
  throw new Error(`no conference has ${call_id}`);
}

/** In the room, with somebody else there for whom it goes on; past the time in which a document of ours may have taken a call out. */
async function meeting(way: Way, rules = rulesWith()): Promise<{ home: Fixture; call_id: string }> {
  const home = await way.open(rules);
  await inWaitingRoom(home, await way.call(home, "+15550100009"));
  const call_id = await way.call(home, "+15550100001");
  await inWaitingRoom(home, call_id);
  await new Promise((resolve) => setTimeout(resolve, EARLY_MS));
  return { home, call_id };
}

async function isAlone(home: Fixture, expect: ExpectStatic): Promise<void> {
  await expect.poll(async () => (await desk(home)).participants.length, { timeout: 10_000 }).toBe(1);
}

test("a caller whom an operator ends by the API keeps no seat", async () => {
  const { home, call_id } = await meeting(byRelay);
  await using _ = home;
  await askApi(`/tenants/${home.tenant}/calls/${call_id}/end`, { method: "POST" });
  await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 10_000 });
  await isAlone(home, expect);
  await new Promise((resolve) => setTimeout(resolve, DECIDED_MS));
  const back = await byRelay.call(home, "+15550100001");
  await inWaitingRoom(home, back);
  expect(await wordsTo(home, back)).toEqual([WELCOME]);
});

test("a caller whose time in the room is over keeps no seat", async () => {
  const { home, call_id } = await meeting(byRelay, rulesWith({ max_duration_s: 600 }));
  await using _ = home;
  await runInDurableObject(session(home), (_, { storage }) => {
    storage.sql.exec("UPDATE errands SET due_at = 0 WHERE kind = 'expire' AND call_id = ?", call_id);
    storage.sql.exec("UPDATE placements SET created_at = created_at - 600000 WHERE call_id = ?", call_id);
  });
  await lose(home);
  await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 10_000 });
  await isAlone(home, expect);
  await new Promise((resolve) => setTimeout(resolve, DECIDED_MS));
  const back = await byRelay.call(home, "+15550100001");
  await inWaitingRoom(home, back);
  expect(await wordsTo(home, back)).toEqual([WELCOME]);
});

test.each([
  ["is answered with a 404, though the call is there", { kind: "code", code: "404" }, DECIDED_MS],
  ["is not answered for five seconds", { kind: "ignore" }, UNANSWERED_MS],
] as const)("a caller who left is taken to have dropped if our end %s", async (_, answer, decided_ms) => {
  const { home, call_id } = await meeting(byRelay);
  await using _home = home;
  const isUnavailable = { kind: "code", code: "503" } as const;
  await home.carrier.change({
    faults: [
      { at: "command", match: { method: "calling.end" }, do: answer },
      { at: "rest", match: { resource: "commands" }, do: isUnavailable },
    ],
  });
  await remove(home, call_id);
  await isAlone(home, expect);
  await new Promise((resolve) => setTimeout(resolve, decided_ms));
  const back = await byRelay.call(home, "+15550100001");
  await inWaitingRoom(home, back);
  expect(await wordsTo(home, back)).toEqual([]);
});

describe.concurrent.each(ways)("a caller by %s who drops just after joining", (_, way) => {
  test("is known when all that was to be done for the call is done, and long after that", async ({
    expect,
  }) => {
    await using home = await way.open(rulesWith());
    await inWaitingRoom(home, await way.call(home, "+15550100009"));
    const call_id = await way.call(home, "+15550100001");
    await inWaitingRoom(home, call_id);
    await home.carrier.hangUp(call_id);
    await isAlone(home, expect);
    const undone = () =>
      runInDurableObject(session(home), (_, { storage }) =>
        storage.sql.exec("SELECT kind FROM errands WHERE call_id = ?", call_id).toArray(),
      );
    await expect.poll(undone, { timeout: 15_000 }).toEqual([]);
    await runInDurableObject(session(home), (_, { storage }) => {
      storage.sql.exec("UPDATE kept_seats SET until = until - 40000, claimed_until = claimed_until - 40000");
    });
    const back = await way.call(home, "+15550100001");
    await inWaitingRoom(home, back);
    expect(await wordsTo(home, back)).toEqual([]);
  }, 30_000);
});

describe.concurrent.each(ways)("a caller by %s", (_, way) => {
  test("whom an operator removes keeps no seat: who calls again comes in like anybody", async ({
    expect,
  }) => {
    const { home, call_id } = await meeting(way);
    await using _ = home;
    await remove(home, call_id);
    await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 10_000 });
    await isAlone(home, expect);
    const back = await way.call(home, "+15550100001");
    await inWaitingRoom(home, back);
    expect(await wordsTo(home, back)).toEqual([WELCOME]);
  });

  test("who drops keeps the seat, and is back without the words before the room", async ({ expect }) => {
    const { home, call_id } = await meeting(way);
    await using _ = home;
    await home.carrier.hangUp(call_id);
    await isAlone(home, expect);
    await new Promise((resolve) => setTimeout(resolve, DECIDED_MS));
    const back = await way.call(home, "+15550100001");
    await inWaitingRoom(home, back);
    expect(await wordsTo(home, back)).toEqual([]);
  });

  test("who drops just after joining is known three seconds later", async ({ expect }) => {
    await using home = await way.open(rulesWith());
    await inWaitingRoom(home, await way.call(home, "+15550100009"));
    const call_id = await way.call(home, "+15550100001");
    await inWaitingRoom(home, call_id);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await home.carrier.hangUp(call_id);
    await isAlone(home, expect);
    await new Promise((resolve) => setTimeout(resolve, DECIDED_MS));
    const back = await way.call(home, "+15550100001");
    await inWaitingRoom(home, back);
    expect(await wordsTo(home, back)).toEqual([]);
  });
});
