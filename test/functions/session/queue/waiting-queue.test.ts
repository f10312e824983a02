import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PlaceRequest } from "../../../../functions/session/contract/placement.ts";
import { WaitingQueue } from "../../../../functions/session/queue/waiting-queue.ts";
import { replyOf } from "../../../../functions/session/store/place-reply.ts";
import type { Placement } from "../../../../functions/session/store/placement-row.ts";
import type { Placing } from "../../../../shared/placing.ts";
import type { Wait } from "../../../../shared/rules/decision.ts";
import { emptied, Ledger, onStorage, requestOf } from "../ledger.ts";

const SEATS = 2;
const wait: Wait = { for: ["seat"], max_s: 7_200, otherwise: { action: "reject" } };

const unreachable = () => Promise.reject(new Error("REST is out of reach"));

/** A line before rooms of two seats each, over real rows: what its callers and the time do to it is the test's. */
class Room {
  now = 1_000_000_000_000;
  readonly ledger: Ledger;
  readonly queue: WaitingQueue;
  /** Calls in the order in which they came into the line, and in which they were let in from it. */
  readonly came: string[] = [];
  readonly let_in: string[] = [];
  /** Rooms that REST is to be asked about, each time that it is. */
  readonly doubted: string[] = [];
  readonly #sql: SqlStorage;
  readonly #names: readonly string[];
  #calls = 0;

  constructor(sql: SqlStorage, names: readonly string[] = ["acme:support"]) {
    this.#sql = sql;
    this.#names = names;
    const now = () => this.now;
    this.ledger = new Ledger(
      sql,
      now,
      unreachable,
      () => null,
      (moved) => this.queue.moved(moved),
    );
    this.queue = new WaitingQueue(
      this.ledger,
      {
        hasCallFlow: () => false,
        start: () => {},
        doubt: (doubted) => this.doubted.push(...doubted),
        rescheduled: () => {},
      },
      now,
    );
    void this.queue.begin();
  }

  /** @param how it waits; without a node it came by cXML. */
  arrive(
    how: Partial<Pick<PlaceRequest, "wait" | "node_id" | "rooms" | "capacity">> = { wait, node_id: "node-1" },
  ): void {
    this.#calls += 1;
    const call_id = `c${this.#calls}`;
    const { node_id: _, ...alike } = requestOf(call_id, {
      deadline_at: this.now + 2_000,
      join_via: "document",
    });
    const request = { ...alike, wait, ...how };
    const arrived = this.queue.arrive(request);
    if ("row" in arrived) this.came.push(call_id);
    else this.ledger.plan({ ...request, rooms: arrived.rooms });
    this.look();
  }

  /** Somebody of those who are in the room, or on the way there, is done with it. */
  leave(which: number): void {
    const rows = this.held();
    const row = rows[which % Math.max(1, rows.length)];
    if (row) this.ledger.placements.move(row, row.state === "joined" ? "left" : "failed", { reason: "gone" });
    this.serve();
  }

  /** Somebody's join is seen. */
  join(which: number): void {
    const rows = this.held().filter(({ state }) => state !== "joined");
    const row = rows[which % Math.max(1, rows.length)];
    if (row) this.ledger.placements.move(row, "joined", { joined_ts: this.now / 1000, reason: "joined" });
    this.serve();
  }

  /** Somebody could not be fetched. */
  lose(which: number): void {
    const rows = this.held().filter(({ state }) => state === "offered");
    const row = rows[which % Math.max(1, rows.length)];
    if (row && this.queue.takeBack(row)) this.let_in.splice(this.let_in.indexOf(row.call_id), 1);
    this.serve();
  }

  hangUp(which: number): void {
    const row = this.waiting()[which % Math.max(1, this.waiting().length)];
    if (row) this.queue.ended(row);
    this.serve();
  }

  poll(which: number): void {
    const row = this.waiting()[which % Math.max(1, this.waiting().length)];
    if (row) this.queue.poll(row, false);
    this.look();
  }

  pass(seconds: number): void {
    this.now += seconds * 1_000;
    this.serve();
  }

  serve(): void {
    this.queue.drain();
    this.look();
  }

  /** Those who wait, by the queue in memory; the table says the same. */
  waiting(): Placement[] {
    const waiting = this.ledger.occupancy.waiting.all();
    expect(waiting.map(({ call_id }) => call_id)).toEqual(this.#tabled());
    return waiting;
  }

  #tabled(): string[] {
    return this.#sql
      .exec<{ call_id: string }>("SELECT call_id FROM placements WHERE state = 'waiting' ORDER BY seq")
      .toArray()
      .map(({ call_id }) => call_id);
  }

  held(): Placement[] {
    const { occupancy, placements } = this.ledger;
    return this.#names
      .flatMap((name) => occupancy.around(name))
      .flatMap((row) => (occupancy.holdsSeat(row) && placements.find(row)) || []);
  }

  /** Whoever stands in the line no more and has a seat was let in. */
  look(): void {
    const fresh = this.held().filter(
      ({ call_id }) => this.came.includes(call_id) && !this.let_in.includes(call_id),
    );
    // Of several at one time the ledger has the one that came first first.
    for (const { call_id } of fresh) this.let_in.push(call_id);
  }
}

const doings = fc.array(
  fc.tuple(
    fc.constantFrom("arrive", "arrive", "leave", "join", "join", "lose", "hangUp", "poll", "pass"),
    fc.nat(40),
  ),
  { maxLength: 40, size: "max" },
);

describe("whoever comes, leaves, hangs up, asks, is lost or is forgotten, in whatever order", () => {
  test("never beyond the seats, the longest waiter first, no seat empty before a line, and nobody forgotten", async () => {
    await onStorage("line", async (storage) => {
      await fc.assert(
        fc.asyncProperty(doings, async (list) => {
          await emptied(storage);
          const room = new Room(storage.sql);
          for (const [what, n] of list) {
            if (what === "arrive") room.arrive();
            else room[what](n);
            const taken = room.ledger.occupancy.taken("acme:support");
            expect(taken).toBeLessThanOrEqual(SEATS);
            // Somebody waits only where there is no seat, and all who came and are live wait or were let in.
            if (room.waiting().length > 0) expect(taken).toBe(SEATS);
            const line = room.waiting().map(({ call_id }) => room.came.indexOf(call_id));
            expect(line).toEqual(line.toSorted((a, b) => a - b));
            expect(new Set(room.let_in).size).toBe(room.let_in.length);
            for (const row of room.waiting()) expect(replyOf(row).outcome).toBe("waiting");
          }
          // With every seat free again and again, everybody comes in, in order.
          const left = room.waiting().map(({ call_id }) => call_id);
          const before = room.let_in.length;
          for (let n = 0; room.waiting().length > 0 && n < 100; n += 1) {
            room.join(0);
            room.leave(0);
          }
          expect(room.let_in.slice(before)).toEqual(left);
        }),
        { numRuns: 40 },
      );
    });
  });
});

/** Three rooms and a line before them, served by nothing but what happens in them and the timers that were set. */
class Hall extends Room {
  static readonly names = ["acme:a", "acme:b", "acme:c"];
  static readonly choices: readonly [string, ...string[]][] = [
    ["acme:a"],
    ["acme:b"],
    ["acme:a", "acme:b"],
    ["acme:b", "acme:c"],
    ["acme:c", "acme:b"],
  ];
  static readonly kinds: readonly Wait["for"][] = [
    ["seat"],
    ["seat"],
    ["moderator", "seat"],
    ["admission", "seat"],
  ];
  #known = new Set<string>();
  #moderators = 0;

  constructor(sql: SqlStorage) {
    super(sql, Hall.names);
  }

  /** Calls that have just been let in. */
  fresh(): Placement[] {
    const fresh = this.held().filter(
      ({ wait: terms, call_id }) => terms !== null && !this.#known.has(call_id),
    );
    this.#known = new Set(this.held().map(({ call_id }) => call_id));
    return fresh;
  }

  arriveAs(n: number): void {
    const rooms = Hall.choices[n % Hall.choices.length];
    const kind = Hall.kinds[n % Hall.kinds.length];
    const capacity = 1 + (n % 3);
    if (rooms && kind)
      this.arrive({ rooms, capacity, wait: { ...wait, for: kind }, ...(n % 7 ? { node_id: "node-1" } : {}) });
  }

  /** A moderator comes into a room, whether or not it has a seat for others. */
  moderate(n: number): void {
    this.#moderators += 1;
    const { capacity: _, ...request } = requestOf(`m${this.#moderators}`, {
      deadline_at: this.now + 2_000,
      rooms: [Hall.names[n % 3] ?? "acme:a"],
      role: "moderator",
    });
    const row = this.ledger.plan(request);
    if (row) this.ledger.placements.move(row, "joined", { joined_ts: this.now / 1000, reason: "joined" });
  }

  admit(which: number): void {
    const row = this.waiting()[which % Math.max(1, this.waiting().length)];
    if (row) this.queue.admit(row);
  }

  release(which: number): void {
    const rows = this.held().filter(({ state }) => state === "joined");
    const row = rows[which % Math.max(1, rows.length)];
    if (!row) return;
    this.ledger.placements.update(row, { presumed_gone_at: this.now });
    this.ledger.placements.touched(row.room);
  }

  override pass(seconds: number): void {
    // A timer that is due at the end may come a moment later.
    const end = this.now + seconds * 1_000 + 200;
    for (let at = this.queue.nextWakeAt(); at !== null && at <= end; at = this.queue.nextWakeAt()) {
      this.now = at;
      this.queue.run();
    }
    this.now = end;
  }

  /** Long enough for every waiter who is not seen again to hold up nobody. */
  passLong(): void {
    this.pass(22 * 60);
  }

  /** Nothing but what happens and the timers serve the line here. */
  override serve(): void {}

  isReady({ placing, admitted }: Placement): boolean {
    const { wait: line, rooms } = placing;
    if (line?.for.includes("admission") && admitted === 0) return false;
    return !line?.for.includes("moderator") || rooms.some((name) => this.ledger.occupancy.isStaffed(name));
  }

  isPresent({ seen_at, node_id }: Placement): boolean {
    return this.now - (seen_at ?? 0) <= (node_id === null ? 60_000 : 21 * 60_000);
  }

  mayEnter({ placing }: Placement, name: string): boolean {
    return !placing.wait?.for.includes("moderator") || this.ledger.occupancy.isStaffed(name);
  }
}

const happenings = fc.array(
  fc.tuple(
    fc.constantFrom(
      ...([
        "arriveAs",
        "arriveAs",
        "arriveAs",
        "arriveAs",
        "leave",
        "join",
        "join",
        "lose",
        "hangUp",
      ] as const),
      ...(["poll", "pass", "pass", "passLong", "moderate", "admit", "release"] as const),
    ),
    fc.nat(90),
  ),
  { maxLength: 60, size: "max" },
);

test("where lines for several rooms overlap, no seat stays empty before a waiter, no waiter is passed over, and each is told its place", async () => {
  await onStorage("hall", async (storage) => {
    await fc.assert(
      fc.asyncProperty(happenings, async (list) => {
        await emptied(storage);
        const hall = new Hall(storage.sql);
        const { occupancy } = hall.ledger;
        for (const [what, n] of list) {
          hall[what](n);
          await Promise.resolve();
          const ready = hall.waiting().filter((row) => hall.isReady(row) && hall.isPresent(row));
          for (const { call_id, room } of hall.fresh()) {
            const at = hall.came.indexOf(call_id);
            const passed = ready.filter(
              (row) =>
                row.placing.rooms.includes(room) &&
                hall.mayEnter(row, room) &&
                hall.came.indexOf(row.call_id) < at,
            );
            expect(
              passed.map((row) => row.call_id),
              `${call_id} came before`,
            ).toEqual([]);
          }
          const closed = new Set<string>();
          for (const row of ready) {
            const open = row.placing.rooms.filter((name) => !closed.has(name) && hall.mayEnter(row, name));
            expect(
              open.filter((name) => occupancy.taken(name) < (row.placing.capacity ?? SEATS)),
              `free for ${row.call_id}`,
            ).toEqual([]);
            for (const name of row.placing.rooms) closed.add(name);
          }
          for (const row of hall.waiting()) {
            const ahead = hall
              .waiting()
              .slice(0, hall.waiting().indexOf(row))
              .filter(
                (other) =>
                  hall.isPresent(other) &&
                  other.placing.rooms.some((name) => row.placing.rooms.includes(name)),
              );
            expect(occupancy.waiting.positionOf(row)).toBe(ahead.length + 1);
          }
          const after = new Ledger(storage.sql, () => hall.now, unreachable);
          expect(after.occupancy.waiting.all()).toMatchObject(
            hall.waiting().map(({ call_id, seen_at }) => ({ call_id, seen_at })),
          );
        }
      }),
      { numRuns: 60 },
    );
  });
});

test("a waiter who is let in once more is asked anew how the join went: the answer about the first says nothing of it", async () => {
  await onStorage("let in again", async (storage) => {
    const room = new Room(storage.sql);
    for (let n = 0; n <= SEATS; n += 1) room.arrive();
    room.leave(0);
    const row = room.held().find(({ call_id }) => call_id === "c3");
    if (!row) throw new Error("its turn has not come");
    const answer = {
      v: 1,
      outcome: "not_in",
      room: row.room,
      join: {},
      reason: "refused",
      waits: true,
    } as const;
    room.ledger.placements.update(row, { asking_step: 1_003, answer });
    expect(room.queue.takeBack(row)).toBe(true);
    room.serve();
    expect(row).toMatchObject({ state: "offered", asking_step: null, answer: null });
  });
});

describe("what happens to a room by the clock alone", () => {
  test("a seat whose caller is never seen passes to the next in line when it lapses", async () => {
    await onStorage("lapse", async ({ sql }) => {
      const hall = new Hall(sql);
      for (let n = 0; n < 3; n += 1) hall.arrive({ rooms: ["acme:a"], wait, node_id: "node-1" });
      await Promise.resolve();
      // Two seconds, and thirty more.
      hall.pass(31);
      expect(hall.waiting()).toHaveLength(1);
      hall.pass(1);
      expect(hall.waiting()).toEqual([]);
    });
  });

  test("a seat that was kept for somebody who dropped passes on when it is kept no more", async () => {
    await onStorage("kept-lapse", async ({ sql }) => {
      const hall = new Hall(sql);
      for (let n = 0; n < 3; n += 1) hall.arrive({ rooms: ["acme:a"], wait, node_id: "node-1" });
      const [first] = hall.held();
      hall.join(0);
      hall.join(0);
      if (!first) throw new Error("nobody was let in");
      const { heldSeats, placements } = hall.ledger;
      const placing = { rooms: ["a"] } as unknown as Placing; // Kept as it is, whatever it says.
      const rejoin = { s: 65, to: "+15550100100", placing };
      heldSeats.promise(requestOf(first.call_id, { deadline_at: hall.now, rejoin }));
      placements.move(first, "left", { reason: "dropped" });
      heldSeats.keep(first, first.room, 0);
      await Promise.resolve();
      hall.pass(64);
      expect(hall.waiting()).toHaveLength(1);
      hall.pass(1);
      expect(hall.waiting()).toEqual([]);
    });
  });

  test("a waiter for whom a seat has lapsed while no session was there is let in by the next session as it starts", async () => {
    await onStorage("restart", async ({ sql }) => {
      const before = new Hall(sql);
      for (let n = 0; n < 3; n += 1) before.arrive({ rooms: ["acme:a"], wait, node_id: "node-1" });
      const after = new Hall(sql);
      after.now += 40_000;
      await Promise.resolve();
      expect(after.waiting()).toEqual([]);
    });
  });

  test("a session that starts with many waiting reads them in turns, and serves the first of them", async () => {
    await onStorage("many", async ({ sql }) => {
      const now = 1_000_000_000_000;
      const before = new Ledger(sql, () => now, unreachable);
      for (let n = 0; n < 1_000; n += 1) {
        const waiter = requestOf(`c${n}`, { deadline_at: now + 2_000, rooms: ["acme:a"], wait });
        before.placements.plan(waiter, "acme:a", "there is a line", "waiting");
      }
      const cursors: { rowsRead: number }[] = [];
      const exec: SqlStorage["exec"] = (...query) => {
        const cursor = sql.exec<never>(...query);
        cursors.push(cursor);
        return cursor;
      };
      const after = new Hall({ exec } as SqlStorage); // All of it that the ledger uses.
      after.ledger.plan(requestOf("elsewhere", { deadline_at: now, rooms: ["acme:b"] }));
      // Each of them is read as a waiter, and as a live row.
      expect(cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0)).toBeLessThan(1_000);
      // What happens before all are read counts, too.
      const { placements } = after.ledger;
      const [asks, leaves] = ["c998", "c999"].map((call_id) =>
        placements.find({ call_id, entry: "", step: 0 }),
      );
      if (!asks || !leaves) throw new Error("they are unknown");
      placements.update(asks, { seen_at: now + 1 });
      after.queue.ended(leaves);
      const newcomer = requestOf("newcomer", { deadline_at: now + 2_000, rooms: ["acme:a"], wait });
      placements.plan(newcomer, "acme:a", "there is a line", "waiting");
      await after.queue.begin();
      expect(after.waiting()).toHaveLength(998);
      expect(placements.waiting.get(asks)).toBe(asks);
      expect(after.held().map(({ call_id }) => call_id)).toEqual(["c0", "c1", "elsewhere"]);
    });
  });

  test("a caller who is not seen for a minute holds up nobody from then on", async () => {
    await onStorage("missed", async ({ sql }) => {
      const hall = new Hall(sql);
      const rooms: [string] = ["acme:a"];
      hall.arrive({ rooms, wait, capacity: 1, node_id: "node-1" });
      hall.join(0);
      // The first is not seen again; the second needs no seat that is taken.
      hall.arrive({ rooms, wait, capacity: 1 });
      hall.arrive({ rooms, wait, capacity: 2, node_id: "node-1" });
      await Promise.resolve();
      hall.pass(59);
      expect(hall.waiting().map(({ call_id }) => call_id)).toEqual(["c2", "c3"]);
      hall.pass(1);
      expect(hall.waiting().map(({ call_id }) => call_id)).toEqual(["c2"]);
    });
  });

  test("no timer is left once everybody who waited has gone", async () => {
    await onStorage("timers", async ({ sql }) => {
      const hall = new Hall(sql);
      for (let n = 0; n < 3; n += 1) hall.arrive({ rooms: ["acme:a"], wait, node_id: "node-1" });
      await Promise.resolve();
      expect(hall.queue.nextWakeAt()).not.toBeNull();
      hall.hangUp(0);
      await Promise.resolve();
      hall.pass(60);
      expect(hall.queue.nextWakeAt()).toBeNull();
    });
  });

  test("REST is asked every ten seconds about a room whose seats are all taken, and about no other", async () => {
    await onStorage("doubted", async ({ sql }) => {
      const hall = new Hall(sql);
      for (let n = 0; n < 3; n += 1) hall.arrive({ rooms: ["acme:a"], wait, node_id: "node-1" });
      hall.arrive({ rooms: ["acme:b"], wait: { ...wait, for: ["admission"] }, node_id: "node-1" });
      hall.join(0);
      hall.join(0);
      await Promise.resolve();
      hall.doubted.length = 0;
      hall.pass(61);
      expect(hall.doubted).toEqual(Array.from({ length: 6 }, () => "acme:a"));
    });
  });
});

test("a room that a caller held up beside another is open as soon as that caller hangs up", async () => {
  await onStorage("beside", async ({ sql }) => {
    const hall = new Hall(sql);
    const moderator: Wait = { ...wait, for: ["moderator", "seat"] };
    hall.moderate(0);
    hall.arrive({ rooms: ["acme:a"], wait, node_id: "node-1" });
    // There is no seat in the one room and no moderator in the other.
    hall.arrive({ rooms: ["acme:a", "acme:b"], wait: moderator, node_id: "node-1" });
    hall.arrive({ rooms: ["acme:b"], wait, node_id: "node-1" });
    await Promise.resolve();
    expect(hall.waiting().map(({ call_id }) => call_id)).toEqual(["c2", "c3"]);
    hall.hangUp(0);
    await Promise.resolve();
    expect(hall.waiting()).toEqual([]);
  });
});

test("a caller whom REST leads out of the queue late, and so out of the room, joins again and is not hung up on", async () => {
  await onStorage("led-late", async ({ sql }) => {
    const room = new Room(sql);
    for (let n = 0; n < 3; n += 1) room.arrive({ wait });
    for (let n = 0; n < 2; n += 1) room.join(0);
    room.leave(0);
    room.join(0);
    const [row] = room.ledger.placements.ofCall("c3");
    if (!row) throw new Error("it waits");
    expect(row.state).toBe("joined");
    room.ledger.placements.move(row, "left", { reason: "participant-leave" });
    expect(room.queue.poll(row, true).outcome).toBe("document");
    expect(room.queue.poll(row, false).outcome).toBe("over");
    // A leave of long before is its own.
    room.now += 4_000;
    expect(room.queue.poll(row, true).outcome).toBe("over");
  });
});

test("a caller who asks a session that has just started counts as seen", async () => {
  await onStorage("asks-anew", async ({ sql }) => {
    const before = new Hall(sql);
    for (let n = 0; n < 4; n += 1) before.arrive({ rooms: ["acme:a"], wait });
    for (let n = 0; n < 2; n += 1) before.join(0);
    const after = new Hall(sql);
    after.now += 61_000;
    const [first] = after.ledger.placements.ofCall("c3");
    const [second] = after.ledger.placements.ofCall("c4");
    if (!first || !second) throw new Error("nobody waits");
    expect(after.queue.poll(second, false).waiting?.position).toBe(1);
    expect(after.queue.poll(first, false).waiting?.position).toBe(1);
    expect(after.queue.poll(second, false).waiting?.position).toBe(2);
  });
});

test.each([
  ["an operator", ["admission"], "it waits to be let in"],
  ["a moderator", ["moderator", "seat"], "it waits for a moderator"],
] as const)(
  "a caller who waits alone for %s is not said to stand in a line",
  async (name, wanted, reason) => {
    await onStorage(`alone for ${name}`, async ({ sql }) => {
      const { ledger, queue, now } = new Room(sql);
      queue.arrive(requestOf("a", { deadline_at: now + 2_000, wait: { ...wait, for: [...wanted] } }));
      expect(ledger.placements.ofCall("a")[0]).toMatchObject({ state: "waiting", reason });
    });
  },
);

test("a placement in another room reads no more of the storage with 1,000 waiting than with none", async () => {
  const readWith = (waiters: number) =>
    onStorage("elsewhere", async ({ sql }) => {
      let cursors: { rowsRead: number }[] = [];
      const exec: SqlStorage["exec"] = (...query) => {
        const cursor = sql.exec<never>(...query);
        cursors.push(cursor);
        return cursor;
      };
      const { ledger, queue, now } = new Room({ exec } as SqlStorage); // All of it that the ledger uses.
      const deadline_at = now + 2_000;
      for (let n = 0; n < SEATS; n += 1) ledger.plan(requestOf(`seated-${n}`, { deadline_at }));
      for (let n = 0; n < waiters; n += 1) {
        const waiter = requestOf(`waiter-${n}`, { deadline_at, wait });
        ledger.placements.plan(waiter, waiter.rooms[0], "there is a line", "waiting");
      }
      await Promise.resolve();
      expect([...ledger.occupancy.waiting.all()]).toHaveLength(waiters);
      cursors = [];
      for (const waits of [{}, { wait }]) {
        const request = requestOf(`elsewhere-${Object.keys(waits)}`, {
          deadline_at,
          rooms: ["acme:elsewhere"],
          ...waits,
        });
        const arrived = queue.arrive(request);
        const row = "rooms" in arrived ? ledger.plan({ ...request, rooms: arrived.rooms }) : null;
        if (!row) throw new Error("it was not placed");
        await Promise.resolve();
        ledger.placements.move(row, "joined", { joined_ts: now / 1000, reason: "joined" });
        await Promise.resolve();
        ledger.placements.move(row, "left", { reason: "gone" });
        await Promise.resolve();
      }
      return cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
    });
  const alone = await readWith(0);
  expect(alone).toBeGreaterThan(0);
  expect(await readWith(1_000)).toBeLessThanOrEqual(alone);
});

test("a line is served with as many looks at the storage, be it short or long", async () => {
  const moderator: Wait = { ...wait, for: ["moderator", "seat"] };
  const looksAt = (waiters: number) =>
    onStorage("long-line", async ({ sql }) => {
      let looks = 0;
      const exec: SqlStorage["exec"] = (...query) => {
        looks += 1;
        return sql.exec(...query);
      };
      const room = new Room({ exec } as SqlStorage); // All of it that the ledger uses.
      for (let n = 0; n < SEATS; n += 1) room.arrive();
      for (let n = 0; n < waiters; n += 1) {
        room.arrive();
        room.arrive({ wait: moderator, node_id: "node-1", rooms: [`acme:room-${n}`] });
      }
      expect(room.waiting()).toHaveLength(2 * waiters);
      looks = 0;
      room.queue.drain();
      return looks;
    });
  expect(await looksAt(50)).toBe(await looksAt(5));
});

describe("a call of cXML's, which nobody can fetch and of which nothing tells that it hung up", () => {
  const music = "https://example.com/music.mp3";

  test("is passed over where it has not asked for a minute, unless it hears music meanwhile", async () => {
    await onStorage("line", async (storage) => {
      await emptied(storage);
      for (const [gone, let_in] of [
        [{}, "c4"],
        [{ wait: { ...wait, music } }, "c3"],
        [{ node_id: "node-1" }, "c3"],
      ] as const) {
        await emptied(storage);
        const room = new Room(storage.sql);
        for (const how of [{}, {}, gone, {}]) room.arrive(how);
        room.join(0);
        room.join(0);
        expect(room.waiting().map(({ call_id }) => call_id)).toEqual(["c3", "c4"]);
        room.pass(45);
        room.poll(1);
        room.pass(16);
        room.leave(0);
        expect(room.let_in).toEqual([let_in]);
      }
    });
  });

  test("has the seat that it is offered for as long as it takes to ask, and no longer", async () => {
    await onStorage("line", async (storage) => {
      for (const [how, seconds] of [
        [{}, 20],
        [{ wait: { ...wait, music } }, 60],
      ] as const) {
        await emptied(storage);
        const room = new Room(storage.sql);
        for (const one of [{}, {}, how]) room.arrive(one);
        room.join(0);
        room.join(0);
        room.leave(0);
        const offered = room.held().find(({ call_id }) => call_id === "c3");
        expect(offered?.lease_until).toBe(room.now + seconds * 1_000);
      }
    });
  });
});
