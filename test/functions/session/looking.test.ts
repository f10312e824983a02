import { expect, test } from "vitest";
import { Facts } from "../../../functions/session/facts.ts";
import { Health } from "../../../functions/session/health.ts";
import { look } from "../../../functions/session/looking.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "./ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;

function event(status: "join" | "leave", at: number): RelayEvent {
  const params = {
    status: `participant-${status}`,
    conference_id: "conf-1",
    name: ROOM,
    call_id: "a",
    size: 1,
  };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1000, params };
}

test("a call that REST knows by another name keeps its seat while its document joins the room that it is in", async () => {
  await onStorage("looking", async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(["another-name"]),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000 }));
    expect(row?.state).toBe("accepted");
    ledger.events.apply(event("join", START + 100));
    // The socket is gone since, and the call comes back from its hold.
    now = START + 3_100;
    const { placements, rooms, counters } = ledger;
    const health = new Health(new Facts(sql, undefined));
    const request = {
      v: 1,
      call_id: "a",
      entry: "",
      step: 0,
      asking_step: 1,
      rest: { said: "absent" },
    } as const;
    const reply = look({ placements, rooms, counters, health, feed_since: null, now }, request);
    expect(reply).toMatchObject({ outcome: "document", room: ROOM });
    // The document's join takes it out of RELAY's in the same millisecond.
    for (const status of ["leave", "join", "leave"] as const) {
      ledger.events.apply(event(status, now + 20));
      expect(rooms.taken(ROOM), `seats taken after the ${status}`).toBe(1);
    }
    expect(row).toMatchObject({ state: "joined", joined_by: "document" });
    now += 10_000;
    ledger.events.apply(event("leave", now));
    expect(rooms.taken(ROOM)).toBe(0);
  });
});

test("a chair whose join nothing shows is held once: a repeat gets the same, and an older version finds no answer that it does not know", async () => {
  await onStorage("held", async ({ sql }) => {
    const ledger = new Ledger(
      sql,
      () => START,
      async () => new Set(),
    );
    const row = ledger.plan(requestOf("a", { deadline_at: START + 2_000, join: { end_on_exit: true } }));
    const { placements, rooms, counters } = ledger;
    const health = new Health(new Facts(sql, undefined));
    const out = { placements, rooms, counters, health, feed_since: null, now: START + 3_100 };
    const request = { v: 1, call_id: "a", entry: "", step: 0, may_hold: true } as const;
    const rest = { said: "failed" } as const;
    const held = look(out, { ...request, asking_step: 1, rest });
    expect(held).toMatchObject({ outcome: "hold", room: ROOM });
    expect(look(out, { ...request, asking_step: 1 })).toEqual(held);
    expect(row?.answer).toBeNull();
    expect(look(out, { ...request, asking_step: 2, rest })).toMatchObject({ outcome: "document" });
  });
});
