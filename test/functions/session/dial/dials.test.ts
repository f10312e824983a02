import { expect, test, vi } from "vitest";
import type { DialRequest } from "../../../../functions/session/contract/dial.ts";
import { Dials } from "../../../../functions/session/store/dials.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { NOBODY_FOLLOWS, onStorage } from "../ledger.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";

function requestOf(tenant: string, id: string): DialRequest {
  const to = "+15550100201";
  return {
    v: 1,
    project_id: "p-1",
    tenant,
    id,
    to,
    from: "+15550100100",
    device: "phone",
    timeout_s: 30,
    max_concurrent: 1,
    per_s: 1,
    room: `${tenant}:team`,
    decision: {
      action: "place",
      rule: null,
      ruleset: "r1",
      decided_at: 0,
      looked_at: [],
      rooms: ["team"],
      strategy: "first",
      role: "participant",
      join: {},
    },
  };
}

test("a tenant at its limit, however many of its calls wait, keeps no other tenant's call waiting", async () => {
  await onStorage("dials-queue", async ({ sql }) => {
    const dials = new Dials(new Disk(sql, Date.now), () => 1_000, NOBODY_FOLLOWS);
    for (let n = 0; n < 300; n += 1) dials.add(`a-${n}`, requestOf("acme", `${n}`));
    dials.add("b-0", requestOf("globex", "0"));
    expect(dials.heads()).toMatchObject([{ tag: "a-0" }, { tag: "b-0" }]);
    expect(dials.areOpen).toBe(true);
  });
});

test("what is looked for with every dial and alarm is found without reading all that is kept", async () => {
  await onStorage("dials-cost", async ({ sql }) => {
    let now = 1_000;
    const dials = new Dials(new Disk(sql, Date.now), () => now, NOBODY_FOLLOWS);
    for (let n = 0; n < 500; n += 1) {
      const dial = dials.add(`a-${n}`, requestOf("acme", `${n}`));
      dials.update(dial, { state: "busy", sent_at: now });
    }
    now = 2_000;
    dials.add("open", requestOf("acme", "open"));
    const read: number[] = [];
    const counting = {
      exec: (...args: Parameters<SqlStorage["exec"]>) => {
        const cursor = sql.exec(...args);
        const rows = cursor.toArray();
        read.push(cursor.rowsRead);
        return { toArray: () => rows, one: () => rows[0], [Symbol.iterator]: () => rows.values() };
      },
    } as unknown as SqlStorage; // As much of it as the table's reader uses.
    const counted = new Dials(new Disk(counting, Date.now), () => now, NOBODY_FOLLOWS);
    expect(counted.heads()).toMatchObject([{ tag: "open" }]);
    expect(counted.countQueued("acme", 1_000)).toBe(1);
    expect(counted.countUnderWay("acme", 10)).toBe(0);
    expect(counted.underWay()).toEqual([]);
    expect(counted.areOpen).toBe(true);
    expect(counted.lastSentAt()).toBe(1_000);
    expect(counted.oldest()).toBe(1_000);
    expect(counted.forget(60_000, 10)).toBe(0);
    expect(Math.max(...read)).toBeLessThan(100);
  });
});

test("where there is no room on disk no phone is rung, and one that rings is followed all the same", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await onStorage("dials-full", async ({ sql }) => {
    const dials = new Dials(new Disk(sql, Date.now), () => 1_000, NOBODY_FOLLOWS);
    const rings = dials.add("rings", requestOf("acme", "1"));
    dials.update(rings, { state: "ringing" });
    const waits = dials.add("waits", requestOf("acme", "2"));
    const full = new SqlFaults(sql, needsRoom, FULL);
    expect(() => dials.update(waits, { state: "sending" })).toThrow(FULL);
    expect(dials.byTag("waits")?.state).toBe("queued");
    dials.update(rings, { state: "answered" });
    expect(dials.byTag("rings")?.state).toBe("answered");
    expect(dials.underWay()).toEqual([]);
    full[Symbol.dispose]();
    dials.update(rings, { call_id: "c-1" });
    const kept = new Dials(new Disk(sql, Date.now), () => 1_000, NOBODY_FOLLOWS).byTag("rings");
    expect(kept).toMatchObject({ state: "answered", call_id: "c-1" });
  });
});
