import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { openContext, putContexts, session } from "./calls/context-fixture.ts";
import { SqlFaults } from "./sql-faults.ts";

beforeAll(warmUp);

const rules = [{ id: "any", match: {}, place: { room: "any" } }];

/** In how many milliseconds the alarm comes; null: none does. */
async function alarmIn(home: Fixture): Promise<number | null> {
  return await runInDurableObject(session(home), async (_, { storage }) => {
    const at = await storage.getAlarm();
    return at === null ? null : at - Date.now();
  });
}

async function runAlarm(home: Fixture): Promise<void> {
  expect(await runDurableObjectAlarm(session(home))).toBe(true);
}

describe("the alarm", () => {
  test.each(["DELETE FROM journal", "dials_under_way", "walks_by_open"])(
    "comes again though SQL fails: %s",
    async (failing) => {
      await using home = await openFixture({ rules, project: { session: { stay_up: true } } });
      await session(home).check(home.carrier.project_id, "1", 1_000);
      const error = vi.spyOn(console, "error").mockImplementation(() => {});
      await runInDurableObject(session(home), async (_, { storage }) => {
        await storage.deleteAlarm();
        await storage.setAlarm(Date.now() + 3_600_000);
        using _faults = new SqlFaults(storage.sql, (statement) => statement.includes(failing), "SQL broke");
        await runAlarm(home);
      });
      const at = await alarmIn(home);
      expect(at).toBeGreaterThan(0);
      expect(at).toBeLessThanOrEqual(30_000);
      expect(error.mock.calls.flat().join("\n")).toMatch(/"event":"heartbeat.broke".*SQL broke/);
      error.mockRestore();
    },
  );
});

test("the alarm comes again within a second where more is to be forgotten than one does", async () => {
  await using home = await openFixture({ rules, project: { session: { stay_up: true } } });
  await session(home).check(home.carrier.project_id, "1", 1_000);
  await runInDurableObject(session(home), (_, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
       INSERT INTO journal (at, tenant, call_id, kind, data) SELECT 1, 'acme', 'c', 'deed', '{}' FROM numbers`,
    );
  });
  await runDurableObjectAlarm(session(home));
  expect(await alarmIn(home)).toBeLessThanOrEqual(1_000);
  await runDurableObjectAlarm(session(home));
  expect(await alarmIn(home)).toBeGreaterThan(1_000);
});

describe("while calls of contexts are wanted", () => {
  test("the alarm comes within 10 s, so that no caller hears ringing for longer where the object is lost", async () => {
    await using home = await openContext(rules);
    expect(await alarmIn(home)).toBeLessThanOrEqual(10_000);
    await runDurableObjectAlarm(session(home));
    expect(await alarmIn(home)).toBeLessThanOrEqual(10_000);
  });

  test("and they are wanted no more, it comes every 30 s", async () => {
    await using home = await openContext(rules);
    await putContexts(home, {});
    await runInDurableObject(session(home), (_, state) => state.abort("deployed")).catch(() => {});
    await session(home).check(home.carrier.project_id, "1", 1_000);
    await runDurableObjectAlarm(session(home));
    await expect.poll(() => alarmIn(home)).toBeGreaterThan(10_000);
  });
});
