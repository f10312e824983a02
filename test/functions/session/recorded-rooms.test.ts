import { expect, test } from "vitest";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "./ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;

function joinOf(call_id: string, conference_id: string): RelayEvent {
  const params = { status: "participant-join", conference_id, name: ROOM, call_id };
  return { kind: "conference", event_type: "calling.conference", timestamp: START / 1_000, params };
}

async function scene(name: string, use: (ledger: Ledger, clock: { now: number }) => void): Promise<void> {
  await onStorage(`recorded-${name}`, async ({ sql }) => {
    const clock = { now: START };
    const ledger = new Ledger(
      sql,
      () => clock.now,
      async () => new Set(),
    );
    ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
    ledger.events.apply(joinOf("a", "conf-1"));
    use(ledger, clock);
  });
}

test("a room is recorded while a participant of that conference is in it, whatever tells of it without the conference's id", async () => {
  await scene("id", ({ recorded }) => {
    recorded.began(ROOM, "conf-1");
    recorded.began(ROOM, null);
    expect([recorded.has(ROOM), recorded.conferenceIn(ROOM)]).toEqual([true, "conf-1"]);
    recorded.ended(ROOM, "conf-0");
    expect(recorded.has(ROOM)).toBe(true);
    recorded.ended(ROOM, "conf-1");
    expect(recorded.has(ROOM)).toBe(false);
  });
});

test("a room is not recorded where another conference of its name was", async () => {
  await scene("other", ({ recorded }) => {
    recorded.began(ROOM, "conf-0");
    expect(recorded.has(ROOM)).toBe(false);
    recorded.began(ROOM, null);
    expect([recorded.has(ROOM), recorded.conferenceIn(ROOM)]).toEqual([true, null]);
  });
});

test("a recording of whose end nothing was told is forgotten after a day", async () => {
  await scene("day", ({ recorded }, clock) => {
    recorded.began(ROOM, "conf-1");
    clock.now += 24 * 3_600_000 + 1;
    expect(recorded.has(ROOM)).toBe(false);
    recorded.forget();
    expect(recorded.all()).toEqual([]);
  });
});

test("a recording of whose end nothing was told is forgotten an hour after the last participant left", async () => {
  await scene("hour", ({ recorded, events }, clock) => {
    recorded.began(ROOM, "conf-1");
    clock.now += 2 * 3_600_000;
    recorded.forget();
    expect(recorded.all()).toEqual([ROOM]);
    const { params } = joinOf("a", "conf-1");
    events.apply({
      kind: "conference",
      event_type: "calling.conference",
      timestamp: clock.now / 1_000,
      params: { ...params, status: "participant-leave" } as never,
    });
    recorded.forget();
    expect(recorded.all()).toEqual([]);
  });
});
