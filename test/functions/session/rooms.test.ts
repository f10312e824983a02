import { describe, expect, test } from "vitest";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Placing } from "../../../shared/seal.ts";
import { Ledger, onStorage, requestOf } from "./ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;

/** A ledger, a clock to set, what REST would list, and how often it was asked. */
interface Scene {
  ledger: Ledger;
  /** Lets time pass, and the session do what is due. */
  pass(ms: number): Promise<void>;
  now(): number;
  listed: Set<string>;
  asked: string[];
  /** Runs while REST is answering: what the test sets here happens before the answer is there. */
  meanwhile: { act: () => void };
}

async function scene(name: string, use: (scene: Scene) => Promise<void>): Promise<void> {
  await onStorage(`rooms-${name}`, async ({ sql }) => {
    let now = START;
    const listed = new Set<string>();
    const asked: string[] = [];
    const meanwhile = { act: () => {} };
    const list = async (room: string) => {
      asked.push(room);
      const answer = new Set(listed);
      meanwhile.act();
      return answer;
    };
    const ledger = new Ledger(sql, () => now, list);
    const pass = async (ms: number) => {
      for (const end = now + ms; now < end; now += 500) await ledger.keeper.run();
    };
    await use({ ledger, pass, now: () => now, listed, asked, meanwhile });
  });
}

function event(call_id: string, status: "join" | "leave", at: number, size: number): RelayEvent {
  const params = { status: `participant-${status}`, conference_id: "conf-1", name: ROOM, call_id, size };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1000, params };
}

/** Calls placed and joined, each of whose events came. */
function join({ ledger, now, listed }: Scene, ...call_ids: string[]): void {
  for (const call_id of call_ids) {
    ledger.plan(requestOf(call_id, { deadline_at: now() + 2_000 }));
    listed.add(call_id);
    ledger.events.apply(event(call_id, "join", now(), listed.size));
  }
}

function stateOf({ ledger }: Scene, call_id: string): string | undefined {
  return ledger.placements.ofCall(call_id)[0]?.state;
}

describe("a room whose size is not what the ledger counts", () => {
  test("is looked at by REST when events have settled: who is gone frees the seat, in the call's story", async () => {
    await scene("gone", async (it) => {
      join(it, "a", "b");
      await it.pass(20_000);
      // The leave of `a` is lost; that of `b` comes, and says that nobody is left.
      it.listed.clear();
      it.ledger.events.apply(event("b", "leave", it.now(), 0));
      await it.pass(2_500);
      expect(it.asked).toEqual([]);
      await it.pass(1_500);
      expect(it.asked).toEqual([ROOM]);
      expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["left", "left"]);
      expect(it.ledger.rooms.taken(ROOM)).toBe(0);
      expect(it.ledger.counters.all()).toMatchObject({ repaired_leaves: 1, repaired_rooms: 1 });
      expect(it.ledger.journal.ofCall({ tenant: "acme", call_id: "a" })).toMatchObject([
        { kind: "deed", data: { deed: "repair", by: "rest" } },
      ]);
    });
  });

  test("is right again by events that were only late: nobody asks", async () => {
    await scene("late", async (it) => {
      it.ledger.plan(requestOf("a", { deadline_at: it.now() + 2_000 }));
      it.ledger.plan(requestOf("b", { deadline_at: it.now() + 2_000 }));
      it.ledger.events.apply(event("b", "join", it.now() + 200, 2));
      await it.pass(1_000);
      it.ledger.events.apply(event("a", "join", it.now() - 900, 1));
      await it.pass(60_000);
      expect(it.asked).toEqual([]);
    });
  });

  test("confirms a call whose join nobody told of", async () => {
    await scene("found", async (it) => {
      it.ledger.plan(requestOf("a", { deadline_at: it.now() + 2_000 }));
      it.listed.add("a");
      join(it, "b");
      await it.pass(4_000);
      expect(stateOf(it, "a")).toBe("joined");
      expect(it.ledger.counters.all()).toMatchObject({ repaired_joins: 1 });
    });
  });

  test("counts one seat of a caller whom REST finds there, though one was kept for when they come back", async () => {
    await scene("back", async (it) => {
      join(it, "other");
      const placing = { rooms: ["support"] } as unknown as Placing; // Kept as it is, whatever it says.
      const rejoin = { s: 600, to: "+15550100100", placing };
      const from = "+15550100002";
      const request = requestOf("a", { deadline_at: it.now() + 2_000, join_via: "document", from, rejoin });
      it.ledger.plan(request);
      it.ledger.kept.promise(request);
      it.listed.add("a");
      it.ledger.events.apply(event("a", "join", it.now(), 2));
      await it.pass(20_000);
      it.ledger.events.apply(event("a", "leave", it.now(), 2));
      expect(it.ledger.rooms.taken(ROOM)).toBe(2);
      await it.pass(60_000);
      // Somebody wants a seat.
      it.ledger.keeper.doubt([ROOM]);
      await it.pass(1_000);
      expect(stateOf(it, "a")).toBe("joined");
      expect(it.ledger.rooms.taken(ROOM)).toBe(2);
    });
  });

  test("holds a stranger: they take a seat until they have gone", async () => {
    await scene("stranger", async (it) => {
      it.listed.add("stranger");
      join(it, "a");
      await it.pass(4_000);
      expect(it.ledger.rooms.taken(ROOM)).toBe(2);
      expect(it.ledger.plan(requestOf("b", { deadline_at: it.now() + 2_000 }))).toBeNull();
      it.listed.delete("stranger");
      await it.pass(61_000);
      expect(it.ledger.rooms.taken(ROOM)).toBe(1);
    });
  });

  test("where REST names calls by other ids than RELAY takes nobody for gone, and nobody for a stranger", async () => {
    await scene("ids", async (it) => {
      join(it, "a", "b");
      await it.pass(20_000);
      it.ledger.plan(requestOf("c", { deadline_at: it.now() + 2_000, capacity: 3 }));
      it.listed.clear();
      for (const sid of ["CA1", "CA2", "CA3"]) it.listed.add(sid);
      it.ledger.checks.demand(ROOM);
      await it.pass(1_000);
      expect(it.asked).toEqual([ROOM]);
      expect(it.ledger.rooms.taken(ROOM)).toBe(3);
      expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["joined", "joined"]);
    });
  });

  test("and a call is seen by nobody, counts its seat all the same: as its own, and then as a stranger's", async () => {
    await scene("unseen", async (it) => {
      it.ledger.plan(requestOf("a", { deadline_at: it.now() + 2_000 }));
      it.listed.add("CA1");
      await it.pass(12_000);
      it.ledger.checks.demand(ROOM);
      for (let second = 0; second < 45; second += 1) {
        await it.pass(1_000);
        expect(it.ledger.rooms.taken(ROOM)).toBeGreaterThan(0);
      }
      expect(it.ledger.rooms.taken(ROOM)).toBe(1);
      expect(it.asked.length).toBeLessThanOrEqual(3);
    });
  });

  test("REST's answer does not undo what an event said while it was on its way", async () => {
    await scene("meanwhile", async (it) => {
      it.ledger.plan(requestOf("a", { deadline_at: it.now() - 60_000 }));
      it.ledger.plan(requestOf("b", { deadline_at: it.now() - 60_000, capacity: 5 }));
      it.listed.add("a");
      it.meanwhile.act = () => {
        it.ledger.events.apply(event("a", "leave", it.now(), 0));
        it.ledger.events.apply(event("b", "join", it.now() - 60_000, 1));
      };
      it.ledger.checks.demand(ROOM);
      await it.pass(500);
      expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["left", "joined"]);
    });
  });
});

test("a form's ids are not taken for RELAY's: whom RELAY saw join, a signed form sees leave", async () => {
  await scene("forms", async (it) => {
    join(it, "a");
    const leave = event("a", "leave", it.now() + 1_000, 0);
    if (leave.kind === "conference") leave.params.conference_id = "CF-another";
    it.ledger.events.apply(leave);
    expect(stateOf(it, "a")).toBe("joined");
    it.ledger.events.apply(leave, false);
    expect(stateOf(it, "a")).not.toBe("joined");
  });
});

describe("asking REST", () => {
  test("is bounded: a flood of odd sizes asks about a room with calls in it twice a minute, of others never", async () => {
    await scene("flood", async (it) => {
      join(it, "a");
      for (let second = 0; second < 60; second += 1) {
        for (let n = 0; n < 50; n += 1) {
          const odd = event(`nobody-${n}`, "join", it.now(), n + 7);
          it.ledger.events.applyUntrusted(odd, true);
          if (odd.kind === "conference") odd.params.name = `acme:room-${n}`;
          it.ledger.events.applyUntrusted(odd, true);
        }
        await it.pass(1_000);
      }
      expect(new Set(it.asked)).toEqual(new Set([ROOM]));
      expect(it.asked.length).toBeLessThanOrEqual(3);
    });
  });

  test("happens by the clock, too: a room whose last leave was lost is empty within six minutes", async () => {
    await scene("routine", async (it) => {
      join(it, "a");
      it.listed.clear();
      for (let alarm = 0; alarm < 12; alarm += 1) {
        await it.pass(30_000);
        it.ledger.keeper.routine();
      }
      expect(stateOf(it, "a")).toBe("left");
    });
  });

  test("goes on after a restart, with the strangers that were known", async () => {
    await onStorage("rooms-restart", async ({ sql }) => {
      let now = START;
      let listed = new Set(["a", "stranger"]);
      const start = () =>
        new Ledger(
          sql,
          () => now,
          async () => listed,
        );
      const before = start();
      before.plan(requestOf("a", { deadline_at: now + 2_000 }));
      before.events.apply(event("a", "join", now, 2));
      now += 4_000;
      await before.keeper.run();
      before.checks.demand(ROOM);
      const after = start();
      expect(after.rooms.taken(ROOM)).toBe(2);
      listed = new Set(["a"]);
      now += 30_000;
      await after.keeper.run();
      expect(after.rooms.taken(ROOM)).toBe(1);
    });
  });
});

test("a call that comes when its seat has gone and the room is full counts, and is flagged", async () => {
  await scene("over", async (it) => {
    it.ledger.plan(requestOf("late", { deadline_at: it.now() + 2_000 }));
    await it.pass(40_000);
    join(it, "a", "b");
    it.listed.add("late");
    it.ledger.events.apply(event("late", "join", it.now(), 3));
    const row = it.ledger.placements.ofCall("late")[0];
    expect(row).toMatchObject({ state: "joined", over_capacity: 1 });
    expect(row?.reason).toBe("participant-join: late, and the room was full");
    expect(it.ledger.rooms.taken(ROOM)).toBe(3);
    expect(it.ledger.placements.ofCall("a")[0]).toMatchObject({ over_capacity: 0 });
    expect(it.ledger.counters.all()).toMatchObject({ late_joins_over_capacity: 1 });
  });
});
