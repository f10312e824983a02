import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  applyEvent,
  isByDocument,
  type Membership,
  type MembershipEvent,
  mayMove,
} from "../../shared/placement.ts";

const ROOM = "acme:support";
const START = 1_000_000;

function accepted(changes: Partial<Membership> = {}): Membership {
  return {
    state: "accepted",
    joined_by: "relay",
    room: ROOM,
    conference_id: null,
    joined_ts: null,
    left_ts: null,
    hold_at: START,
    stay_at: null,
    answer: null,
    lives_on: 0,
    ...changes,
  };
}

function event(
  happened: MembershipEvent["happened"],
  at_ms: number,
  changes: Partial<MembershipEvent> = {},
): MembershipEvent {
  return { happened, ended_by: null, name: ROOM, conference_id: "conf-1", ts: at_ms / 1000, ...changes };
}

/** Applies events in turn, each at its own time unless told otherwise. */
function afterEvents(was: Membership, ...events: { event: MembershipEvent; now?: number }[]) {
  let row = was;
  const then: string[] = [];
  for (const { event, now } of events) {
    const change = applyEvent(row, event, now ?? (event.ts ?? 0) * 1000);
    if (!change) continue;
    if (change.set.state !== undefined) expect(mayMove(row.state, change.set.state)).toBe(true);
    row = { ...row, ...change.set };
    then.push(change.follow);
  }
  return { row, then };
}

describe("a conference's events and a placement", () => {
  test("a participant-join confirms an accepted join", () => {
    const { row } = afterEvents(accepted(), { event: event("joined", START + 100) });
    expect(row).toMatchObject({ state: "joined", conference_id: "conf-1" });
  });

  test("a join that comes before RELAY's answer, or that nobody answered, counts too", () => {
    for (const state of ["sending", "unknown"] as const) {
      expect(afterEvents(accepted({ state }), { event: event("joined", START) }).row.state).toBe("joined");
    }
  });

  test("a leave long after our documents started ends the call", () => {
    const { row, then } = afterEvents(
      accepted({ stay_at: START + 3_000 }),
      { event: event("joined", START + 100) },
      { event: event("left", START + 60_000) },
    );
    expect(row.state).toBe("left");
    expect(then).toEqual(["nothing", "end_call"]);
  });

  test("a leave within 3 s of our hold is the document's doing: the next document joins", () => {
    const { row, then } = afterEvents(
      accepted(),
      { event: event("joined", START + 100) },
      { event: event("left", START + 400) },
    );
    expect(row).toMatchObject({ state: "returning", joined_by: "document" });
    expect(then).toEqual(["nothing", "rejoin"]);
  });

  test("only a leave that comes with a document's start speaks against RELAY", () => {
    const row = accepted({ state: "joined", conference_id: "conf-1", joined_ts: START / 1000 });
    expect(applyEvent(row, event("left", START + 500), START + 500)).toMatchObject({ blames: true });
    expect(applyEvent(row, event("left", START + 1_500), START + 1_500)).toMatchObject({ blames: false });
  });

  test("a leave that comes after the next join is known to be older, and takes nobody out", () => {
    const { row, then } = afterEvents(
      accepted(),
      { event: event("joined", START + 100) },
      { event: event("joined", START + 60_000) },
      { event: event("left", START + 50_000), now: START + 61_000 },
    );
    expect(row).toMatchObject({ state: "joined", joined_ts: (START + 60_000) / 1000 });
    expect(then).toEqual(["nothing", "nothing"]);
  });

  test("an early leave that turns out to be the conference's end ends the call, and puts nobody back", () => {
    const { row, then } = afterEvents(
      accepted(),
      { event: event("joined", START + 100) },
      { event: event("left", START + 400) },
      { event: event("conference_ended", START + 401, { ended_by: "another call" }) },
    );
    expect(row.state).toBe("left");
    expect(then).toEqual(["nothing", "rejoin", "end_call"]);
  });

  test("and so it does where the leave and the end are told of as one moment", () => {
    const { row, then } = afterEvents(
      accepted({ stay_at: START + 3_000 }),
      { event: event("joined", START + 100) },
      { event: event("left", START + 4_000) },
      { event: event("conference_ended", START + 4_000, { ended_by: "another call" }) },
    );
    expect(row.state).toBe("left");
    expect(then).toEqual(["nothing", "rejoin", "end_call"]);
  });

  test("a leave within 3 s of the last document brings the call back by a transfer, since no fetch will come", () => {
    const row = accepted({
      state: "joined",
      conference_id: "conf-1",
      joined_ts: START / 1000,
      stay_at: START + 3_000,
    });
    expect(afterEvents(row, { event: event("left", START + 3_500) }).then).toEqual(["rejoin"]);
  });

  test("a call that REST had found, and that an early leave takes out, is known to be on its way back", () => {
    const found = accepted({ state: "joined", stay_at: START + 3_000 });
    const { row, then } = afterEvents(found, { event: event("left", START + 3_500) });
    expect(then).toEqual(["rejoin"]);
    // Until it is told to join again; a list that lags may show it meanwhile.
    expect(row).toMatchObject({ state: "returning", conference_id: "conf-1" });
  });

  describe("told by a callback, which tells whole seconds", () => {
    const second = Math.floor(START / 1000);
    const whole = (happened: MembershipEvent["happened"]) => event(happened, START, { ts: second });

    test("a leave is not older than the join of the same second that RELAY told of", () => {
      const was = accepted({ hold_at: START - 60_000, stay_at: START - 60_000 });
      const { row, then } = afterEvents(
        was,
        { event: event("joined", START + 678) },
        { event: whole("left") },
      );
      expect(row.state).toBe("left");
      expect(then).toEqual(["nothing", "end_call"]);
    });

    test("a join without its conference's id has it when RELAY tells of the same join, so that its end is known", () => {
      const { row, then } = afterEvents(
        accepted({ hold_at: START - 60_000, stay_at: START - 60_000 }),
        { event: { ...whole("joined"), conference_id: null } },
        { event: event("joined", START + 410) },
        { event: event("conference_ended", START + 20_000) },
      );
      expect(row).toMatchObject({ state: "left", conference_id: "conf-1" });
      expect(then.at(-1)).toBe("end_call");
    });

    test("a join that RELAY tells of, too, is not the one that takes the call out of it later in that second", () => {
      const was = accepted({
        state: "by_document",
        joined_by: "document",
        hold_at: START - 4_000,
        stay_at: START,
      });
      const { row } = afterEvents(
        was,
        { event: whole("joined"), now: START + 250 },
        { event: event("joined", START + 228), now: START + 380 },
        { event: event("left", START + 893) },
        { event: event("joined", START + 893) },
      );
      expect(row.state).toBe("joined");
    });

    test("a join and an early leave are not a new join when RELAY tells of them late", () => {
      const now = START + 700;
      const { row, then } = afterEvents(
        accepted({ hold_at: START + 679, stay_at: START + 679 }),
        { event: { ...whole("joined"), conference_id: null }, now },
        { event: { ...whole("left"), conference_id: null }, now },
        { event: event("joined", START + 678), now: START + 800 },
        { event: event("left", START + 681), now: START + 800 },
      );
      expect(row.state).toBe("returning");
      expect(then).toEqual(["nothing", "rejoin"]);
    });
  });

  test("an early leave that comes late is known by its own timestamp and does not end the call", () => {
    const row = accepted({ state: "joined", conference_id: "conf-1", joined_ts: START / 1000 });
    const { row: then } = afterEvents(row, { event: event("left", START + 200), now: START + 20_000 });
    expect(then.state).toBe("returning");
  });

  test("a leave older than the join, of another room or of another conference changes nothing", () => {
    const row = accepted({
      state: "joined",
      conference_id: "conf-1",
      joined_ts: (START + 50_000) / 1000,
      hold_at: null,
    });
    for (const stale of [
      event("left", START + 40_000),
      event("left", START + 60_000, { name: "acme:other" }),
      event("left", START + 60_000, { conference_id: "conf-2" }),
    ]) {
      expect(applyEvent(row, stale, START + 60_000)).toBeNull();
    }
  });

  test("a leave is never undone by an older join, nor by the same one again", () => {
    const { row } = afterEvents(
      accepted({ hold_at: null }),
      { event: event("joined", START) },
      { event: event("left", START + 10_000) },
      { event: event("joined", START), now: START + 20_000 },
      { event: event("joined", START + 10_000), now: START + 20_000 },
    );
    expect(row.state).toBe("left");
  });

  test("the leave of the join before does not end a call whose document joined anew", () => {
    const { row, then } = afterEvents(
      accepted(),
      { event: event("joined", START + 100) },
      { event: event("left", START + 300) },
      { event: event("joined", START + 3_500) },
      { event: event("left", START + 300), now: START + 9_000 },
    );
    expect(row).toMatchObject({ state: "joined", joined_by: "document" });
    expect(then).not.toContain("end_call");
  });

  test("a document's join and the leave of RELAY's, told of as one moment in any order, leave the call in its room", () => {
    const BACK = START + 3_100;
    const told = fc.record({
      seen: fc.boolean(),
      lag: fc.integer({ min: 1, max: 60 }),
      // The two feeds tell of each, and may disagree by so much of when it was.
      left: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
      joined: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
      late: fc.nat(5_000),
      order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
    });
    fc.assert(
      fc.property(told, ({ seen, lag, left, joined, late, order }) => {
        // It came back from its hold, and REST did not know it by its name.
        let row = accepted({
          state: "by_document",
          joined_by: "document",
          joined_ts: seen ? START / 1000 : null,
          stay_at: BACK,
        });
        const events = [
          ...left.map((skew) => event("left", BACK + lag + skew)),
          ...joined.map((skew) => event("joined", BACK + lag + skew)),
        ];
        for (const one of order) {
          const next = events[one];
          const change = next && applyEvent(row, next, BACK + late);
          if (change) row = { ...row, ...change.set };
          expect(row.state, "its seat is not free for a moment").not.toBe("left");
        }
        expect(row.state).toBe("joined");
        const hung_up = event("left", BACK + 1_000);
        expect(applyEvent(row, hung_up, BACK + 6_000)).toMatchObject({ set: { state: "left" } });
      }),
    );
  });

  test("RELAY's join that comes late and takes the call out of its document's, told of as one moment, leaves it in its room", () => {
    const byDocument = accepted({
      state: "by_document",
      joined_by: "document",
      hold_at: null,
      stay_at: START,
      lives_on: 1,
    });
    const join = { event: event("joined", START + 10) };
    const leave = { event: event("left", START + 2_500) };
    for (const conference_id of ["conf-1", "conf-2"]) {
      const late = { event: event("joined", START + 2_500, { conference_id }) };
      for (const told of [
        [join, leave, late],
        [join, late, leave],
      ])
        expect(afterEvents(byDocument, ...told).row).toMatchObject({ state: "joined", conference_id });
    }
  });

  test("RELAY's join that comes late and ends the conference of the document's, for it was alone there, leaves the call in the new one", () => {
    const alone = accepted({ state: "by_document", joined_by: "document", hold_at: null, stay_at: START });
    const elsewhere = { conference_id: "conf-2" };
    const told = [
      event("joined", START + 1),
      event("left", START + 166),
      event("joined", START + 167, elsewhere),
      event("conference_ended", START + 166),
    ];
    const orders = [told, [told[0], told[2], told[1], told[3]], [told[0], told[1], told[3], told[2]]];
    for (const order of orders) {
      const { row } = afterEvents(alone, ...order.flatMap((one) => (one ? [{ event: one }] : [])));
      expect(row).toMatchObject({ state: "joined", conference_id: "conf-2", joined_by: "relay" });
    }
  });

  test("so it does where only whole seconds are told", () => {
    const alone = accepted({ state: "by_document", joined_by: "document", hold_at: null, stay_at: START });
    const { row } = afterEvents(
      alone,
      { event: event("joined", START) },
      { event: event("left", START) },
      { event: event("joined", START, { conference_id: "conf-2" }) },
      { event: event("conference_ended", START) },
    );
    expect(row).toMatchObject({ state: "joined", conference_id: "conf-2" });
  });

  test("a late word of a join before, in another conference, does not take the call out of its newest", () => {
    const { row } = afterEvents(
      accepted({ state: "joined", joined_ts: (START + 400) / 1000, conference_id: "conf-2" }),
      { event: event("joined", START + 100) },
    );
    expect(row).toMatchObject({ state: "joined", conference_id: "conf-2" });
  });

  test("RELAY's own join told of late does not let the leave that came with the document's take the call out", () => {
    const row = accepted({ state: "by_document", joined_by: "document", stay_at: START + 3_100 });
    const moment = START + 3_150;
    const { row: after } = afterEvents(
      row,
      { event: event("joined", START), now: moment },
      { event: event("left", moment) },
      { event: event("joined", moment) },
      { event: event("joined", START), now: moment + 1_000 },
    );
    expect(after).toMatchObject({ state: "joined", joined_ts: moment / 1000 });
  });

  test("RELAY's join told of after its document had started, and then left, does not end the document's, of which nothing is told", () => {
    const row = accepted({
      state: "by_document",
      joined_by: "document",
      stay_at: START + 3_000,
      answer: { outcome: "document" },
    });
    const { row: after, then } = afterEvents(
      row,
      { event: event("joined", START), now: START + 4_700 },
      { event: event("left", START + 3_020), now: START + 6_100 },
    );
    expect(after).toMatchObject({ state: "by_document", joined_by: "document", conference_id: null });
    expect(then).toEqual(["nothing", "nothing"]);
    const late = [
      { event: event("joined", START), now: START + 6_200 },
      { event: event("joined", START + 3_020), now: START + 6_300 },
      { event: event("left", START + 9_000) },
    ];
    expect(afterEvents(after, ...late.slice(0, 1)).row.state).toBe("by_document");
    expect(afterEvents(after, ...late.slice(0, 2)).row).toMatchObject({
      state: "joined",
      conference_id: "conf-1",
    });
    expect(afterEvents(after, ...late).row.state).toBe("left");
    expect(afterEvents(after, ...late.slice(2)).row.state).toBe("left");
  });

  test("a call that a document took out of RELAY's join and into its room again, unknown to the session, is in its room", () => {
    for (const [conference_id, late] of [
      ["conf-1", 300],
      ["conf-2", 0],
    ] as const) {
      const { row } = afterEvents(
        accepted({ state: "unknown", hold_at: START - 9_000 }),
        { event: event("left", START + 7) },
        { event: event("joined", START + 7 + late, { conference_id }) },
      );
      expect(row).toMatchObject({ state: "joined", conference_id });
      expect(applyEvent(row, event("left", START + 7), START + 500)).toBeNull();
    }
  });

  test("a leave that comes with the start of a document that only stays is of the join that is known", () => {
    const row = accepted({
      state: "joined",
      joined_by: "document",
      conference_id: "conf-1",
      joined_ts: START / 1000,
      stay_at: START + 3_000,
      answer: { outcome: "joined" },
    });
    expect(afterEvents(row, { event: event("left", START + 3_020) }).row.state).toBe("left");
  });

  test("a document that nothing came before has nobody else's leave: one as new as its join is its own", () => {
    const row = accepted({ state: "by_document", joined_by: "document", hold_at: null });
    const { row: after } = afterEvents(
      row,
      { event: event("joined", START) },
      { event: event("left", START) },
      { event: event("joined", START) },
    );
    expect(after.state).toBe("left");
  });

  test("a leave long after the document started is its own, though nobody told of its join", () => {
    const row = accepted({ state: "by_document", joined_by: "document", stay_at: START + 3_100 });
    expect(applyEvent(row, event("left", START + 20_000), START + 20_000)).toMatchObject({
      set: { state: "left" },
    });
  });

  test("a document's own end is the document's affair: no command ends the call", () => {
    const row = accepted({ state: "by_document", joined_by: "document" });
    const { then } = afterEvents(
      row,
      { event: event("joined", START + 4_000) },
      { event: event("left", START + 90_000) },
    );
    expect(then).toEqual(["nothing", "nothing"]);
  });

  test("the conference's end ends the call of whoever was in it, and only of that conference", () => {
    const row = accepted({ state: "joined", conference_id: "conf-1", joined_ts: START / 1000 });
    const ended = event("conference_ended", START + 60_000, { ended_by: "another call" });
    expect(applyEvent(row, ended, START + 60_000)).toMatchObject({
      set: { state: "left" },
      follow: "end_call",
    });
    expect(applyEvent(row, { ...ended, conference_id: "conf-0" }, START + 60_000)).toBeNull();
  });

  test("a conference that ended because our own document took its last call out does not end that call", () => {
    const row = accepted({ state: "joined", conference_id: "conf-1", joined_ts: START / 1000 });
    const ended = event("conference_ended", START + 200, { ended_by: "this call" });
    expect(applyEvent(row, ended, START + 200)).toMatchObject({ set: { state: "returning" } });
  });

  test("whatever comes in whatever order, only allowed moves are made and repeats change nothing", () => {
    const events = fc.array(
      fc.record({
        happened: fc.constantFrom("joined" as const, "left" as const, "conference_ended" as const),
        ended_by: fc.constantFrom("this call" as const, "another call" as const, null),
        name: fc.constantFrom(ROOM, "acme:other"),
        conference_id: fc.constantFrom("conf-1", "conf-2"),
        ts: fc.oneof(fc.constant(null), fc.integer({ min: 990, max: 1_100 })),
      }),
      { maxLength: 12 },
    );
    const start = fc.constantFrom(
      "sending",
      "accepted",
      "unknown",
      "by_document",
      "offered",
      "returning",
      "rejected",
    ) as fc.Arbitrary<Membership["state"]>;
    fc.assert(
      fc.property(start, events, (state, list) => {
        let row = accepted({ state, joined_by: isByDocument(state) ? "document" : "relay" });
        for (const next of list) {
          const change = applyEvent(row, next, START + 50_000);
          if (!change) continue;
          if (change.set.state !== undefined) expect(mayMove(row.state, change.set.state)).toBe(true);
          row = { ...row, ...change.set };
          if (next.ts !== null) expect(applyEvent(row, next, START + 50_000)).toBeNull();
        }
      }),
    );
  });
});
