import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { HeldSeats } from "../../../../functions/session/seats/held-seats.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import type { Placing } from "../../../../shared/placing.ts";
import { Ledger, onStorage, requestOf } from "../ledger.ts";

const key = { call_id: "c", entry: "", step: 0 };

test("what another incarnation left to be done is not put off by whoever calls first", async () => {
  // A stub of what was lost stays broken.
  const session = () => env.RELAY_SESSION.getByName("left-behind");
  await runInDurableObject(session(), (_, state) => {
    const later = Date.now() + 300_000;
    state.storage.sql.exec(
      "INSERT INTO errands (kind, call_id, entry, step, due_at) VALUES ('end', 'c', '', 0, ?)",
      later,
    );
  });
  await runInDurableObject(session(), (_, state) => state.abort("lost")).catch(() => {});
  await session().look({ v: 1, ...key, asking_step: 1 });
  const alarm = await runInDurableObject(session(), (_, state) => state.storage.getAlarm());
  expect((alarm ?? 0) - Date.now()).toBeLessThan(2_000);
});

test("a call that one tenant handed on to another joins by its document, and learns nothing of where it was", async () => {
  const session = env.RELAY_SESSION.getByName("handed-on");
  const request = requestOf("c", { deadline_at: Date.now() + 2_000, join_via: "document" });
  expect(await session.place(request)).toMatchObject({
    outcome: "document",
    room: "acme:support",
    counted: true,
  });
  const handed = { ...request, tenant: "globex", rooms: ["globex:desk"] as [string] };
  expect(await session.place(handed)).toMatchObject({
    outcome: "document",
    room: "globex:desk",
    counted: false,
  });
});

test("a call that is being placed is found, however many others were read meanwhile", async () => {
  await onStorage("crowd", async ({ sql }) => {
    const { placements } = new Ledger(
      sql,
      () => 1_000,
      async () => new Set(),
    );
    const row = placements.plan(requestOf("c", { deadline_at: 3_000 }), "acme:support", "planned", "planned");
    for (let n = 0; n < 5_001; n += 1) placements.ofCall(`other-${n}`);
    expect(placements.find(key)).toBe(row);
  });
});

test("a seat cannot be claimed before it is known whether its caller dropped or was removed", async () => {
  await onStorage("undecided", async ({ sql }) => {
    let now = 1_000;
    const heldSeats = new HeldSeats(new Disk(sql, Date.now), () => now);
    const placing = { rooms: ["support"] } as unknown as Placing; // Kept as it is, whatever it says.
    const claim = (call_id: string) =>
      heldSeats.claim({ tenant: "acme", from: "+15550100001", to: "+15550100100", call_id });
    const leave = (call_id: string) => {
      const rejoin = { s: 60, to: "+15550100100", placing };
      heldSeats.promise(requestOf(call_id, { deadline_at: now, rejoin }));
      return heldSeats.keep({ ...key, call_id }, "acme:support", 6_000);
    };
    const drops = { ...key, call_id: "drops" };
    expect(leave("drops")).toBe(true);
    expect(heldSeats.countIn("acme:support")).toBe(1);
    // Neither another call nor the one that left, which would be no drop.
    expect([claim("back"), claim("drops"), heldSeats.take("drops")]).toEqual([null, null, null]);
    heldSeats.dropped(drops);
    // That is settled: what is heard later of the call changes nothing.
    expect(heldSeats.removed(drops)).toBeNull();
    expect(claim("back")).toEqual(placing);
    expect(heldSeats.take("back")).toBe("acme:support");

    leave("removed");
    expect(heldSeats.removed({ ...key, call_id: "removed" })).toBe("acme:support");
    expect(heldSeats.countIn("acme:support")).toBe(0);
    expect(claim("other")).toBeNull();

    leave("silent");
    now += 5_999;
    expect(claim("other")).toBeNull();
    now += 1;
    expect(claim("other")).toEqual(placing);

    heldSeats.promise(
      requestOf("ended", { deadline_at: now, rejoin: { s: 60, to: "+15550100100", placing } }),
    );
    heldSeats.removed({ ...key, call_id: "ended" });
    expect(heldSeats.isPromised({ ...key, call_id: "ended" })).toBe(false);
    expect(heldSeats.keep({ ...key, call_id: "ended" }, "acme:support", 0)).toBe(false);
  });
});

test("a caller who comes back is led back by each copy of the webhook, and nobody else is by that seat", async () => {
  await onStorage("returning", async ({ sql }) => {
    let now = 1_000;
    const heldSeats = new HeldSeats(new Disk(sql, Date.now), () => now);
    const placing = { rooms: ["support"] } as unknown as Placing; // Kept as it is, whatever it says.
    const rejoin = { s: 60, to: "+15550100100", placing };
    heldSeats.promise(requestOf("c", { deadline_at: now, rejoin }));
    heldSeats.keep(key, "acme:support", 0);
    const seats = { kept: 1, until: now + 60_000 };
    expect(heldSeats.keptIn("acme:support")).toEqual(seats);
    const numbers = { tenant: "acme", from: "+15550100001", to: "+15550100100" };
    expect(heldSeats.claim({ ...numbers, call_id: "back" })).toEqual(placing);
    expect(heldSeats.take("back")).toBe("acme:support");
    expect(heldSeats.countIn("acme:support")).toBe(0);
    expect(heldSeats.claim({ ...numbers, call_id: "back" })).toEqual(placing);
    expect(heldSeats.take("back")).toBeNull();
    expect(heldSeats.claim({ ...numbers, call_id: "another" })).toBeNull();
    now += 16_000;
    expect(heldSeats.claim({ ...numbers, call_id: "another" })).toBeNull();
    expect(heldSeats.claim({ ...numbers, call_id: "back" })).toBeNull();
    expect(heldSeats.forget(10)).toBe(1);
  });
});
