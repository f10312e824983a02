import { expect, test, vi } from "vitest";
import { PendingCommands } from "../../../../functions/session/store/commands.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { onStorage } from "../ledger.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";

test("what is dropped while it is being done takes nothing with it that was added since", async () => {
  await onStorage("errands", async ({ sql }) => {
    const pendingCommands = new PendingCommands(new Disk(sql, Date.now), () => 1_000);
    const caller = (call_id: string) => ({ call_id, entry: "", step: 0 });
    pendingCommands.add("fetch", caller("hung-up"), "node-1");
    const [fetching] = pendingCommands.takeDue(10);
    pendingCommands.drop("fetch", caller("hung-up"));
    pendingCommands.add("fetch", caller("next-in-line"), "node-1");
    if (fetching) pendingCommands.done(fetching);
    expect(pendingCommands.takeDue(10)).toMatchObject([
      { kind: "fetch", call_id: "next-in-line", attempts: 0 },
    ]);
    expect(pendingCommands.isUnderWay("fetch", caller("next-in-line"))).toBe(true);
  });
});

test("a call that leaves its room again while it is still being put back is put back once more", async () => {
  await onStorage("errands-again", async ({ sql }) => {
    const pendingCommands = new PendingCommands(new Disk(sql, Date.now), () => 1_000);
    const caller = { call_id: "taken-out", entry: "", step: 0 };
    pendingCommands.add("rejoin", caller, "node-1");
    const [putting_back] = pendingCommands.takeDue(10);
    pendingCommands.add("rejoin", caller, "node-1");
    if (putting_back) pendingCommands.done(putting_back);
    expect(pendingCommands.takeDue(10)).toMatchObject([
      { kind: "rejoin", call_id: "taken-out", attempts: 0 },
    ]);
  });
});

test("what a lost incarnation was in the middle of is due as soon as another takes over", async () => {
  await onStorage("taken over", async ({ sql }) => {
    const lost = new PendingCommands(new Disk(sql, Date.now), () => 1_000);
    const caller = { call_id: "left-alone", entry: "", step: 0 };
    lost.add("end", caller, "node-1");
    lost.add("overdue", caller, "node-1", 60_000);
    expect(lost.takeDue(10)).toHaveLength(1);
    const next = new PendingCommands(new Disk(sql, Date.now), () => 1_500);
    expect(next.takeDue(10)).toEqual([]);
    next.takeOver();
    expect(next.takeDue(10)).toMatchObject([{ kind: "end", call_id: "left-alone", attempts: 1 }]);
  });
});

test("what finds no room on disk is done all the same, no sooner or more often, and written once there is room", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await onStorage("errands-full", async ({ sql }) => {
    let now = 1_000;
    const pendingCommands = new PendingCommands(new Disk(sql, Date.now), () => now);
    const caller = (call_id: string) => ({ call_id, entry: "", step: 0 });
    pendingCommands.add("end", caller("before"), "node-1");
    const full = new SqlFaults(sql, needsRoom, FULL);
    pendingCommands.add("end", caller("since"), "node-1");
    pendingCommands.add("end", caller("since"), "node-1");
    const taken = pendingCommands.takeDue(10);
    expect(taken.map(({ call_id }) => call_id).sort()).toEqual(["before", "since"]);
    expect(pendingCommands.takeDue(10)).toEqual([]);
    for (const pending of taken) pendingCommands.retry(pending);
    expect(pendingCommands.nextDue()).toBe(2_000);
    now = 2_000;
    const again = pendingCommands.takeDue(10);
    expect(again.map(({ attempts }) => attempts)).toEqual([1, 1]);
    for (const pending of again) if (pending.call_id === "before") pendingCommands.done(pending);
    full[Symbol.dispose]();
    pendingCommands.save();
    const next = new PendingCommands(new Disk(sql, Date.now), () => 60_000);
    expect(next.takeDue(10)).toMatchObject([{ kind: "end", call_id: "since", attempts: 2 }]);
  });
});

test("what neither RELAY nor REST could do for now is tried once a minute for a day; what both refuse is given up", async () => {
  await onStorage("errands-lasting", async ({ sql }) => {
    let now = 0;
    const pendingCommands = new PendingCommands(new Disk(sql, Date.now), () => now);
    const tries = (lasts: boolean): number => {
      pendingCommands.add("end", { call_id: `lasts-${lasts}`, entry: "", step: 0 }, "node-1");
      for (let count = 1; ; count += 1) {
        const [pending] = pendingCommands.takeDue(1);
        if (!pending || !pendingCommands.retry(pending, lasts)) return count;
        now = pendingCommands.nextDue() ?? now;
      }
    };
    expect(tries(false)).toBe(8);
    now = 0;
    expect(tries(true)).toBeGreaterThan(1_000);
    expect(now).toBeGreaterThan(23 * 3_600_000);
    expect(now).toBeLessThan(25 * 3_600_000);
  });
});
