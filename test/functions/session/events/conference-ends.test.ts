import { expect, test } from "vitest";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;
const CALLS = Array.from({ length: 100 }, (_, n) => `call-${n}`);

function event(status: string, at: number, call_id?: string, conference_id = "conf-1"): RelayEvent {
  const params = { status, conference_id, name: ROOM, ...(call_id === undefined ? {} : { call_id }) };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1_000, params };
}

/** A conference of a hundred, which has ended a minute after the last one came. */
function ended(sql: SqlStorage, end = (ledger: Ledger, event: RelayEvent) => ledger.events.apply(event)) {
  const clock = { now: START };
  const start = () =>
    new Ledger(
      sql,
      () => clock.now,
      async () => new Set(),
    );
  const ledger = start();
  for (const call_id of CALLS) {
    ledger.plan(requestOf(call_id, { deadline_at: clock.now + 2_000, capacity: 200 }));
    ledger.events.apply(event("participant-join", clock.now, call_id));
  }
  clock.now += 60_000;
  end(ledger, event("conference-end", clock.now));
  return { ledger, clock, start };
}

function catchUp({ backlog }: Ledger): void {
  for (let turn = 0; !backlog.isEmpty && turn < 1_000; turn += 1) backlog.work();
}

function countLeft({ placements }: Ledger): number {
  return CALLS.filter((call_id) => placements.ofCall(call_id)[0]?.state === "left").length;
}

test("a conference's end is worked through a few participants a turn, and each call is seen to once", async () => {
  await onStorage("ends", async ({ sql }) => {
    const { ledger } = ended(sql);
    const left = [countLeft(ledger)];
    while (!ledger.backlog.isEmpty) {
      ledger.backlog.work();
      left.push(countLeft(ledger));
    }
    const each = left.map((count, turn) => count - (left[turn - 1] ?? 0));
    expect(Math.max(...each)).toBeLessThanOrEqual(10);
    expect(countLeft(ledger)).toBe(CALLS.length);
    expect(ledger.occupancy.taken(ROOM)).toBe(0);
    const pendingCommands = ledger.pendingCommands.takeDue(1_000);
    expect(pendingCommands.map(({ kind, call_id }) => `${kind} ${call_id}`).sort()).toEqual(
      CALLS.map((call_id) => `end ${call_id}`).sort(),
    );
  });
});

test("a conference's end is worked through by whoever comes after the object that heard of it", async () => {
  await onStorage("ends-restart", async ({ sql }) => {
    const { ledger, start } = ended(sql);
    expect(countLeft(ledger)).toBeLessThan(CALLS.length);
    const next = start();
    expect(next.backlog.isEmpty).toBe(false);
    catchUp(next);
    expect(countLeft(next)).toBe(CALLS.length);
    expect(start().backlog.isEmpty).toBe(true);
  });
});

test("a conference's end does not touch who comes meanwhile into the next one of its name", async () => {
  await onStorage("ends-next", async ({ sql }) => {
    const { ledger, clock, start } = ended(sql);
    clock.now += 100;
    const here = ["told", "untold"];
    for (const call_id of here)
      ledger.plan(requestOf(call_id, { deadline_at: clock.now + 2_000, capacity: 200 }));
    // One who has left the first and was sent back is in the next one, too.
    const [back = ""] = CALLS.slice(-1);
    ledger.events.apply(event("participant-join", clock.now, "told", "conf-2"));
    ledger.events.apply(event("participant-join", clock.now, back, "conf-2"));
    const next = start();
    catchUp(next);
    const stateOf = (call_id: string) => next.placements.ofCall(call_id)[0]?.state;
    expect([...here, back].map(stateOf)).toEqual(["joined", "accepted", "joined"]);
    expect(countLeft(next)).toBe(CALLS.length - 1);
    expect(next.occupancy.taken(ROOM)).toBe(3);
  });
});

test("an unsigned end of a conference ends nobody: each seat is released, and each call asked about", async () => {
  await onStorage("ends-unsigned", async ({ sql }) => {
    const { ledger } = ended(sql, ({ events }, event) => events.applyUntrusted(event, { tenant: "acme" }));
    catchUp(ledger);
    expect(ledger.occupancy.taken(ROOM)).toBe(0);
    expect(countLeft(ledger)).toBe(0);
    const kinds = new Set(ledger.pendingCommands.takeDue(1_000).map(({ kind }) => kind));
    expect([...kinds]).toEqual(["verify"]);
  });
});

test("those whom REST found in a conference are over with it, whichever object works through its end", async () => {
  await onStorage("ends-found", async ({ sql }) => {
    let now = START;
    const start = () =>
      new Ledger(
        sql,
        () => now,
        async () => new Set(),
      );
    const ledger = start();
    for (const call_id of CALLS) {
      const row = ledger.plan(
        requestOf(call_id, { deadline_at: now + 2_000, capacity: 200, ingress: "swml" }),
      );
      if (row)
        ledger.joins.confirm(row, { joined_by: "relay", reason: "REST found the call in its room" }, now);
    }
    now += 60_000;
    ledger.events.apply(event("conference-end", now));
    const atOnce = countLeft(ledger);
    expect([atOnce > 0, atOnce <= 10]).toEqual([true, true]);
    const next = start();
    catchUp(next);
    expect(countLeft(next)).toBe(CALLS.length);
    const ids = CALLS.map((call_id) => next.placements.ofCall(call_id)[0]?.conference_id);
    expect(new Set(ids)).toEqual(new Set(["conf-1"]));
  });
});

test.each([
  ["its calls stay where nothing shows that a form's sid is RELAY's id", undefined, "joined"],
  ["its calls are over where REST showed that it is", true, "left"],
  ["its calls stay where REST showed that it is not", false, "joined"],
])("a conference's end is told by a form: %s", async (_, shown, state) => {
  await onStorage(`ends-form-${shown}`, async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    if (shown !== undefined) ledger.observations.saw("conference_sid_is_conference_id", shown);
    const row = ledger.plan(requestOf("call", { deadline_at: now + 2_000, ingress: "swml" }));
    if (row) ledger.joins.confirm(row, { joined_by: "document", reason: "its document joined" }, now);
    now += 60_000;
    ledger.events.apply(event("conference-end", now), { feed: "callback", ids_known: false });
    expect(ledger.placements.ofCall("call")[0]?.state).toBe(state);
  });
});
