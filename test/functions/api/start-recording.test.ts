import { beforeAll, describe, test, vi } from "vitest";
import { type Fixture, warmUp } from "../fixture.ts";
import { putContexts } from "../session/calls/context-fixture.ts";
import { lose } from "../waiting-room-fixture.ts";
import {
  type Answer,
  ask,
  board,
  eventsLost,
  into,
  of,
  onBoard,
  openBoard,
  recordingsOf,
  settled,
  type Way,
  ways,
} from "./control-fixture.ts";

vi.setConfig({ testTimeout: 40_000 });
beforeAll(warmUp);

const notice = "This call may be recorded.";
const guest = "+15550100001";
const other = "+15550100002";

const start = (home: Fixture): Promise<Answer> => onBoard(home, "recordings", "POST");

/** Whose calls are being recorded, as the simulator has it. */
async function recorded(home: Fixture): Promise<string[]> {
  const calls = await home.carrier.calls();
  return calls.flatMap(({ call_id, recordings }) =>
    recordings.some(({ ended_at }) => ended_at === null) ? [call_id] : [],
  );
}

async function heardNotices(home: Fixture, call_id: string): Promise<number> {
  const { heard } = await home.carrier.call(call_id);
  return heard.filter(({ detail }) => detail === notice).length;
}

/** How the simulator says that a recording began: who was in the room then. */
async function begun(home: Fixture) {
  const entries = await home.carrier.journal({ kind: "call_recording" });
  return entries.filter(({ state }) => state === "recording");
}

describe.concurrent.each<Way>([...ways])("a room whose callers came by %s", (way) => {
  async function two(more: Parameters<typeof openBoard>[0] = {}) {
    const home = await openBoard(more);
    if (way === "relay") await putContexts(home, { main: home.tenant });
    const calls = [await into(home, guest, way), await into(home, other, way)];
    return { home, calls };
  }

  test.concurrent.for([
    ["event", []],
    ["rest", eventsLost],
  ] as const)(
    "is recorded when all were told, paused, resumed and stopped, each seen by %s",
    async ([by, faults], { expect }) => {
      const { home, calls } = await two();
      await using _ = home;
      await home.carrier.change({ faults: [...faults] });
      // Of what the compatibility API records no event tells.
      const seen_by = way === "cxml" ? "rest" : by;
      const started = await start(home);
      expect(started).toMatchObject({
        status: 200,
        body: { changed: true, verified_by: seen_by, recording_id: expect.any(String) },
      });
      const id = started.body.recording_id ?? "";
      for (const call_id of calls) expect(await heardNotices(home, call_id)).toBe(1);
      const [first] = await begun(home);
      expect(first).toMatchObject({ inside: expect.arrayContaining(calls) });
      expect(await board(home)).toMatchObject({ recording: { id, state: "in-progress" } });
      expect(await start(home)).toMatchObject({
        status: 200,
        body: { changed: false, recording_id: id },
      });
      const [leg = ""] = await recorded(home);
      expect((await home.carrier.call(leg)).recordings).toMatchObject([{ direction: "both" }]);
      for (const state of ["paused", "recording", "stopped"])
        expect(await ask(home, `recordings/${id}`, "PATCH", { state }), state).toMatchObject({
          status: 200,
          body: { changed: true, verified_by: seen_by },
        });
      expect(await recorded(home)).toEqual([]);
      expect((await board(home)).recording).toBe(null);
      await expect
        .poll(() => recordingsOf(home), { timeout: 15_000 })
        .toMatchObject([
          { id, state: "completed", url: expect.stringMatching(/recordings/i), part: { of: id, number: 1 } },
        ]);
    },
  );

  test.concurrent("goes on to be recorded by another's call when the one leaves, and ends with the conference", async ({
    expect,
  }) => {
    const { home, calls } = await two();
    await using _ = home;
    const { body } = await start(home);
    const [leg = ""] = await recorded(home);
    const [rest = ""] = calls.filter((call_id) => call_id !== leg);
    await home.carrier.hangUp(leg);
    const left_at = Date.now();
    await expect.poll(() => recorded(home), { timeout: 3_000 }).toEqual([rest]);
    expect(Date.now() - left_at).toBeLessThan(3_000);
    await expect
      .poll(() => recordingsOf(home), { timeout: 15_000 })
      .toMatchObject([
        { state: "completed", part: { of: body.recording_id, number: 1, call_id: leg } },
        { state: "in-progress", part: { of: body.recording_id, number: 2, call_id: rest } },
      ]);
    await home.carrier.hangUp(rest);
    await expect
      .poll(async () => (await recordingsOf(home)).map(({ state }) => state), { timeout: 15_000 })
      .toEqual(["completed", "completed"]);
  });
});

test.concurrent("the call that is recorded neither coaches, is coached nor is held; one that is held later gives way", async ({
  expect,
}) => {
  await using home = await openBoard();
  const [held, coach, coached] = [
    await into(home, guest),
    await into(home, other),
    await into(home, "+15550100003"),
  ];
  await ask(home, of(held), "PATCH", { held: {} });
  await ask(home, of(coach), "PATCH", { coach: coached });
  expect(await start(home)).toMatchObject({ status: 409, body: { error: { code: "control_unavailable" } } });
  await ask(home, of(held), "PATCH", { held: false });
  expect(await start(home)).toMatchObject({ status: 200 });
  expect(await recorded(home)).toEqual([held]);
  const free = await into(home, "+15550100004");
  await ask(home, of(held), "PATCH", { held: {} });
  await expect.poll(() => recorded(home), { timeout: 6_000 }).toEqual([free]);
});

test.concurrent("where no call is left that can be recorded it has failed, and what was recorded stays", async ({
  expect,
}) => {
  await using home = await openBoard();
  const [first, held] = [await into(home, guest), await into(home, other)];
  await ask(home, of(held), "PATCH", { held: {} });
  const { body } = await start(home);
  await home.carrier.hangUp(first);
  await expect
    .poll(() => recordingsOf(home), { timeout: 15_000 })
    .toMatchObject([{ state: "completed" }, { state: "failed", part: { of: body.recording_id, number: 2 } }]);
  expect((await board(home)).recording).toBe(null);
});

test.concurrent("one who is moved elsewhere is recorded there no more, and the room goes on to be", async ({
  expect,
}) => {
  await using home = await openBoard();
  const calls = [await into(home, guest), await into(home, other)];
  await start(home);
  const [leg = ""] = await recorded(home);
  expect(await ask(home, `${of(leg)}/move`, "POST", { to: "annexe" })).toMatchObject({ status: 200 });
  const [rest] = calls.filter((call_id) => call_id !== leg);
  await expect.poll(() => recorded(home), { timeout: 6_000 }).toEqual([rest]);
});

test.concurrent("a session that is lost goes on with its recording, though who was recorded leaves meanwhile", async ({
  expect,
}) => {
  await using home = await openBoard();
  const calls = [await into(home, guest), await into(home, other)];
  const { body } = await start(home);
  const [leg = ""] = await recorded(home);
  const [rest] = calls.filter((call_id) => call_id !== leg);
  await lose(home);
  await home.carrier.hangUp(leg);
  await expect.poll(() => recorded(home), { timeout: 6_000 }).toEqual([rest]);
  const { recording } = await board(home);
  const id = recording?.id ?? body.recording_id;
  await expect
    .poll(async () => (await ask(home, `recordings/${id}`, "PATCH", { state: "stopped" })).status, {
      timeout: 6_000,
    })
    .toBe(200);
  expect(await recorded(home)).toEqual([]);
});

test.concurrent("who comes into a room that is recorded is told, once", async ({ expect }) => {
  await using home = await openBoard();
  const first = await into(home, guest);
  await start(home);
  const late = await into(home, other);
  await expect.poll(() => heardNotices(home, late), { timeout: 6_000 }).toBe(1);
  expect(await recorded(home)).toEqual([first]);
});

test.concurrent("what ends at once by RELAY is recorded by the compatibility API", async ({ expect }) => {
  await using home = await openBoard({ carrier: { switches: { record_timeout_of_zero: "ends_at_once" } } });
  await into(home, guest);
  expect(await start(home)).toMatchObject({ status: 200, body: { sent_by: "rest", verified_by: "rest" } });
  expect(await recorded(home)).toHaveLength(1);
});

test.concurrent("where REST lists nobody each is told by RELAY; where that cannot be, nobody is recorded", async ({
  expect,
}) => {
  const switches = { rest_lists_relay_joins: false } as const;
  await using home = await openBoard({ carrier: { switches } });
  const calls = [await into(home, guest), await into(home, other)];
  const refuses = {
    at: "command",
    match: { method: "calling.play" },
    do: { kind: "code", code: "500" },
  } as const;
  await home.carrier.change({ faults: [refuses] });
  expect(await start(home)).toMatchObject({ status: 409, body: { error: { code: "control_unavailable" } } });
  expect(await begun(home)).toEqual([]);
  await home.carrier.change({ faults: [] });
  expect(await start(home)).toMatchObject({ status: 200 });
  for (const call_id of calls) expect(await heardNotices(home, call_id)).toBe(1);
});

describe.concurrent("a start that SignalWire", () => {
  const atStart = { at: "command", match: { method: "calling.record" } } as const;
  const atRest = { at: "rest", match: { resource: "call_recordings", method: "POST" } } as const;
  const atCommand = { at: "rest", match: { field: "calling.record" } } as const;

  test.concurrent("refuses by every way is refused with its code, and the room is not recorded", async ({
    expect,
  }) => {
    await using home = await openBoard();
    await into(home, guest);
    const code = { kind: "code", code: "503" } as const;
    await home.carrier.change({ faults: [atStart, atCommand, atRest].map((at) => ({ ...at, do: code })) });
    const refused = await start(home);
    expect(refused).toMatchObject({ status: 502, body: { error: { code: "signalwire_refused" } } });
    expect(refused.body.error?.message).toContain("503");
    expect(await recordingsOf(home)).toEqual([]);
  });

  test.concurrent("accepts and does late is done then; by then nothing is said to be recorded", async ({
    expect,
  }) => {
    await using home = await openBoard();
    await into(home, guest);
    await home.carrier.change({ faults: [{ ...atStart, do: { kind: "late", ms: 4_500 } }] });
    const taken = await start(home);
    expect(taken).toMatchObject({ status: 202, body: { state: "requested" } });
    expect((await board(home)).recording).toBe(null);
    expect(await settled(home, taken)).toMatchObject({ state: "done", changed: true });
    expect(await board(home)).toMatchObject({ recording: { id: taken.body.recording_id } });
  });
});
