import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Line } from "../../../functions/session/line.ts";
import type { Placement } from "../../../functions/session/placements.ts";
import { replyOf } from "../../../functions/session/placing.ts";
import type { Wait } from "../../../shared/rules/decision.ts";
import { emptied, Ledger, onStorage, requestOf } from "./ledger.ts";

const SEATS = 2;
const wait: Wait = { for: ["seat"], max_s: 7_200, otherwise: { action: "reject" } };

/** A line before one room, over real rows: what its callers and the time do to it is the test's. */
class Room {
  now = 1_000_000_000_000;
  readonly ledger: Ledger;
  readonly line: Line;
  /** Calls in the order in which they came into the line, and in which they were let in from it. */
  readonly came: string[] = [];
  readonly let_in: string[] = [];
  #calls = 0;

  constructor(sql: SqlStorage) {
    const now = () => this.now;
    this.ledger = new Ledger(sql, now, () => Promise.reject(new Error("REST is out of reach")));
    const { placements, rooms, errands } = this.ledger;
    const isWalked = () => false;
    this.line = new Line({
      placements,
      rooms,
      errands,
      isWalked,
      start: () => {},
      doubt: () => {},
      now,
    });
  }

  /** @param how it waits; without a node it came by cXML. */
  arrive(how: { wait?: Wait; node_id?: string; rooms?: [string] } = { wait, node_id: "node-1" }): void {
    this.#calls += 1;
    const call_id = `c${this.#calls}`;
    const { node_id: _, ...alike } = requestOf(call_id, {
      deadline_at: this.now + 2_000,
      join_via: "document",
    });
    const request = { ...alike, wait, ...how };
    const arrived = this.line.arrive(request);
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
    const rows = this.held().filter(({ state, wait: terms }) => state === "by_document" && terms !== null);
    const row = rows[which % Math.max(1, rows.length)];
    if (row && this.line.takeBack(row)) this.let_in.splice(this.let_in.indexOf(row.call_id), 1);
    this.serve();
  }

  hangUp(which: number): void {
    const row = this.waiting()[which % Math.max(1, this.waiting().length)];
    if (row) this.line.ended(row);
    this.serve();
  }

  poll(which: number): void {
    const row = this.waiting()[which % Math.max(1, this.waiting().length)];
    if (row) this.line.polled(row, false);
    this.look();
  }

  pass(seconds: number): void {
    this.now += seconds * 1_000;
    this.serve();
  }

  serve(): void {
    this.line.serve();
    this.look();
  }

  waiting(): Placement[] {
    return this.ledger.rooms.waiting();
  }

  held(): Placement[] {
    const { rooms, placements } = this.ledger;
    return rooms
      .around("acme:support")
      .flatMap((row) => (rooms.holdsSeat(row) && placements.find(row)) || []);
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
            const taken = room.ledger.rooms.taken("acme:support");
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
      room.line.serve();
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
        expect(offered?.deadline_at).toBe(room.now + seconds * 1_000);
      }
    });
  });
});
