import { describe, expect, test } from "vitest";
import type { Placing } from "../../../../shared/placing.ts";
import type { RelayEvent } from "../../../../shared/relay/events.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const ROOM = "acme:support";
const START = 1_800_000_000_000;

/** A ledger, a clock to set, what REST would list, and how often it was asked. */
interface Scene {
  ledger: Ledger;
  /** Lets time pass, and the session do what is due. */
  pass(ms: number): Promise<void>;
  now(): number;
  listed: Set<string>;
  /** What REST says of calls themselves, `fails`: that it cannot say; it knows no others. */
  statuses: Map<string, string>;
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
    const statuses = new Map<string, string>();
    const ledger = new Ledger(
      sql,
      () => now,
      list,
      (call_id) => {
        const status = statuses.get(call_id) ?? null;
        if (status === "fails") throw new Error("REST: 503");
        return status;
      },
    );
    const pass = async (ms: number) => {
      for (const end = now + ms; now < end; now += 500) await ledger.reconciler.run();
    };
    await use({ ledger, pass, now: () => now, listed, statuses, asked, meanwhile });
  });
}

function event(call_id: string, status: "join" | "leave", at: number, size: number): RelayEvent {
  const params = { status: `participant-${status}`, conference_id: "conf-1", name: ROOM, call_id, size };
  return { kind: "conference", event_type: "calling.conference", timestamp: at / 1000, params };
}

/** Calls placed and joined, each of whose events came. */
function join({ ledger, now, listed }: Scene, ...call_ids: string[]): void {
  for (const call_id of call_ids) {
    const capacity = Math.max(2, call_ids.length);
    ledger.plan(requestOf(call_id, { deadline_at: now() + 2_000, capacity }));
    listed.add(call_id);
    ledger.events.apply(event(call_id, "join", now(), listed.size));
  }
}

function stateOf({ ledger }: Scene, call_id: string): string | undefined {
  return ledger.placements.ofCall(call_id)[0]?.state;
}

describe("a conference whose size stays below our count", () => {
  test("has as many seats released as are too many after 30 s, and nobody is ended or shown as gone for sure", async () => {
    await scene("below", async (it) => {
      join(it, "a", "b", "c");
      await it.pass(20_000);
      // The leave of `a` is lost; that of `b` comes, and says that one is left. REST lists nothing.
      it.listed.clear();
      it.ledger.events.apply(event("b", "leave", it.now(), 1));
      await it.pass(25_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
      await it.pass(10_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
      expect([stateOf(it, "a"), stateOf(it, "b"), stateOf(it, "c")]).toEqual(["joined", "left", "joined"]);
      expect(it.ledger.counters.all()).toMatchObject({ presumed_gone: 1 });
      expect(it.ledger.pendingCommands.takeDue(10).filter(({ kind }) => kind === "end")).toMatchObject([
        { call_id: "b" },
      ]);
    });
  });

  test("has its seats counted again as soon as an event's size is our count", async () => {
    await scene("back", async (it) => {
      join(it, "a", "b", "c");
      await it.pass(20_000);
      it.listed.clear();
      it.ledger.events.apply(event("c", "leave", it.now(), 1));
      await it.pass(40_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
      it.ledger.plan(requestOf("d", { deadline_at: it.now() + 2_000 }));
      it.ledger.events.apply(event("d", "join", it.now(), 3));
      await it.pass(5_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(3);
    });
  });

  test("has nobody's seat released on the word of an event that nobody signed", async () => {
    await scene("unsigned size", async (it) => {
      join(it, "a", "b");
      await it.pass(20_000);
      it.ledger.events.applyUntrusted(event("somebody", "leave", it.now(), 0), {});
      await it.pass(60_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
    });
  });
});

describe("a seat in doubt", () => {
  test.each([
    ["stays in doubt where a leave's size may still count who leaves", false],
    ["is confirmed by a leave's size where that was seen to be the one after it", true],
  ])("%s", async (_, isAfter) => {
    await scene(`size-${isAfter}`, async (it) => {
      if (isAfter) it.ledger.events.apply(event("before", "leave", it.now(), 0));
      join(it, "a", "b", "c");
      await it.pass(20_000);
      it.ledger.suspicions.gapBegan();
      await it.pass(1_000);
      // The leave of `a` is lost: with `b`, who leaves now, two are left or were there.
      it.ledger.events.apply(event("b", "leave", it.now(), 2));
      await it.pass(5_000);
      const [row] = it.ledger.placements.ofCall("a");
      expect(row && it.ledger.suspicions.since(row) === null).toBe(isAfter);
    });
  });

  test("is kept in a quiet meeting of three hours, of which neither events nor REST say anything", async () => {
    await scene("quiet", async (it) => {
      join(it, "a", "b");
      it.listed.clear();
      for (let minute = 0; minute < 180; minute += 1) {
        await it.pass(60_000);
        await it.ledger.reconciler.routine();
      }
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
    });
  });

  test("is released after half an hour where RELAY's events had a gap and nothing was heard since", async () => {
    await scene("gap", async (it) => {
      join(it, "a", "b");
      it.listed.clear();
      await it.pass(20_000);
      it.ledger.suspicions.gapBegan();
      for (let minute = 0; minute < 29; minute += 1) {
        await it.pass(60_000);
        await it.ledger.reconciler.routine();
      }
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
      await it.pass(120_000);
      await it.ledger.reconciler.routine();
      expect(it.ledger.occupancy.taken(ROOM)).toBe(0);
      expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["joined", "joined"]);
    });
  });

  test.each([
    ["in doubt after a gap in RELAY's events", true],
    ["not in doubt, and has not been heard of for a minute", false],
  ])(
    "is freed where the call's own status says that it is over, though REST lists nothing of its room: %s",
    async (_, hasGap) => {
      await scene(`over-${hasGap}`, async (it) => {
        join(it, "a", "b");
        it.listed.clear();
        it.statuses.set("a", "completed");
        it.statuses.set("b", "in-progress");
        await it.pass(hasGap ? 20_000 : 60_000);
        if (hasGap) it.ledger.suspicions.gapBegan();
        it.ledger.reconciler.doubt([ROOM]);
        await it.pass(10_000);
        expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["left", "joined"]);
        expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
        expect(it.ledger.pendingCommands.takeDue(10).filter(({ kind }) => kind === "end")).toEqual([]);
      });
    },
  );

  test("is freed within half a minute where REST failed at the first question", async () => {
    await scene("failed question", async (it) => {
      join(it, "a");
      it.listed.clear();
      await it.pass(20_000);
      it.ledger.suspicions.gapBegan();
      it.statuses.set("a", "fails");
      it.ledger.reconciler.doubt([ROOM]);
      await it.pass(5_000);
      it.statuses.set("a", "completed");
      await it.pass(20_000);
      expect(stateOf(it, "a")).toBe("left");
    });
  });

  test("is released at once by an unsigned leave, and counted again when RELAY says that the caller is muted there", async () => {
    await scene("unsigned", async (it) => {
      join(it, "a", "b");
      await it.pass(20_000);
      it.ledger.events.applyUntrusted(event("a", "leave", it.now(), 1), { tenant: "acme" });
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
      expect(it.ledger.pendingCommands.takeDue(10)).toMatchObject([{ kind: "verify", call_id: "a" }]);
      const muted = event("a", "leave", it.now() + 1_000, 2);
      if (muted.kind === "conference") muted.params.status = "participant-mute";
      it.ledger.events.apply(muted);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
    });
  });

  test("is not touched by a leave that came with another tenant's token", async () => {
    await scene("other tenant", async (it) => {
      join(it, "a");
      await it.pass(20_000);
      it.ledger.events.applyUntrusted(event("a", "leave", it.now(), 0), { tenant: "globex" });
      it.ledger.events.apply(event("a", "leave", it.now(), 0), { feed: "callback", tenant: "globex" });
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
      expect(stateOf(it, "a")).toBe("joined");
    });
  });

  test("makes each join into its room carry the conference's own limit", async () => {
    await scene("limit", async (it) => {
      join(it, "a", "b");
      await it.pass(20_000);
      it.ledger.events.applyUntrusted(event("a", "leave", it.now(), 1), {});
      const row = it.ledger.plan(requestOf("c", { deadline_at: it.now() + 2_000 }));
      expect(row?.join).toEqual({ max_participants: 2 });
    });
  });
});

describe("a call that RELAY says has ended", () => {
  const ended = { kind: "state", event_type: "calling.call.state" } as const;
  test.each(["joined", "accepted"] as const)(
    "holds no seat any more, and is sent nothing, where it was %s",
    async (state) => {
      await scene(`ended ${state}`, async (it) => {
        if (state === "joined") join(it, "a");
        else it.ledger.plan(requestOf("a", { deadline_at: it.now() + 2_000 }));
        it.ledger.events.apply({ ...ended, params: { call_id: "a", call_state: "ended" } });
        expect(stateOf(it, "a")).toBe("left");
        expect(it.ledger.occupancy.taken(ROOM)).toBe(0);
        await it.pass(10_000);
        expect(it.ledger.pendingCommands.takeDue(10)).toEqual([]);
      });
    },
  );

  test("holds none either where our own end is under way", async () => {
    await scene("ended, ending", async (it) => {
      join(it, "a");
      const [row] = it.ledger.placements.ofCall("a");
      if (row) it.ledger.pendingCommands.add("end", row, row.node_id);
      expect(it.ledger.pendingCommands.takeDue(10)).toHaveLength(1);
      it.ledger.events.apply({ ...ended, params: { call_id: "a", call_state: "ended" } });
      expect(stateOf(it, "a")).toBe("left");
    });
  });

  test("is not brought back by its join, told of late", async () => {
    await scene("ended, late", async (it) => {
      it.ledger.plan(requestOf("a", { deadline_at: it.now() + 2_000 }));
      const late = event("a", "join", it.now() - 1_000, 1);
      it.ledger.events.apply({ ...ended, params: { call_id: "a", call_state: "ended" } });
      it.ledger.events.apply(late);
      expect(stateOf(it, "a")).toBe("left");
      expect(it.ledger.occupancy.taken(ROOM)).toBe(0);
    });
  });
});

test("the seat of a call that is put back into its room is held for half a minute, however long ago it came", async () => {
  await scene("put back", async (it) => {
    join(it, "a");
    await it.pass(3_600_000);
    const [row] = it.ledger.placements.ofCall("a");
    if (row) it.ledger.placements.update(row, { stay_at: it.now() });
    it.ledger.events.apply(event("a", "leave", it.now() + 20, 0));
    expect(stateOf(it, "a")).toBe("returning");
    expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
    await it.pass(36_000);
    expect(it.ledger.occupancy.taken(ROOM)).toBe(0);
  });
});

test("a seat that no caller was seen to take makes each later join into its room carry the conference's own limit", async () => {
  await scene("lapsed", async (it) => {
    it.ledger.plan(requestOf("a", { deadline_at: it.now() + 2_000 }));
    const row = it.ledger.plan(requestOf("b", { deadline_at: it.now() + 2_000 }));
    expect(row?.join).toEqual({});
    await it.pass(33_000);
    const late = it.ledger.plan(requestOf("c", { deadline_at: it.now() + 2_000 }));
    expect(late?.join).toEqual({ max_participants: 2 });
  });
});

describe("a REST list without a participant", () => {
  test("releases the seat where it lists another confirmed call of the same kind in the conference, and ends nobody", async () => {
    await scene("proved", async (it) => {
      join(it, "a", "b");
      await it.pass(60_000);
      it.listed.delete("a");
      it.ledger.checks.demand(ROOM);
      await it.pass(1_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
      expect(stateOf(it, "a")).toBe("joined");
      expect(it.ledger.pendingCommands.takeDue(10)).toEqual([]);
      expect(it.ledger.history.newestOf({ tenant: "acme", call_id: "a" })).toMatchObject([
        { kind: "deed", data: { deed: "repair", by: "rest" } },
      ]);
      // It lagged: the next one has it.
      it.listed.add("a");
      await it.pass(60_000);
      it.ledger.checks.demand(ROOM);
      await it.pass(1_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
    });
  });

  test("says nothing where it lists calls of another kind alone", async () => {
    await scene("kinds", async (it) => {
      join(it, "a");
      it.ledger.plan(requestOf("b", { deadline_at: it.now() + 2_000, join_via: "document" }));
      it.ledger.events.apply(event("b", "join", it.now(), 2));
      await it.pass(61_000);
      it.listed.clear();
      it.listed.add("b");
      it.ledger.checks.demand(ROOM);
      await it.pass(1_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
      expect(it.ledger.observations.has("rest_lists_relay_joins", false)).toBe(true);
    });
  });

  test("frees the seat for good where the call's own status says that it is over", async () => {
    await scene("status", async (it) => {
      join(it, "a", "b");
      await it.pass(60_000);
      it.listed.delete("a");
      it.statuses.set("a", "completed");
      it.ledger.checks.demand(ROOM);
      await it.pass(1_000);
      expect([stateOf(it, "a"), stateOf(it, "b")]).toEqual(["left", "joined"]);
      expect(it.ledger.pendingCommands.takeDue(10).filter(({ kind }) => kind !== "verify")).toEqual([]);
    });
  });
});

describe("a room whose size is not what the ledger counts", () => {
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
      it.ledger.heldSeats.promise(request);
      it.listed.add("a");
      it.ledger.events.apply(event("a", "join", it.now(), 2));
      await it.pass(20_000);
      it.ledger.events.apply(event("a", "leave", it.now(), 2));
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
      await it.pass(60_000);
      // Somebody wants a seat.
      it.ledger.reconciler.doubt([ROOM]);
      await it.pass(1_000);
      expect(stateOf(it, "a")).toBe("joined");
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
    });
  });

  test("holds a stranger: they take a seat until they have gone", async () => {
    await scene("stranger", async (it) => {
      it.listed.add("stranger");
      join(it, "a");
      await it.pass(4_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(2);
      expect(it.ledger.plan(requestOf("b", { deadline_at: it.now() + 2_000 }))).toBeNull();
      it.listed.delete("stranger");
      await it.pass(61_000);
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
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
      expect(it.ledger.occupancy.taken(ROOM)).toBe(3);
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
        expect(it.ledger.occupancy.taken(ROOM)).toBeGreaterThan(0);
      }
      expect(it.ledger.occupancy.taken(ROOM)).toBe(1);
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
    it.ledger.events.apply(leave, { ids_known: false });
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
          it.ledger.events.applyUntrusted(odd, {});
          if (odd.kind === "conference") odd.params.name = `acme:room-${n}`;
          it.ledger.events.applyUntrusted(odd, {});
        }
        await it.pass(1_000);
      }
      expect(new Set(it.asked)).toEqual(new Set([ROOM]));
      expect(it.asked.length).toBeLessThanOrEqual(3);
    });
  });

  test("happens by the clock, too: within six minutes a room is asked about of which no event speaks", async () => {
    await scene("routine", async (it) => {
      join(it, "a");
      for (let alarm = 0; alarm < 12; alarm += 1) {
        await it.pass(30_000);
        await it.ledger.reconciler.routine();
      }
      expect(it.asked).toContain(ROOM);
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
      await before.reconciler.run();
      before.checks.demand(ROOM);
      const after = start();
      expect(after.occupancy.taken(ROOM)).toBe(2);
      listed = new Set(["a"]);
      now += 30_000;
      await after.reconciler.run();
      expect(after.occupancy.taken(ROOM)).toBe(1);
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
    expect(it.ledger.occupancy.taken(ROOM)).toBe(3);
    expect(it.ledger.placements.ofCall("a")[0]).toMatchObject({ over_capacity: 0 });
    expect(it.ledger.counters.all()).toMatchObject({ late_joins_over_capacity: 1 });
  });
});

test("what SignalWire's refusal says of a room is believed for a minute, where REST does not count its callers", async () => {
  await onStorage("refused", async ({ sql }) => {
    let now = 1_800_000_000_000;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    ledger.checks.refused("acme:support", 2);
    expect(ledger.occupancy.taken("acme:support")).toBe(2);
    now += 59_000;
    expect(ledger.occupancy.taken("acme:support")).toBe(2);
    now += 2_000;
    expect(ledger.occupancy.taken("acme:support")).toBe(0);
  });
});

test("that a refusal's count has lapsed changes its room, though REST lists nobody in it before and after", async () => {
  await onStorage("lapsed", async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    ledger.checks.refused(ROOM, 2);
    const [check] = ledger.checks.takeDue();
    const said = { areCounted: true, wasNeedless: true, again_at: null };
    if (!check) throw new Error("a refusal gives cause to ask about its room");
    expect(ledger.checks.checked(check, { ...said, strangers: 2, areCounted: false })).toBe(false);
    now += 61_000;
    expect(ledger.checks.checked(check, { ...said, strangers: 0 })).toBe(true);
    expect(ledger.checks.checked(check, { ...said, strangers: 0 })).toBe(false);
  });
});
