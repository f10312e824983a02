import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DialEvent,
  type DialState,
  dialChange,
  dialEventOf,
  isOpen,
  isUnderWay,
  nextDialAt,
} from "../../shared/dialing.ts";

const event: fc.Arbitrary<DialEvent> = fc.oneof(
  fc.record({ on: fc.constant("turn" as const), has_seat: fc.boolean() }),
  fc.constantFrom<DialEvent>(
    { on: "taken" },
    { on: "unsent" },
    { on: "refused", why: "409" },
    { on: "ringing" },
    { on: "answered" },
    { on: "failed", why: "SignalWire could not connect it" },
    { on: "overdue", has_leg: true },
    { on: "overdue", has_leg: false },
    { on: "canceled" },
  ),
  fc.record({
    on: fc.constant("ended" as const),
    end_reason: fc.constantFrom("hangup", "busy", "noAnswer", "cancel", "error", "new-word"),
  }),
);

/** Everything that a run of events made of a call, from its request on. */
function run(events: readonly DialEvent[]): { state: DialState; sends: number; joins: number; ends: number } {
  const told = { state: "queued" as DialState, sends: 0, joins: 0, ends: 0 };
  for (const happened of events) {
    const change = dialChange(told.state, happened);
    if (!change) continue;
    told.state = change.state;
    if (change.act === "send") told.sends += 1;
    if (change.act === "join") told.joins += 1;
    if (change.act === "end") told.ends += 1;
  }
  return told;
}

describe("a call that we make", () => {
  it("is put into its room at most once, whatever comes in whatever order and however often", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        expect(run(events).joins).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is sent again only where the command never was on the wire", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const unsent = events.filter(({ on }) => on === "unsent").length;
        expect(run(events).sends).toBeLessThanOrEqual(1 + unsent);
      }),
    );
  });

  it("never stays on the line with somebody whom nobody wants any more", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), (events) => {
        const { state } = run(events);
        fc.pre(!isOpen(state) && state !== "answered" && state !== "ended");
        expect(dialChange(state, { on: "answered" })).toMatchObject({ state, act: "end" });
      }),
    );
  });

  it.each([
    ["busy", "busy"],
    ["noAnswer", "no_answer"],
    ["error", "failed"],
  ])("that ends with %s before it is answered is %s", (end_reason, state) => {
    const events: DialEvent[] = [{ on: "turn", has_seat: true }, { on: "taken" }, { on: "ringing" }];
    expect(run([...events, { on: "ended", end_reason }]).state).toBe(state);
  });

  it("says why it failed though the leg's own word comes after the outcome's", () => {
    const failed: DialEvent[] = [
      { on: "turn", has_seat: true },
      { on: "failed", why: "no" },
    ];
    expect(run([...failed, { on: "ended", end_reason: "busy" }]).state).toBe("busy");
  });

  it.each(["in-progress", "answered"])("is answered where REST calls it %s", (status) => {
    expect(dialEventOf(status)).toEqual({ on: "answered" });
  });

  it.each(["completed", "ended", "failed", "canceled", "busy", "no-answer"])(
    "has ended where REST calls it %s",
    (status) => {
      expect(dialEventOf(status)).toMatchObject({ on: "ended" });
    },
  );

  it.each(["created", "ringing", "ending", "a new word", ""])(
    "is as it was where REST calls it %s",
    (status) => {
      expect(dialEventOf(status)).toBeNull();
    },
  );

  it("is joined, and not ended, where nothing was heard of how its ringing ended", () => {
    const rang: DialEvent[] = [{ on: "turn", has_seat: true }, { on: "taken" }, { on: "ringing" }];
    expect(run([...rang, { on: "overdue", has_leg: true }])).toMatchObject({
      state: "answered",
      joins: 1,
      ends: 0,
    });
    expect(run([...rang, { on: "overdue", has_leg: false }])).toMatchObject({
      state: "failed",
      joins: 0,
      ends: 0,
    });
  });

  it("is not made where no seat is left", () => {
    expect(run([{ on: "turn", has_seat: false }])).toEqual({ state: "full", sends: 0, joins: 0, ends: 0 });
  });

  it("that is canceled is hung up, once it rings; before its turn nobody was called", () => {
    expect(run([{ on: "canceled" }])).toMatchObject({ state: "canceled", ends: 0 });
    expect(run([{ on: "turn", has_seat: true }, { on: "canceled" }])).toMatchObject({
      state: "canceled",
      ends: 1,
    });
  });

  it("found at sending after a restart may ring, and is not sent again", () => {
    expect(isUnderWay("sending")).toBe(true);
    expect(dialChange("sending", { on: "turn", has_seat: true })).toBeNull();
  });
});

describe("the pace", () => {
  it("lets no second have more calls than SignalWire takes", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 100, noNaN: true }), fc.nat(5), (per_s, calls) => {
        let at = 1_000;
        for (let call = 0; call < calls; call += 1) {
          const next = nextDialAt(at, per_s);
          expect(next - at).toBeGreaterThanOrEqual(1_000 / per_s);
          at = next;
        }
      }),
    );
    expect(nextDialAt(null, 1)).toBe(0);
  });
});
