import { expect, test } from "vitest";
import { ControlLog } from "../../../../functions/session/store/control-log.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { RoomPolicies } from "../../../../functions/session/store/room-policies.ts";
import { NOBODY_FOLLOWS, onStorage } from "../ledger.ts";

test("a tenant's many commands push out its own oldest, and none of another's", async () => {
  await onStorage("commands-of-tenants", async ({ sql }) => {
    const controls = new ControlLog(new Disk(sql, Date.now));
    const add = (tenant: string, id: string) =>
      controls.add({
        command_id: `${tenant}-${id}`,
        control: "mute",
        state: "requested",
        changed: false,
        sent_by: null,
        verified_by: null,
        room: `${tenant}:support`,
        conference_id: null,
        call_id: null,
        at: 0,
        settled_at: null,
        said: "",
        tenant,
        wanted: null,
        request_key: id,
        fingerprint: "f",
      });
    add("quiet", "first");
    for (let n = 0; n < 5_002; n += 1) add("busy", String(n));
    expect(controls.under("quiet", "first")?.command_id).toBe("quiet-first");
    expect([0, 1, 2].map((n) => controls.under("busy", String(n))?.command_id)).toEqual([
      undefined,
      undefined,
      "busy-2",
    ]);
  });
});

test("a tenant with too many locks gets no more, until one is over; others do", async () => {
  await onStorage("policies-of-tenants", async ({ sql }) => {
    let now = 1_000;
    const policies = new RoomPolicies(
      new Disk(sql, Date.now),
      () => true,
      () => now,
      NOBODY_FOLLOWS,
    );
    const lock = (tenant: string, room: string, until: number | null = null) =>
      policies.set<"lock">({ room, kind: "lock", about: "", tenant, until, data: { mode: "refuse" } });
    lock("busy", "r-short", 2_000);
    for (let n = 1; n < 2_000; n += 1) lock("busy", `r-${n}`);
    expect(policies.mayAdd({ room: "r-more", kind: "lock", tenant: "busy" })).toBe(false);
    expect(() => lock("busy", "r-more")).toThrow("too many");
    expect(policies.lockOf("r-more")).toBe(null);
    // What is there already may be changed, and another tenant has room.
    lock("busy", "r-1", 9_000);
    lock("quiet", "q-1");
    now = 3_000;
    lock("busy", "r-more");
    expect(policies.lockOf("r-more")).not.toBe(null);
  });
});
