import { beforeAll, describe, test, vi } from "vitest";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { putContexts } from "../session/calls/context-fixture.ts";
import { lose } from "../waiting-room-fixture.ts";
import { askApi } from "./ask.ts";
import {
  ask,
  board,
  placeVia as call,
  eventsLost,
  into,
  onBoard,
  openBoard,
  ways,
} from "./control-fixture.ts";

vi.setConfig({ testTimeout: 40_000 });
beforeAll(warmUp);

const open = (place: Record<string, unknown> = {}, carrier: Record<string, unknown> = {}): Promise<Fixture> =>
  openBoard({ carrier }, place);

async function wordsTo(home: Fixture, call_id: string): Promise<string[]> {
  await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 10_000 });
  const { heard, two_sounds } = await home.carrier.call(call_id);
  if (two_sounds) throw new Error(`${call_id} heard two sounds at once`);
  return heard.filter(({ sound }) => sound === "say").map(({ detail }) => detail);
}

describe.concurrent("a locked room", () => {
  test.concurrent("lets nobody in by any way, keeps who is there, and is open again when unlocked", async ({
    expect,
  }) => {
    await using home = await open();
    await putContexts(home, { main: home.tenant });
    const inside = await into(home, "+15550100001");
    expect(await onBoard(home, "lock", "PUT", { say: "The meeting is closed." })).toMatchObject({
      status: 200,
      body: { changed: true, verified_by: "session" },
    });
    await lose(home);
    const late = await Promise.all(ways.map((way, index) => call(home, `+1555010001${index}`, way)));
    for (const call_id of late) expect(await wordsTo(home, call_id)).toEqual(["The meeting is closed."]);
    expect((await board(home)).participants.map(({ call_id }) => call_id)).toEqual([inside]);
    expect(await onBoard(home, "lock", "DELETE")).toMatchObject({ status: 200, body: { changed: true } });
    await into(home, "+15550100020");
  });

  test.concurrent("is locked no longer than its conference, and an empty one only until a time", async ({
    expect,
  }) => {
    await using home = await open();
    expect(await onBoard(home, "lock", "PUT", {})).toMatchObject({ status: 422 });
    const inside = await into(home, "+15550100001");
    await onBoard(home, "lock", "PUT", {});
    await home.carrier.hangUp(inside);
    await expect.poll(async () => (await board(home)).participants.length, { timeout: 5_000 }).toBe(0);
    await home.carrier.hangUp(await into(home, "+15550100002"));
    await expect.poll(async () => (await board(home)).participants.length, { timeout: 5_000 }).toBe(0);
    await onBoard(home, "lock", "PUT", { until: Date.now() + 60_000 });
    expect((await wordsTo(home, await call(home, "+15550100003"))).length).toBeLessThan(2);
    await onBoard(home, "lock", "DELETE");
    await into(home, "+15550100004");
  });

  test.concurrent("with a lobby has callers by each way wait until an operator admits them", async ({
    expect,
  }) => {
    await using home = await open();
    await putContexts(home, { main: home.tenant });
    await into(home, "+15550100001");
    await onBoard(home, "lock", "PUT", { mode: "lobby" });
    const late = await Promise.all(ways.map((way, index) => call(home, `+1555010001${index}`, way)));
    await expect.poll(async () => (await board(home)).waiting.length, { timeout: 5_000 }).toBe(3);
    for (const call_id of late) {
      const admitted = await onBoard(home, `lobby/${call_id}/admit`, "POST");
      expect(admitted.status).toBe(200);
    }
    await expect.poll(async () => (await board(home)).participants.length, { timeout: 15_000 }).toBe(4);
  });

  test.concurrent("dials nobody", async ({ expect }) => {
    await using home = await open();
    await home.putTenant({ dial: { allow: ["+1555*"], from: ["+15550100100"] } });
    await into(home, "+15550100001");
    await onBoard(home, "lock", "PUT", {});
    const refused = await onBoard(home, "participants", "POST", { to: "+15550100300", from: "+15550100100" });
    expect(refused.status).toBeGreaterThanOrEqual(403);
  });
});

test.concurrent("all are muted but moderators, and who comes later by each way is, until that is ended", async ({
  expect,
}) => {
  await using home = await open();
  await putContexts(home, { main: home.tenant });
  const chair = await into(home, "+15550100009");
  const guest = await into(home, "+15550100001");
  const muted = await onBoard(home, "mute-all", "POST");
  expect(muted).toMatchObject({
    status: 200,
    body: { changed: true, results: [{ call_id: guest, state: "done", changed: true }] },
  });
  const late = await Promise.all(ways.map((way, index) => into(home, `+1555010001${index}`, way)));
  const conference = async () => (await home.carrier.conferences())[0]?.participants ?? [];
  const isMuted = async (call_id: string) =>
    (await conference()).find((one) => one.call_id === call_id)?.muted;
  for (const call_id of late) await expect.poll(() => isMuted(call_id), { timeout: 10_000 }).toBe(true);
  expect(await isMuted(chair)).toBe(false);
  await ask(home, `conferences/board/participants/${guest}`, "PATCH", { muted: false });
  await onBoard(home, "mute-all", "DELETE");
  const last = await into(home, "+15550100020");
  expect([await isMuted(guest), await isMuted(last)]).toEqual([false, false]);
});

describe.concurrent.each([
  ["by REST", {}],
  [
    "leg by leg, where REST does not list it",
    { switches: { rest_lists_relay_joins: false, rest_lists_swml_joins: false } },
  ],
])("a conference ended for all %s", (_, carrier) => {
  test.concurrent("leaves nobody in it, and nobody on their way makes it anew", async ({ expect }) => {
    await using home = await open({}, carrier);
    const calls = await Promise.all(
      ["+15550100001", "+15550100002", "+15550100009"].map((from) => into(home, from)),
    );
    expect(await onBoard(home, "end", "POST")).toMatchObject({
      status: 200,
      body: { changed: true, remaining: [] },
    });
    for (const call_id of calls)
      await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 10_000 });
    const late = await call(home, "+15550100004");
    await home.carrier.wait({ call: { call_id: late, state: "ended" }, timeout_ms: 5_000 });
    expect(await home.carrier.conferences()).toEqual([]);
  });
});

test.concurrent("an announcement is heard by all or by one, and said to be requested, since nothing tells", async ({
  expect,
}) => {
  await using home = await open();
  const first = await into(home, "+15550100001");
  const second = await into(home, "+15550100002");
  const hears = async (call_id: string) =>
    (await home.carrier.call(call_id)).heard
      .filter(({ sound }) => sound === "announcement")
      .map(({ detail }) => detail);
  expect(await onBoard(home, "announcements", "POST", { say: "Five minutes." })).toMatchObject({
    status: 202,
    body: { state: "requested", sent_by: "rest" },
  });
  await expect.poll(() => hears(second), { timeout: 10_000 }).toEqual(["Five minutes."]);
  await onBoard(home, "announcements", "POST", { say: "A word to you.", to: first });
  await expect.poll(() => hears(first), { timeout: 10_000 }).toEqual(["Five minutes.", "A word to you."]);
  expect(await hears(second)).toEqual(["Five minutes."]);
});

test.concurrent("where REST cannot announce RELAY plays to each, and its events say that it did", async ({
  expect,
}) => {
  await using home = await open({}, { switches: { rest_lists_relay_joins: false } });
  const first = await into(home, "+15550100001");
  await into(home, "+15550100002");
  expect(await onBoard(home, "announcements", "POST", { say: "Five minutes." })).toMatchObject({
    status: 200,
    body: { sent_by: "relay", verified_by: "event", results: [{ call_id: first, state: "done" }, {}] },
  });
});

test.concurrent.for([
  ["event", []],
  ["rest", eventsLost],
] as const)(
  "a recording is paused, resumed and stopped, each seen by %s",
  async ([by, faults], { expect }) => {
    await using home = await open({ join: { record: "record-from-start" } });
    await into(home, "+15550100009");
    await into(home, "+15550100001");
    const running = async () => {
      const { recordings } = await (await askApi(`/tenants/${home.tenant}/recordings`)).json<{
        recordings: { id: string; state: string }[];
      }>();
      return recordings[0];
    };
    await expect.poll(async () => (await running())?.state, { timeout: 10_000 }).toBe("in-progress");
    const id = (await running())?.id ?? "";
    await home.carrier.change({ faults: [...faults] });
    for (const state of ["paused", "recording", "stopped"])
      expect(await ask(home, `recordings/${id}`, "PATCH", { state }), state).toMatchObject({
        status: 200,
        body: { changed: true, verified_by: by },
      });
  },
);

test.concurrent("a command under one key is done once, and another under the same key is refused", async ({
  expect,
}) => {
  await using home = await open();
  const call_id = await into(home, "+15550100001");
  const path = `conferences/board/participants/${call_id}`;
  const twice = await Promise.all([1, 2].map(() => ask(home, path, "PATCH", { muted: true }, "one")));
  await ask(home, path, "PATCH", { muted: false });
  await lose(home);
  const again = await ask(home, path, "PATCH", { muted: true }, "one");
  expect(new Set([...twice, again].map(({ body }) => body.command_id)).size).toBe(1);
  const updates = (await home.carrier.journal({ kind: "rest" })).filter(({ method }) => method === "POST");
  expect(updates.filter(({ body }) => body === "Muted=true")).toHaveLength(1);
  expect(await ask(home, path, "PATCH", { muted: false }, "one")).toMatchObject({
    status: 409,
    body: { error: { code: "idempotency_key_reused" } },
  });
});

test.concurrent("another conference, another room and nobody at all are told apart, and a barred number does not come back", async ({
  expect,
}) => {
  await using home = await open({ rejoin_s: 600, sticky: "from" });
  await into(home, "+15550100009");
  const call_id = await into(home, "+15550100001");
  const path = `conferences/board/participants/${call_id}`;
  const wrong = { expect: { conference_id: "another" } };
  expect(await ask(home, path, "PATCH", { muted: true, ...wrong })).toMatchObject({
    status: 409,
    body: { error: { code: "other_conference" } },
  });
  expect(await ask(home, "conferences/board/participants/nobody", "PATCH", { muted: true })).toMatchObject({
    status: 404,
    body: { error: { code: "unknown_participant" } },
  });
  expect(await ask(home, "conferences/empty/end", "POST")).toMatchObject({
    status: 404,
    body: { error: { code: "unknown_conference" } },
  });
  expect(await ask(home, path, "PATCH", {})).toMatchObject({ status: 422 });
  const code = { say: `Hello, $${"{"}call.from}.` };
  expect(await onBoard(home, "announcements", "POST", code)).toMatchObject({ status: 422 });
  expect(await ask(home, path, "DELETE", { bar_s: 60 })).toMatchObject({ status: 200 });
  const back = await call(home, "+15550100001");
  await home.carrier.wait({ call: { call_id: back, state: "ended" }, timeout_ms: 5_000 });
  const hidden = await into(home, "anonymous");
  expect(await ask(home, `conferences/board/participants/${hidden}`, "DELETE", { bar_s: 60 })).toMatchObject({
    status: 409,
    body: { error: { code: "number_withheld" } },
  });
  await into(home, "+15550100005");
});

test.concurrent("another tenant of the project controls nothing of it", async ({ expect }) => {
  await using home = await open();
  const call_id = await into(home, "+15550100001");
  const other = `${home.tenant}x`.slice(0, 24);
  const { env } = await import("cloudflare:workers");
  await env.DIRECTORY.put(`tenant/${other}`, JSON.stringify({ project_id: home.carrier.project_id }));
  const { body } = await ask(home, `conferences/board/participants/${call_id}`, "PATCH", { muted: true });
  const asOther = (path: string, method: string) =>
    askApi(`/tenants/${other}/${path}`, { method, ...(method === "GET" ? {} : { body: "{}" }) });
  for (const [path, method] of [
    [`conferences/board/participants/${call_id}`, "DELETE"],
    [`conferences/${home.tenant}:board/participants/${call_id}`, "DELETE"],
    ["conferences/board/end", "POST"],
    [`conferences/${home.tenant}:board/mute-all`, "POST"],
    [`commands/${body.command_id}`, "GET"],
  ] as const)
    expect((await asOther(path, method)).status, path).toBe(404);
  expect((await board(home)).participants).toMatchObject([{ call_id, muted: true }]);
});

describe.concurrent("a rule of the room's", () => {
  const chair = "+15550100009";
  const guest = "+15550100001";

  const ends = ["then", "end"];
  const waits = [["after_s", 5], ends];

  async function ruled(chairs: Record<string, unknown>): Promise<Fixture> {
    const rules = [
      { id: "chair", match: { from: chair }, place: { room: "board", role: "moderator", ...chairs } },
      { id: "any", match: {}, place: { room: "board" } },
    ];
    return await openFixture({ rules, carrier: { speed: 10 } });
  }

  test.concurrent("locks it and mutes all once the moderator is there", async ({ expect }) => {
    await using home = await ruled({ lock: "refuse", mute_all: true });
    const early = await into(home, guest);
    await into(home, chair);
    const muted = async () => (await board(home)).participants.map((one) => [one.call_id, one.muted]);
    await expect.poll(muted, { timeout: 10_000 }).toContainEqual([early, true]);
    const late = await call(home, "+15550100002");
    await home.carrier.wait({ call: { call_id: late, state: "ended" }, timeout_ms: 5_000 });
    expect((await askApi(`/tenants/${home.tenant}/conferences/board`)).status).toBe(200);
  });

  test.concurrent("ends it when the last moderator has been gone for so long, and not if one is back in time", async ({
    expect,
  }) => {
    await using home = await ruled({
      when_moderator_leaves: Object.fromEntries([...waits, ["say", "The meeting is over."]]),
    });
    const inside = await into(home, guest);
    const first = await into(home, chair);
    await home.carrier.hangUp(first);
    const left_at = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await home.carrier.hangUp(await into(home, chair));
    expect((await wordsTo(home, inside)).at(-1)).toBe("The meeting is over.");
    expect(Date.now() - left_at).toBeGreaterThan(5_500);
  });
});

test.concurrent("those who could not be muted or ended in time are told of when that is asked", async ({
  expect,
}) => {
  await using home = await open();
  const [first, second] = await Promise.all(["+15550100001", "+15550100002"].map((from) => into(home, from)));
  const slow = { at: "rest", match: { method: "POST" }, do: { kind: "late", ms: 4_500 } } as const;
  await home.carrier.change({ faults: [slow] });
  const muted = await onBoard(home, "mute-all", "POST");
  expect(muted).toMatchObject({ status: 202, body: { state: "requested", changed: false } });
  const told = async () => (await ask(home, `commands/${muted.body.command_id}`, "GET")).body;
  await expect.poll(async () => (await told()).state, { timeout: 10_000 }).toBe("done");
  expect((await told()).results?.map(({ call_id }) => call_id).sort()).toEqual([first, second].sort());
  await home.carrier.change({
    faults: [
      { at: "rest", match: { method: "POST" }, do: { kind: "code", code: "503" } },
      { at: "command", match: { method: "calling.end" }, do: { kind: "code", code: "500" } },
    ],
  });
  expect(await onBoard(home, "end", "POST")).toMatchObject({
    status: 502,
    body: { error: { code: "signalwire_refused" } },
  });
  await home.carrier.change({ faults: [] });
  await into(home, "+15550100003");
  expect((await board(home)).participants).toHaveLength(3);
});
