import { describe, expect, test } from "vitest";
import { Namings } from "../../../../functions/session/seats/room-naming.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Session {
  ledger: Ledger;
  /** As after a restart: nothing but what is stored. */
  restarted(): Namings;
  /** A call of the tenant's in the room of that wire name. */
  call(call_id: string, tenant: string, room: string): void;
  /** It has left. */
  leave(call_id: string): void;
  pass(ms: number): void;
}

async function inSession(use: (session: Session) => void): Promise<void> {
  await onStorage("namings", async ({ sql }) => {
    let now = 1_800_000_000_000;
    const clock = () => now;
    const ledger = new Ledger(sql, clock, async () => new Set());
    use({
      ledger,
      restarted: () => new Namings(ledger.disk, ledger.occupancy, clock),
      call: (call_id, tenant, room) =>
        void ledger.plan(requestOf(call_id, { deadline_at: now, tenant, rooms: [room] })),
      leave: (call_id) => {
        const [row] = ledger.placements.ofCall(call_id);
        if (row) ledger.placements.move(row, "left", { reason: "left" });
      },
      pass: (ms) => {
        now += ms;
      },
    });
  });
}

describe("the names of a tenant's rooms", () => {
  test("stay plain when a record comes that says nothing of them", async () => {
    await inSession(({ ledger: { namings }, restarted }) => {
      expect(namings.settle({ tenant: "default", rooms: ["board"] })).toEqual(["board"]);
      const asked = { tenant: "default", rooms: ["default:board", "default:board-2"] } as const;
      expect(namings.settle({ ...asked, rooms: [...asked.rooms] })).toEqual(["board", "board-2"]);
      expect(restarted().settle({ ...asked, rooms: [...asked.rooms] })).toEqual(["board", "board-2"]);
      expect(restarted().of("default")).toBe("plain");
    });
  });

  test("stay prefixed when a record goes, and of others are as asked", async () => {
    await inSession(({ ledger: { namings } }) => {
      namings.settle({ tenant: "default", rooms: ["default:board"] });
      expect(namings.settle({ tenant: "default", rooms: ["board"] })).toEqual(["default:board"]);
      expect(namings.of("acme")).toBeNull();
      expect(namings.peek({ tenant: "acme", rooms: ["acme:board"] })).toEqual(["acme:board"]);
      expect(namings.of("acme")).toBeNull();
    });
  });

  test("change where the record says so, but of no room while calls are in it", async () => {
    await inSession(({ ledger: { namings }, restarted, call, leave }) => {
      namings.settle({ tenant: "acme", rooms: ["board"], naming: "plain" });
      call("in", "acme", "board");
      const changed = { tenant: "acme", naming: "prefixed" } as const;
      expect(namings.settle({ ...changed, rooms: ["acme:board", "acme:board-2"] })).toEqual([
        "board",
        "acme:board-2",
      ]);
      expect(restarted().settle({ ...changed, rooms: ["acme:board"] })).toEqual(["board"]);
      // A request without a word from the record: from an isolate that has an older one.
      expect(namings.settle({ tenant: "acme", rooms: ["board"] })).toEqual(["board"]);
      leave("in");
      expect(namings.settle({ ...changed, rooms: ["acme:board"] })).toEqual(["acme:board"]);
      call("later", "acme", "acme:board");
      expect(namings.settle({ tenant: "acme", naming: "plain", rooms: ["board"] })).toEqual(["acme:board"]);
    });
  });

  test("are no plain names that read as another tenant's", async () => {
    await inSession(({ ledger: { namings } }) => {
      namings.settle({ tenant: "default", rooms: ["board"], naming: "plain" });
      expect(namings.settle({ tenant: "default", rooms: ["default:acme:board"] })).toEqual([
        "default:acme:board",
      ]);
      // Too long with the prefix, and good without.
      const long = "r".repeat(60);
      expect(namings.settle({ tenant: "default", rooms: [long], naming: "prefixed" })).toEqual([long]);
    });
  });

  test("are not plain where another tenant's callers are in the room of that name", async () => {
    await inSession(({ ledger: { namings }, restarted, call, leave, pass }) => {
      namings.settle({ tenant: "default", rooms: ["board"], naming: "plain" });
      call("theirs", "default", "board");
      namings.settle({ tenant: "default", rooms: ["default:x"], naming: "prefixed" });
      const acme = { tenant: "acme", naming: "plain" } as const;
      expect(namings.settle({ ...acme, rooms: ["board"] })).toEqual(["acme:board"]);
      expect(restarted().peek({ ...acme, rooms: ["board"] })).toEqual(["acme:board"]);
      expect(namings.isOwnPlain("default", "board")).toBe(true);
      expect(namings.isOwnPlain("default", "other")).toBe(true);
      expect(namings.isOwnPlain("nobody", "board")).toBe(false);
      leave("theirs");
      pass(HOUR_MS);
      expect(namings.settle({ ...acme, rooms: ["board"] })).toEqual(["board"]);
    });
  });

  test("that were plain are its own for a day after everybody has left, unless another tenant has the room", async () => {
    await inSession(({ ledger: { namings }, restarted, call, leave, pass }) => {
      namings.settle({ tenant: "default", rooms: ["board"], naming: "plain" });
      call("last", "default", "board");
      namings.settle({ tenant: "default", rooms: ["default:x"], naming: "prefixed" });
      leave("last");
      expect(namings.isOwnPlain("default", "board")).toBe(true);
      expect(restarted().isOwnPlain("default", "board")).toBe(true);
      call("theirs", "acme", "board");
      expect(namings.isOwnPlain("default", "board")).toBe(false);
      leave("theirs");
      pass(DAY_MS - 1);
      expect(namings.isOwnPlain("default", "board")).toBe(true);
      pass(1);
      expect(namings.isOwnPlain("default", "board")).toBe(false);
    });
  });

  test("that never were plain include no plain one", async () => {
    await inSession(({ ledger: { namings } }) => {
      namings.settle({ tenant: "acme", rooms: ["acme:board"], naming: "prefixed" });
      expect(namings.isOwnPlain("acme", "board")).toBe(false);
    });
  });
});
