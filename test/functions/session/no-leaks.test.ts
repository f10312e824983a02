import fc from "fast-check";
import { expect, test } from "vitest";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { emptied, Ledger, onStorage, requestOf, SEAT_DOUBT_MS } from "./ledger.ts";

const ROOMS = ["acme:support", "acme:support-2"] as const;
const CAPACITY = 2;
const START = 1_800_000_000_000;

/** What becomes of an event on its way to us. */
type Fate = "at once" | "lost" | "twice" | "late";

type Op =
  | { do: "arrive"; by: "relay" | "document"; spread: boolean; joins: boolean; fate: Fate }
  | { do: "join" | "leave"; which: number; fate: Fate }
  | { do: "end"; room: number; fate: Fate }
  | { do: "stranger"; room: number; fate: Fate }
  | { do: "deliver"; which: number }
  | { do: "pass"; ms: number }
  | { do: "clock step"; ms: number }
  | { do: "restart" }
  | { do: "routine" }
  | { do: "REST fails"; fails: boolean };

/** SignalWire as it is in truth: who is in which conference, and events that tell of it. */
class Truth {
  readonly rooms = new Map<string, { id: string; calls: Set<string> }>();
  /** Whether the newest event of the call's membership has come to us. */
  readonly told = new Set<string>();
  /** Calls that have left a room, whether anybody was told or not. */
  readonly left = new Set<string>();
  readonly pending: { event: RelayEvent; call_id: string | null }[] = [];
  #conferences = 0;
  #ts = START / 1000;

  in(room: string): ReadonlySet<string> {
    return this.rooms.get(room)?.calls ?? new Set();
  }

  roomOf(call_id: string): string | null {
    return ROOMS.find((room) => this.in(room).has(call_id)) ?? null;
  }

  join(room: string, call_id: string): RelayEvent {
    const conference = this.rooms.get(room) ?? {
      id: `conf-${this.#conferences++}`,
      calls: new Set<string>(),
    };
    this.rooms.set(room, conference);
    conference.calls.add(call_id);
    return this.#event(room, "participant-join", call_id);
  }

  /** The leave, and the conference's end where it was the last. */
  leave(call_id: string): RelayEvent[] {
    const room = this.roomOf(call_id);
    if (room === null) return [];
    this.rooms.get(room)?.calls.delete(call_id);
    this.left.add(call_id);
    const events = [this.#event(room, "participant-leave", call_id)];
    if (this.in(room).size === 0) {
      events.push(this.#event(room, "conference-end"));
      this.rooms.delete(room);
    }
    return events;
  }

  #event(name: string, status: string, call_id?: string): RelayEvent {
    const { id = "", calls } = this.rooms.get(name) ?? {};
    // Nobody leaves and joins again within half a second.
    this.#ts += 0.6;
    const params = {
      status,
      name,
      conference_id: id,
      size: calls?.size ?? 0,
      ...(call_id ? { call_id } : {}),
    };
    return { kind: "conference", event_type: "calling.conference", timestamp: this.#ts, params };
  }

  advance(ms: number): void {
    this.#ts += ms / 1000;
  }
}

/** The ledger beside the truth, told of it by events that get lost, and by REST. */
class World {
  readonly truth = new Truth();
  readonly rooms_of = new Map<string, { room: string; by: "relay" | "document" }>();
  ledger: Ledger;
  now = START;
  rest_fails = false;
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.ledger = this.#start();
  }

  #start(): Ledger {
    const list = async (room: string) => {
      if (this.rest_fails) throw new Error("REST answered 500");
      return new Set(this.truth.in(room));
    };
    return new Ledger(this.#sql, () => this.now, list);
  }

  async carryOut(op: Op): Promise<void> {
    const { truth, ledger } = this;
    const calls = [...this.rooms_of.keys()];
    switch (op.do) {
      case "arrive": {
        const call_id = `call-${calls.length}`;
        const row = ledger.plan(
          requestOf(call_id, {
            deadline_at: this.now + 2_000,
            rooms: [...ROOMS],
            capacity: CAPACITY,
            strategy: op.spread ? "emptiest" : "first",
            join_via: op.by,
          }),
        );
        if (!row) return;
        expect(ledger.occupancy.taken(row.room), "taken after a seat was given").toBeLessThanOrEqual(
          CAPACITY,
        );
        this.rooms_of.set(call_id, { room: row.room, by: op.by });
        if (op.joins) this.#tell([truth.join(row.room, call_id)], call_id, op.fate);
        return;
      }
      case "join": {
        const call_id = calls[op.which % Math.max(1, calls.length)];
        const placed = this.rooms_of.get(call_id ?? "");
        if (call_id === undefined || !placed || truth.roomOf(call_id) !== null) return;
        // A call that RELAY joined and that left is over: no document of ours takes it back in.
        const [row] = ledger.placements.ofCall(call_id);
        const isOver = truth.left.has(call_id) || row?.state === "left" || row?.joined_ts !== null;
        if (placed.by === "relay" && isOver) return;
        this.#tell([truth.join(placed.room, call_id)], call_id, op.fate);
        return;
      }
      case "leave": {
        const call_id = calls[op.which % Math.max(1, calls.length)];
        if (call_id !== undefined) this.#tell(truth.leave(call_id), call_id, op.fate);
        return;
      }
      case "end":
        for (const call_id of [...truth.in(ROOMS[op.room % 2] ?? "")]) {
          this.#tell(truth.leave(call_id), call_id, op.fate);
        }
        return;
      case "stranger": {
        const room = ROOMS[op.room % 2] ?? "";
        const there = [...truth.in(room)].find((call_id) => call_id.startsWith("stranger"));
        if (there === undefined) this.#tell([truth.join(room, `stranger-${op.room}`)], null, op.fate);
        else this.#tell(truth.leave(there), null, op.fate);
        return;
      }
      case "deliver": {
        const [late] = truth.pending.splice(op.which % Math.max(1, truth.pending.length), 1);
        if (late) this.#apply(late.event);
        return;
      }
      case "pass":
        await this.pass(op.ms);
        return;
      case "clock step":
        this.now += op.ms;
        return;
      case "restart":
        this.#restart();
        return;
      case "routine":
        await ledger.reconciler.routine();
        await ledger.reconciler.run();
        return;
      case "REST fails":
        this.rest_fails = op.fails;
        return;
      default:
        op satisfies never;
    }
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 5_000) {
      this.now += Math.min(left, 5_000);
      this.truth.advance(Math.min(left, 5_000));
      await this.ledger.reconciler.run();
      this.#endCalls();
    }
  }

  /** The object is lost, REST is asked about every room, and answers; then nothing more is heard for as long as a doubt may last. */
  async reconcile(): Promise<void> {
    this.rest_fails = false;
    // A clock that was stepped back has to pass what it had written down.
    await this.pass(180_000);
    this.#restart();
    for (const room of ROOMS) this.ledger.checks.demand(room);
    await this.pass(60_000);
    this.now += SEAT_DOUBT_MS;
    await this.ledger.reconciler.routine();
    await this.pass(180_000);
  }

  #restart(): void {
    this.now += 1;
    this.ledger = this.#start();
    this.ledger.suspicions.gapBegan();
  }

  /** What the ledger must always be. */
  check(): void {
    const { occupancy, heldSeats } = this.ledger;
    const together = [...occupancy.seatsIn(ROOMS)].map(([room, { taken }]) => [room, taken]);
    expect(together).toEqual(ROOMS.map((room) => [room, occupancy.taken(room)]));
    for (const room of ROOMS) {
      const others = occupancy.strangersIn(room) + heldSeats.countIn(room);
      expect(occupancy.taken(room), "taken, as the table has it").toBe(this.#countInTable(room) + others);
      const sure = [...this.truth.in(room)].filter((call_id) => this.truth.told.has(call_id));
      const presumed = sure.filter((call_id) => this.#isPresumedGone(call_id)).length;
      expect(occupancy.taken(room) + presumed, "taken, of those surely there").toBeGreaterThanOrEqual(
        sure.length,
      );
      const joined = occupancy.participants(room);
      const flagged = joined.filter((row) => row.over_capacity === 1).length;
      expect(joined.length - flagged, "joined and not flagged").toBeLessThanOrEqual(CAPACITY);
    }
  }

  #countInTable(room: string): number {
    return this.#sql
      .exec<{ taken: number }>(
        `SELECT COUNT(*) AS taken FROM placements WHERE room = ? AND live = 1 AND presumed_gone_at IS NULL
         AND (state = 'joined' OR (state != 'waiting' AND deadline_at + 30000 > ?))`,
        room,
        this.now,
      )
      .one().taken;
  }

  #tell(events: readonly RelayEvent[], call_id: string | null, fate: Fate): void {
    const { told, pending } = this.truth;
    if (call_id !== null) told.delete(call_id);
    for (const event of events) {
      if (fate === "late" || fate === "twice") pending.push({ event, call_id });
      if (fate === "at once" || fate === "twice") this.#apply(event);
    }
    const isJoined = call_id !== null && this.ledger.placements.ofCall(call_id)[0]?.state === "joined";
    if (isJoined && (fate === "at once" || fate === "twice")) told.add(call_id);
  }

  #apply(event: RelayEvent): void {
    if (this.ledger.eventLog.record(event, "relay") === "new") this.ledger.events.apply(event);
    this.#endCalls();
  }

  #isPresumedGone(call_id: string): boolean {
    return this.ledger.placements.ofCall(call_id).some(({ presumed_gone_at }) => presumed_gone_at !== null);
  }

  /** What the ledger wants ended: nobody who is in a room may be among it. */
  #endCalls(): void {
    for (const pending of this.ledger.pendingCommands.takeDue(100)) {
      if (pending.kind === "end")
        expect(this.truth.roomOf(pending.call_id), "the room of an ended call").toBeNull();
      this.ledger.pendingCommands.done(pending);
    }
  }
}

const fate = fc.constantFrom<Fate>("at once", "at once", "lost", "twice", "late");
const which = fc.nat(30);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("arrive" as const),
      by: fc.constantFrom("relay", "document"),
      spread: fc.boolean(),
      joins: fc.boolean(),
      fate,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("join" as const), which, fate }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("leave" as const), which, fate }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("end" as const), room: fc.nat(1), fate }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("stranger" as const), room: fc.nat(1), fate }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("deliver" as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(500, 5_000, 20_000, 60_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("clock step" as const),
      ms: fc.integer({ min: -60_000, max: 60_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "routine" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("REST fails" as const), fails: fc.boolean() }) },
);

/** Hundreds of histories, of which none waits for anything: on a busy machine they take their time. */
const LIMIT_MS = 90_000;

test("whatever is lost, repeated or late, nobody is ended in a room, and a seat without a caller is counted no longer than a doubt lasts", {
  timeout: LIMIT_MS,
}, async () => {
  await onStorage("no-leaks", async (storage) => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 40 }), async (ops) => {
        await emptied(storage);
        const world = new World(storage.sql);
        for (const one of ops) {
          await world.carryOut(one);
          world.check();
        }
        await world.reconcile();
        const { truth, ledger } = world;
        for (const room of ROOMS) {
          const there = [...truth.in(room)];
          const ours = there.filter((call_id) => !call_id.startsWith("stranger")).sort();
          const joined = ledger.occupancy.participants(room);
          const counted = joined.filter(({ presumed_gone_at }) => presumed_gone_at === null);
          expect(counted.map(({ call_id }) => call_id).sort(), "counted").toEqual(ours);
          expect(ledger.occupancy.taken(room), "taken").toBe(
            ours.length + ledger.occupancy.strangersIn(room),
          );
        }
      }),
      { numRuns: 200 },
    );
  });
});
