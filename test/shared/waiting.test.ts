import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drainQueue } from "../../shared/waiting.ts";

interface Waiter {
  name: string;
  rooms: string[];
  ready: boolean;
}

const ROOMS = ["a", "b", "c"];

/** Rooms with so many free seats each, a line served before them. */
class Hall {
  readonly free: Map<string, number>;
  readonly seated: { name: string; room: string }[] = [];

  constructor(free: Record<string, number>) {
    this.free = new Map(Object.entries(free));
  }

  serve(line: readonly Waiter[]): ReadonlySet<string> {
    return drainQueue(line, {
      rooms: ({ rooms }) => rooms,
      isReady: ({ ready }) => ready,
      seat: ({ name }, open) => {
        const room = open.find((one) => (this.free.get(one) ?? 0) > 0);
        if (room === undefined) return false;
        this.free.set(room, (this.free.get(room) ?? 0) - 1);
        this.seated.push({ name, room });
        return true;
      },
    });
  }
}

function waiter(name: string, rooms: string[], ready = true): Waiter {
  return { name, rooms, ready };
}

describe("a line", () => {
  test("seats the longest waiters, and closes the room before the others", () => {
    const hall = new Hall({ a: 2 });
    const closed = hall.serve([waiter("1", ["a"]), waiter("2", ["a"]), waiter("3", ["a"])]);
    expect(hall.seated.map(({ name }) => name)).toEqual(["1", "2"]);
    expect([...closed]).toEqual(["a"]);
  });

  test("one who waits for admission or for the moderator is in nobody's way", () => {
    const hall = new Hall({ a: 1 });
    const closed = hall.serve([waiter("lobby", ["a"], false), waiter("2", ["a"])]);
    expect(hall.seated).toEqual([{ name: "2", room: "a" }]);
    expect([...closed]).toEqual([]);
  });

  test("one who waits for two rooms holds up nobody in a third", () => {
    const hall = new Hall({ c: 1 });
    hall.serve([waiter("1", ["a", "b"]), waiter("2", ["b", "c"])]);
    expect(hall.seated).toEqual([{ name: "2", room: "c" }]);
  });
});

const waiters = fc
  .array(
    fc.record({ rooms: fc.uniqueArray(fc.constantFrom(...ROOMS), { minLength: 1 }), ready: fc.boolean() }),
    {
      maxLength: 20,
    },
  )
  .map((line) => line.map((one, n) => ({ ...one, name: String(n) })));
const seats = fc.record({ a: fc.nat(4), b: fc.nat(4), c: fc.nat(4) });

describe("whatever the line and the seats", () => {
  test("nobody is seated twice, none beyond the seats, and only those who are ready", () => {
    fc.assert(
      fc.property(waiters, seats, (line, free) => {
        const hall = new Hall(free);
        hall.serve(line);
        expect(new Set(hall.seated.map(({ name }) => name)).size).toBe(hall.seated.length);
        for (const room of ROOMS) expect(hall.free.get(room) ?? 0).toBeGreaterThanOrEqual(0);
        for (const { name, room } of hall.seated) {
          expect(line[Number(name)]).toMatchObject({ ready: true });
          expect(line[Number(name)]?.rooms).toContain(room);
        }
      }),
    );
  });

  test("nobody has a seat that one who waited longer could have had", () => {
    fc.assert(
      fc.property(waiters, seats, (line, free) => {
        const hall = new Hall(free);
        hall.serve(line);
        const seated = new Map(hall.seated.map(({ name, room }) => [name, room]));
        for (const left of line.filter(({ name, ready }) => ready && !seated.has(name))) {
          for (const { name } of line.slice(Number(left.name) + 1)) {
            expect(left.rooms).not.toContain(seated.get(name));
          }
        }
      }),
    );
  });

  test("no seat stays empty that somebody ready at the head of a line waits for, and a second serving changes nothing", () => {
    fc.assert(
      fc.property(waiters, seats, (line, free) => {
        const hall = new Hall(free);
        const closed = hall.serve(line);
        const seated = new Set(hall.seated.map(({ name }) => name));
        const left = line.filter(({ name }) => !seated.has(name));
        const [head] = left.filter(({ ready }) => ready);
        for (const room of head?.rooms ?? []) expect(hall.free.get(room) ?? 0).toBe(0);
        expect(hall.serve(left)).toEqual(closed);
        expect(hall.seated).toHaveLength(seated.size);
      }),
    );
  });
});
