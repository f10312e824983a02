import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { answerHmac } from "../../../shared/secret-answer.ts";
import { askApi } from "../api/ask.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { type AskedCall, call, key } from "../pin-caller.ts";

beforeAll(warmUp);

const wrong = "That is not right.";
const tooMany = "too many wrong entries";
const notNow = "PINs cannot be taken right now";
const bob = "+15550100002";
const bridge = "+15550100199";

/** `4711` is in the ruleset; `0815` in KV, for a chair's own room, and `1234` there, for a member. */
async function bank(tenant: Record<string, unknown> = {}): Promise<Fixture> {
  const home = await openFixture({ rules: [], tenant: { join_via: "document", ...tenant } });
  const hmac = (digits: string) => answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, digits);
  await home.putRuleset({
    rules: [
      {
        id: "bank",
        match: {},
        ask: { pin: { say: "Enter your PIN.", digits: "4", secret: true, tries: 10 } },
        rules: [
          { id: "board", match: { "answer.pin": { hmac: await hmac("4711") } }, place: { room: "board" } },
          {
            id: "chair",
            match: { "answer.pin": { pins: { role: "chair" } } },
            place: { room: "{pin.room}", role: "moderator" },
          },
          { id: "member", match: { "answer.pin": { pins: true } }, place: { room: "{pin.room}" } },
        ],
      },
    ],
  });
  const put = async (digits: string, record: unknown) =>
    await env.DIRECTORY.put(`pins/${home.tenant}/${await hmac(digits)}`, JSON.stringify(record));
  await put("0815", { room: "team-a", role: "chair", note: "somebody" });
  await put("1234", { room: "team-a" });
  return home;
}

function session(home: Fixture) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
}

async function asked(home: Fixture, from: string, to = bridge): Promise<AskedCall> {
  const first = await call(home, { from, to });
  expect(first.document).toContain("Enter your PIN.");
  return first.asked;
}

/** What these calls hear to PINs that are all wrong and all different, fifty at a time. */
async function attack(
  home: Fixture,
  calls: readonly AskedCall[],
  from: number,
  to: number,
): Promise<string[]> {
  const heard: string[] = [];
  for (let start = from; start < to; start += 50) {
    const batch = Array.from({ length: Math.min(50, to - start) }, async (_, index) => {
      const nth = start + index;
      const one = calls[nth % calls.length];
      if (one === undefined) throw new Error("nobody calls");
      return (await key(home, one, String(5000 + nth))).document;
    });
    heard.push(...(await Promise.all(batch)));
  }
  return heard;
}

function count(heard: readonly string[], words: string): number {
  return heard.filter((document) => document.includes(words)).length;
}

describe("a PIN", () => {
  test("from KV picks the room and the role", async () => {
    await using home = await bank();
    const chair = await key(home, await asked(home, bob), "0815");
    expect(chair.document).toContain(`"name":"${home.tenant}:team-a","start_on_enter":true`);
    const member = await key(home, await asked(home, bob), "1234");
    expect(member.document).toContain(`"name":"${home.tenant}:team-a"`);
    expect(member.document).toContain('"start_on_enter":false');
    const board = await key(home, await asked(home, bob), "4711");
    expect(board.document).toContain(`"name":"${home.tenant}:board"`);
  });

  test("is not asked again of a caller who drops and comes back while the seat is kept", async () => {
    await using home = await openFixture({
      rules: [],
      tenant: { join_via: "document" },
      carrier: { speed: 5 },
    });
    const hmac = await answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, "471108");
    const ask = { pin: { say: "Enter your PIN.", digits: "6", secret: true } };
    const place = { room: "board", rejoin_s: 600 };
    await home.putRuleset({
      rules: [
        { id: "in", match: {}, ask, rules: [{ id: "board", match: { "answer.pin": { hmac } }, place }] },
      ],
    });
    const comesIn = async (from: string, digits?: string) => {
      const { call_id } = await home.carrier.placeCall({ from, to: bridge, url: home.webhook_url });
      if (digits !== undefined) {
        await home.carrier.wait({ call: { call_id, heard: { contains: "Enter your PIN." } } });
        await home.carrier.digits(call_id, digits);
      }
      await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` } });
      return call_id;
    };
    await comesIn("+15550100001", "471108");
    const drops = await comesIn(bob, "471108");
    const there = `/tenants/${home.tenant}/conferences/board`;
    const count = async () =>
      (await (await askApi(there)).json<{ participants: unknown[] }>()).participants.length;
    await expect.poll(count).toBe(2);
    await home.carrier.hangUp(drops);
    await expect.poll(count).toBe(1);
    const { heard } = await home.carrier.call(await comesIn(bob));
    expect(heard.filter(({ sound }) => sound === "say")).toEqual([]);
  });

  test("that is wrong counts once, however often its webhook comes", async () => {
    await using home = await bank({ pin_limits: { tries_per_caller: 2 } });
    const first = await asked(home, bob);
    const heard = await Promise.all([1, 2, 3].map(() => key(home, first, "1111")));
    expect(heard.map(({ document }) => document.includes(wrong))).toEqual([true, true, true]);
    const [again] = heard;
    if (again === undefined) throw new Error("nothing was heard");
    expect((await key(home, again.asked, "2222")).document).toContain(tooMany);
    expect((await key(home, first, "1111")).document).toContain(wrong);
  });

  test("is another try in another round of the same call, though its vars and params are the same, and it is, too", async () => {
    await using home = await bank({ pin_limits: { tries_per_caller: 2 } });
    const call_id = crypto.randomUUID();
    const [first, second] = [
      await call(home, { from: bob, to: bridge, call_id }),
      await call(home, { from: bob, to: bridge, call_id }),
    ];
    expect((await key(home, first.asked, "1111")).document).toContain(wrong);
    expect((await key(home, second.asked, "1111")).document).toContain(tooMany);
  });

  test("that was keyed before another answer gets nowhere where its caller is turned away meanwhile", async () => {
    await using home = await bank({ pin_limits: { tries_per_caller: 1 } });
    const pin = { hmac: await answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, "4711") };
    await home.putRuleset({
      rules: [
        {
          id: "rooms",
          match: {},
          ask: {
            pin: { say: "Enter your PIN.", digits: "4", secret: true },
            room: { say: "Which room?", digits: "2" },
          },
          rules: [{ id: "any", match: { "answer.pin": pin }, place: { room: "{answer.room}" } }],
        },
      ],
    });
    const right = await key(home, await asked(home, bob), "4711");
    const guess = await key(home, await asked(home, bob), "1111");
    expect(right.document).toContain("Which room?");
    expect(guess.document).toContain("Which room?");
    expect((await key(home, guess.asked, "17")).document).toContain(tooMany);
    expect((await key(home, right.asked, "17")).document).toContain(tooMany);
    const other = await key(home, await asked(home, "+15550100003"), "4711");
    expect((await key(home, other.asked, "17")).document).toContain(`"name":"${home.tenant}:17"`);
  });

  test("is neither asked for nor taken while the session does not answer", async () => {
    await using home = await bank();
    const waiting = await asked(home, bob);
    const blocked = runInDurableObject(session(home), (_, state) =>
      state.blockConcurrencyWhile(() => new Promise((resolve) => setTimeout(resolve, 2_500))),
    );
    const heard = await Promise.all([key(home, waiting, "4711"), call(home, { from: bob, to: bridge })]);
    for (const { document } of heard) {
      expect(document).toContain(notNow);
      expect(document).not.toContain("join_conference");
    }
    await blocked;
    expect((await key(home, waiting, "4711")).document).toContain(`"name":"${home.tenant}:board"`);
  });

  test("is never asked for where the call's signature was not right, whatever report_until says", async () => {
    await using home = await bank({ report_until: Date.now() + 3_600_000 });
    const body = JSON.stringify({
      call: { call_id: crypto.randomUUID(), from: bob, to: bridge },
      vars: {},
      params: {},
    });
    const response = await exports.default.fetch(home.webhook_url, { method: "POST", body });
    expect(await response.text()).toContain(notNow);
  });
});

test.each([
  ["queries of one resource", (nth: number) => `/public/bridge?x=${nth}`],
  ["SIP users that are too long to read", (nth: number) => `sip:${"x".repeat(129)}${nth}@example.com`],
  ["ports that there are not", (nth: number) => `sip:bridge@example.com:${100_000 + nth}`],
])("wrong PINs on %s count together, whatever the callers write", async (_, to) => {
  await using home = await bank({ pin_limits: { tries_per_number: 5 } });
  const heard: string[] = [];
  for (let nth = 0; nth < 8; nth += 1) {
    const { document, asked } = await call(home, { from: `+1555020000${nth}`, to: to(nth) });
    heard.push(document.includes(notNow) ? document : (await key(home, asked, String(5000 + nth))).document);
  }
  // The fifth closes the door, and its caller does not hear that it was wrong.
  expect(heard.map((document) => document.includes(wrong))).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
  expect(count(heard, notNow)).toBe(4);
});

test("a thousand wrong PINs: five of one caller's are looked at, fifty of one number's, and no right one after, an object lost or not", async () => {
  await using home = await bank();
  const lines: string[] = [];
  const error = vi.spyOn(console, "error").mockImplementation((line: unknown) => {
    lines.push(String(line));
  });
  const one = await Promise.all([1, 2, 3, 4].map(() => asked(home, bob)));
  const other = "+15550100200";
  const many = await Promise.all(
    Array.from({ length: 50 }, (_, index) => asked(home, `+1555020${String(index).padStart(4, "0")}`, other)),
  );
  const late = await asked(home, "+15550100003", other);

  const heard = await attack(home, one, 0, 250);
  const heardOfMany = await attack(home, many, 0, 250);
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
  heard.push(...(await attack(home, one, 250, 500)));
  heardOfMany.push(...(await attack(home, many, 250, 500)));
  error.mockRestore();

  // The one that closes the door is not told that it was wrong.
  expect(count(heard, wrong)).toBe(4);
  expect(count(heard, tooMany)).toBe(496);
  const lookedAt = await runInDurableObject(session(home), (_, state) =>
    state.storage.sql
      .exec<{ wrong: number }>(
        "SELECT SUM(json_array_length(tries)) + SUM(closings) * 5 AS wrong FROM pin_guards WHERE kind = 'caller' AND who LIKE '+1555020%'",
      )
      .one(),
  );
  expect(lookedAt.wrong).toBe(50);
  expect(count(heardOfMany, wrong)).toBeLessThan(50);
  expect(count(heardOfMany, notNow) + count(heardOfMany, tooMany) + count(heardOfMany, wrong)).toBe(500);
  const alerts = lines.filter((line) => line.includes("pins.attack"));
  expect(alerts).toHaveLength(1);
  expect(JSON.parse(alerts[0] ?? "")).toMatchObject({ tenant: home.tenant, number: other, wrong_tries: 50 });

  const [blocked] = one;
  if (blocked === undefined) throw new Error("nobody called");
  expect((await key(home, blocked, "4711")).document).toContain(tooMany);
  expect((await call(home, { from: bob, to: bridge })).document).toContain(tooMany);
  expect((await key(home, late, "4711")).document).toContain(notNow);
  // Another caller on the number that one caller alone attacked.
  expect((await key(home, await asked(home, "+15550100003"), "4711")).document).toContain("join_conference");

  const pins = `/tenants/${home.tenant}/pins`;
  const closed: { callers: { who: string; closings: number }[]; numbers: { who: string; until: number }[] } =
    await (await askApi(pins)).json();
  expect(closed.callers).toContainEqual(expect.objectContaining({ who: bob, closings: 1 }));
  expect(closed.numbers).toMatchObject([{ who: other }]);
  const block = `${pins}/blocks/${encodeURIComponent(bob)}`;
  expect((await askApi(block, { method: "DELETE" })).status).toBe(204);
  expect((await askApi(block, { method: "DELETE" })).status).toBe(404);
  expect((await key(home, await asked(home, bob), "4711")).document).toContain("join_conference");
}, 60_000);
