import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { migrate } from "../../../../functions/session/store/schema.ts";
import { type Fixture, openFixture, warmUp } from "../../fixture.ts";
import { call, heard, openContext, plain, session } from "../calls/context-fixture.ts";
import { fill as fillWith } from "../filled.ts";
import { onStorage } from "../ledger.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";

beforeAll(warmUp);
afterEach(() => vi.restoreAllMocks());

const rules = [{ id: "support", match: {}, place: { room: "support", capacity: 3 } }];
const caller = { from: "+15550100001", to: "+15550100100" };

/** From here on there is no room for anything new in any session's storage. */
async function fill(home: Fixture, fails = needsRoom): Promise<SqlFaults> {
  return await runInDurableObject(session(home), (_, { storage }) => new SqlFaults(storage.sql, fails, FULL));
}

async function placed(home: Fixture): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:support` }, timeout_ms: 10_000 });
  return call_id;
}

function logged(...levels: ("info" | "warn" | "error")[]): () => string {
  const spies = levels.map((level) => vi.spyOn(console, level).mockImplementation(() => {}));
  return () => spies.flatMap((spy) => spy.mock.calls.flat()).join("\n");
}

describe("while a session's storage is full", () => {
  test("a call by webhook joins by its document, which carries the room's limit, and is not counted", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await placed(home);
    const said = logged("info", "error");
    using _full = await fill(home);
    const first = await placed(home);
    const second = await placed(home);
    for (const call_id of [first, second]) {
      const { joined_by, documents } = await home.carrier.call(call_id);
      expect(joined_by).toBe("document");
      expect(documents).toContainEqual({
        step: "join_conference",
        body: expect.objectContaining({ max_participants: 3 }),
      });
    }
    expect((await session(home).status()).live_placements).toBe(1);
    expect(said()).toMatch(/"outcome":"document".*"reason":"the storage is full"/);
    expect(said()).toMatch(/"event":"storage.full"/);
  });

  test("the second such call waits for nothing", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await placed(home);
    logged("error");
    using _full = await fill(home);
    await placed(home);
    const { webhooks } = await home.carrier.call(await placed(home));
    expect(webhooks[0]?.ms).toBeLessThan(1_000);
  });

  test("a call of a context is answered and brought into its room by its document", async () => {
    await using home = await openContext([plain]);
    logged("error");
    using _full = await fill(home);
    const call_id = await call(home);
    await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:any` }, timeout_ms: 15_000 });
    expect(await home.carrier.call(call_id)).toMatchObject({ joined_by: "document", stranded: false });
    await heard(home, call_id);
  });

  test("RELAY's events are acted upon and acknowledged, and counted as unrecorded", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 }, tenant: { join_via: "document" } });
    const call_id = await placed(home);
    await expect.poll(async () => (await session(home).status()).live_placements).toBe(1);
    const said = logged("error");
    using full = await fill(home);
    await home.carrier.hangUp(call_id);
    await expect.poll(async () => (await session(home).status()).live_placements, { timeout: 8_000 }).toBe(0);
    expect(said()).toMatch(/"event":"storage.unrecorded","events":1/);
    expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
    expect(full.failed).toBeGreaterThan(0);
    const { counters } = await session(home).status();
    expect(counters["storage.unrecorded"]).toBeGreaterThan(0);
  });

  test("a status callback is acted upon and asked for again, and once there is room it is no news", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 }, tenant: { join_via: "document" } });
    const call_id = await placed(home);
    await expect.poll(async () => (await session(home).status()).live_placements).toBe(1);
    logged("error");
    const [conference] = await home.carrier.conferences();
    const conference_id = conference?.conference_id;
    const event = {
      v: 1,
      project_id: home.carrier.project_id,
      kind: "conference",
      trusted: true,
      ids_known: true,
      event: {
        kind: "conference",
        event_type: "calling.conference",
        timestamp: Date.now() / 1000 + 30,
        params: { status: "participant-leave", name: `${home.tenant}:support`, call_id, conference_id },
      },
    } as const;
    using full = await fill(home);
    expect(await session(home).conferenceEvent(event)).toMatchObject({ unrecorded: true });
    expect((await session(home).status()).live_placements).toBe(0);
    expect(await session(home).conferenceEvent(event)).toMatchObject({ forward: [], unrecorded: true });
    full[Symbol.dispose]();
    expect(await session(home).conferenceEvent(event)).toEqual({ v: 1, forward: [] });
    expect(await session(home).conferenceEvent(event)).toEqual({ v: 1, forward: [] });
  });
});

test("what changed while the storage was full is written once there is room", async () => {
  await using home = await openFixture({ rules, carrier: { speed: 10 }, tenant: { join_via: "document" } });
  const call_id = await placed(home);
  await expect.poll(async () => (await session(home).status()).live_placements).toBe(1);
  logged("error");
  using full = await fill(home);
  await home.carrier.hangUp(call_id);
  await expect.poll(async () => (await session(home).status()).live_placements, { timeout: 8_000 }).toBe(0);
  full[Symbol.dispose]();
  await runDurableObjectAlarm(session(home));
  await runInDurableObject(session(home), (_, { storage }) => {
    const [row] = storage.sql.exec("SELECT state, live FROM placements WHERE call_id = ?", call_id).toArray();
    expect(row).toEqual({ state: "left", live: 0 });
  });
});

describe("a migration that finds no room", () => {
  /** As an older version left the storage. */
  async function olderVersion(storage: DurableObjectStorage): Promise<void> {
    await storage.deleteAll();
    migrate(storage, 11);
  }

  test("takes it from the oldest history, and from nothing else", async () => {
    await onStorage("migrated-full", async (storage) => {
      await olderVersion(storage);
      const { sql } = storage;
      const now = Date.now();
      fillWith(storage, { calls: 20_000, live: 10, rooms: 1, now: now - 7_200_000 });
      sql.exec(
        `INSERT INTO journal (at, tenant, call_id, kind, data) VALUES (1, 'acme', 'c', 'deed', '{"by":"operator"}');
         INSERT INTO events (at, fingerprint, event_type) VALUES (?, 'new', 'calling.conference')`,
        now,
      );
      const count = (rows: string) =>
        Number(sql.exec(`SELECT COUNT(*) AS count FROM ${rows}`).one()["count"]);
      const kept = ["placements", "kept_seats", "errands", "journal WHERE kind = 'deed'"];
      const had = kept.map(count);
      const [events, entries] = ["events", "journal"].map(count);
      logged("error");
      let tries = 0;
      const fails = (statement: string) => {
        if (!statement.includes("ADD COLUMN when_full")) return false;
        tries += 1;
        return tries <= 2;
      };
      using _full = new SqlFaults(sql, fails, FULL);
      migrate(storage);
      expect(count("migrations WHERE id = 12")).toBe(1);
      expect(kept.map(count)).toEqual(had);
      expect([count("events"), count("journal")]).toEqual([(events ?? 0) - 10_000, (entries ?? 0) - 10_000]);
      expect(count("events WHERE fingerprint = 'new'")).toBe(1);
    });
  });

  test("leaves calls to their documents until there is some, and the session comes by itself then", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const known = await placed(home);
    await home.carrier.hangUp(known);
    logged("error", "warn");
    await runInDurableObject(session(home), async (_, { storage }) => {
      await olderVersion(storage);
      await storage.sync();
    });
    const full = await fill(home, (statement) => statement.includes("ADD COLUMN when_full"));
    await runInDurableObject(session(home), (_, state) => state.abort("deployed")).catch(() => {});
    const { joined_by, documents } = await home.carrier.call(await placed(home));
    expect(joined_by).toBe("document");
    expect(documents).toContainEqual({
      step: "join_conference",
      body: expect.objectContaining({ max_participants: 3 }),
    });
    expect(full.failed).toBeGreaterThan(0);
    full[Symbol.dispose]();
    const counted = await placed(home);
    using archive = await session(home).archive();
    expect(await archive.conference(home.tenant, `${home.tenant}:support`)).toMatchObject({
      participants: expect.arrayContaining([expect.objectContaining({ call_id: counted })]),
    });
  });
});

test("an event with an id or a name that is too long is refused and not cut", async () => {
  await using home = await openFixture({ rules, carrier: { speed: 10 } });
  await placed(home);
  const said = logged("warn");
  const project_id = home.carrier.project_id;
  const event = {
    kind: "conference",
    event_type: "calling.conference",
    timestamp: 1,
    params: { status: "participant-join", name: `${home.tenant}:support`, call_id: "c".repeat(300) },
  } as const;
  const request = { v: 1, project_id, kind: "conference", trusted: true, ids_known: true, event } as const;
  expect(await session(home).conferenceEvent(request)).toEqual({ v: 1, forward: [] });
  await runInDurableObject(session(home), (_, { storage }) => {
    expect(storage.sql.exec("SELECT 1 FROM events WHERE call_id LIKE 'ccc%'").toArray()).toEqual([]);
  });
  expect(said()).toMatch(/"event":"event.refused".*its call_id is too long/);
});
