import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import type { PinAttempt } from "../../../../functions/session/contract/pins.ts";
import type { PlaceRequest } from "../../../../functions/session/contract/placement.ts";
import { PinLimiter } from "../../../../functions/session/pins/pin-limiter.ts";
import { HeldSeats } from "../../../../functions/session/seats/held-seats.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { canonicalAddress } from "../../../../shared/identity.ts";
import type { Placing } from "../../../../shared/placing.ts";
import { type Spelling, spellings } from "../../../shared/spellings.ts";

/** Those that one tenant may see: its settings are the same for all its calls. */
function others({ country, sip_gateways }: Spelling): Spelling[] {
  return spellings.filter((other) => other.country === country && other.sip_gateways === sip_gateways);
}

const NOW = 1_800_000_000_000;
const ROOM = "acme:desk";
const limits = {
  tries_per_caller: 1,
  tries_per_number: 1_000,
  window_s: 900,
  caller_block_s: 900,
  number_block_s: 300,
};

async function withStorage(test: (storage: DurableObjectStorage) => void): Promise<void> {
  const id = env.RELAY_SESSION.newUniqueId();
  await runInDurableObject(env.RELAY_SESSION.get(id), (_, { storage }) => test(storage));
}

/** As the Worker says who calls. */
function callerOf({ written, country, sip_gateways }: Spelling) {
  return { from: canonicalAddress(written, "from", { country, sip_gateways }), from_before: written };
}

describe("a seat that is kept", () => {
  let calls = 0;
  const placing = { rooms: ["desk"] } as unknown as Placing; // All of it that is kept here is given back.

  /** A caller joins, and drops. */
  function drop(heldSeats: HeldSeats, from: string, secret?: true, to = "+15550100100"): void {
    calls += 1;
    const key = { call_id: `call-${calls}`, entry: "", step: 0 };
    const rejoin = { s: 600, to, placing: secret ? { ...placing, secret } : placing };
    heldSeats.promise({ ...key, tenant: "acme", from, rejoin } as unknown as PlaceRequest); // Likewise.
    heldSeats.keep(key, ROOM, 0);
  }

  function isClaimed(
    heldSeats: HeldSeats,
    written: string,
    from = canonicalAddress(written, "from"),
  ): boolean {
    calls += 1;
    const to = "+15550100100";
    const call = { tenant: "acme", from, to, call_id: `call-${calls}`, before: { from: written, to } };
    return heldSeats.claim(call) !== null;
  }

  test("is found by the same caller alone, in every spelling of the table", async () => {
    await withStorage((storage) => {
      const disk = new Disk(storage.sql, () => NOW);
      for (const dropped of spellings) {
        const { from } = callerOf(dropped);
        const wrong = others(dropped).filter((back) => {
          storage.sql.exec("DELETE FROM kept_seats");
          const heldSeats = new HeldSeats(disk, () => NOW);
          drop(heldSeats, from);
          const isSame = dropped.from.caller !== null && dropped.from.caller === back.from.caller;
          return isClaimed(heldSeats, back.written, callerOf(back).from) !== isSame;
        });
        expect([dropped.written, wrong.map(({ written }) => written)]).toEqual([dropped.written, []]);
      }
    });
  });

  test("behind a secret question is found from the same port alone", async () => {
    await withStorage((storage) => {
      const heldSeats = new HeldSeats(new Disk(storage.sql, () => NOW), () => NOW);
      drop(heldSeats, "sip:emil1@example.com:5060", true);
      expect(isClaimed(heldSeats, "sip:emil1@EXAMPLE.com:41234;transport=tcp")).toBe(false);
      expect(isClaimed(heldSeats, "sip:emil1@example.com")).toBe(false);
      expect(isClaimed(heldSeats, "sip:emil1@EXAMPLE.com:5060;transport=tcp")).toBe(true);
      drop(heldSeats, "+15550100001", true);
      expect(isClaimed(heldSeats, "tel:+1-555-010-0001")).toBe(true);
    });
  });

  test("by the version before, under the address as it came, is found by that; by a withheld one it is not", async () => {
    await withStorage((storage) => {
      const keep = (call_id: string, from: string, to: string) =>
        storage.sql.exec(
          `INSERT INTO kept_seats (call_id, entry, step, tenant, "from", "to", keep_s, placing, made_at, room, until)
           VALUES (?, '', 0, 'acme', ?, ?, 600, '{}', ?, ?, ?)`,
          call_id,
          from,
          to,
          NOW,
          ROOM,
          NOW + 600_000,
        );
      keep("old-1", "sip:Bob@EXAMPLE.com:5060;transport=tcp", "+15550100100");
      keep("old-2", "sip:restricted@203.0.113.7", "+15550100100");
      const heldSeats = new HeldSeats(new Disk(storage.sql, () => NOW), () => NOW);
      expect(isClaimed(heldSeats, "sip:restricted@203.0.113.7")).toBe(false);
      expect(isClaimed(heldSeats, "sip:bob@example.com")).toBe(false);
      expect(isClaimed(heldSeats, "sip:Bob@EXAMPLE.com:5060;transport=tcp")).toBe(true);
      expect(heldSeats.countIn(ROOM)).toBe(2);
    });
  });

  test("is found through a Worker of the version before, which sends the address as it came", async () => {
    await withStorage((storage) => {
      const heldSeats = new HeldSeats(new Disk(storage.sql, () => NOW), () => NOW);
      drop(heldSeats, "sip:Bob@EXAMPLE.com:5060");
      const request = {
        tenant: "acme",
        from: "sip:Bob@EXAMPLE.com:5060",
        to: "+15550100100",
        call_id: "back",
      };
      expect(heldSeats.claim(request)).toEqual(placing);
    });
  });
});

describe("a wrong PIN", () => {
  const attempt = {
    v: 1,
    tenant: "acme",
    to: "+15550100199",
    entry: "",
    step: 1,
    answer: "a",
    wrong: true,
  } as const;
  let calls = 0;

  function tryPin(desk: PinLimiter, changes: Pick<PinAttempt, "from"> & Partial<PinAttempt>): string {
    calls += 1;
    const verdict = desk.ask({ ...attempt, limits, call_id: `call-${calls}`, ...changes });
    return verdict.allowed ? "allowed" : verdict.closed;
  }

  test("shuts out the same caller alone, in every spelling of the table", async () => {
    await withStorage((storage) => {
      const desk = new PinLimiter(new Disk(storage.sql, () => NOW), () => NOW, vi.fn());
      for (const one of spellings) {
        const wrong = others(one).filter((other) => {
          storage.sql.exec("DELETE FROM pin_guards");
          tryPin(desk, callerOf(one));
          const isSame = one.counted !== null && one.counted === other.counted;
          return (tryPin(desk, { ...callerOf(other), wrong: false }) === "caller") !== isSame;
        });
        expect([one.written, wrong.map(({ written }) => written)]).toEqual([one.written, []]);
      }
    });
  });

  test("counts on from what the version before counted, and an operator lets the caller in again by either name", async () => {
    await withStorage((storage) => {
      const desk = new PinLimiter(new Disk(storage.sql, () => NOW), () => NOW, vi.fn());
      const old = "sip:b%6fb@example.com";
      const count = (kind: string, who: string, tries: number[], until = 0) =>
        storage.sql.exec(
          "INSERT INTO pin_guards (tenant, kind, who, tries, closings, closed_until, forget_at) VALUES ('acme', ?, ?, ?, 0, ?, ?)",
          kind,
          who,
          JSON.stringify(tries),
          until,
          NOW + 900_000,
        );
      count("caller", old, [NOW - 1, NOW - 1, NOW - 1]);
      const four = { limits: { ...limits, tries_per_caller: 5 } };
      expect(tryPin(desk, { from: "sip:bob@example.com", ...four })).toBe("allowed");
      expect(tryPin(desk, { from: "sip:bob@example.com", from_before: old, ...four })).toBe("caller");
      expect(desk.letIn("acme", "sip:bob@EXAMPLE.com:5060")).toBe(true);
      count("caller", old, [], NOW + 1);
      expect(tryPin(desk, { from: "sip:bob@example.com", from_before: old, wrong: false })).toBe("caller");
      expect(desk.letIn("acme", old)).toBe(true);
      count("number", "sip:*@[2001:db8:0::1]", [], NOW + 1);
      const to = "sip:1@[2001:DB8:0::1]";
      expect(tryPin(desk, { from: "+15550100001", to, wrong: false })).toBe("number");
    });
  });
});
