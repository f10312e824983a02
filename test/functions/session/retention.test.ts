import { afterEach, expect, test, vi } from "vitest";
import { PinLimiter } from "../../../functions/session/pins/pin-limiter.ts";
import { keptIn, Retention } from "../../../functions/session/retention.ts";
import { Ledger, onStorage, requestOf } from "./ledger.ts";

afterEach(() => vi.restoreAllMocks());

const HOUR = 3_600_000;
const KEEP = 7 * 24 * HOUR;
const KEEPING = { keep_ms: KEEP, keep_recordings_ms: 90 * 24 * HOUR };
const START = 1_800_000_000_000;
const operator = { deed: "end", by: "nobody", said: "an operator ends the call" } as const;
const pins = {
  v: 1,
  tenant: "acme",
  call_id: "guesses",
  from: "+15550100009",
  to: "+15550100100",
  entry: "",
  step: 0,
  answer: "a",
  wrong: true,
  limits: {
    tries_per_caller: 1,
    tries_per_number: 9,
    window_s: 30 * 24 * 3_600,
    caller_block_s: 30 * 24 * 3_600,
    number_block_s: 30 * 24 * 3_600,
  },
} as const;

interface Filled {
  ledger: Ledger;
  retention: Retention;
  sql: SqlStorage;
  pass(ms: number): void;
  run(): Promise<boolean>;
  count(table: string, where?: string): number;
}

/** A call an hour for six days, each with its events and its journal; one of the first day is still in its room. */
async function filled(
  name: string,
  limit_bytes: number,
  use: (filled: Filled) => Promise<void>,
): Promise<void> {
  await onStorage(`forgetting-${name}`, async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
      undefined,
      undefined,
      limit_bytes,
    );
    const desk = new PinLimiter(
      ledger.disk,
      () => now,
      () => {},
    );
    desk.ask(pins);
    ledger.recordings.add({ tenant: "acme", room: "acme:support", state: "completed", started_at: now });
    ledger.history.action({ tenant: "acme", call_id: "c-0" }, operator);
    for (let n = 0; n < 144; n += 1) {
      const call_id = `c-${n}`;
      const row = ledger.plan(requestOf(call_id, { deadline_at: now + 2_000, capacity: 999 }));
      if (row && n > 0) ledger.placements.move(row, "left", { reason: "over" });
      ledger.history.action(
        { tenant: "acme", call_id },
        { deed: "end", by: "rest", said: "x".repeat(2_000) },
      );
      const params = { status: "participant-join", call_id, name: "acme:support" };
      const event = {
        kind: "conference",
        event_type: "calling.conference",
        timestamp: now / 1000,
        params,
      } as const;
      ledger.eventLog.record(event, "relay");
      now += HOUR;
    }
    const retention = new Retention(keptIn(ledger, desk), () => now);
    await use({
      ledger,
      retention,
      sql,
      pass: (ms) => {
        now += ms;
      },
      run: async () => (await retention.run(KEEPING)).isMore,
      count: (table, where = "1") =>
        Number(sql.exec(`SELECT COUNT(*) AS n FROM ${table} WHERE ${where}`).one()["n"]),
    });
  });
}

async function runAll(run: () => Promise<boolean>): Promise<void> {
  for (let runs = 0; await run(); runs += 1) if (runs > 50) throw new Error("it never ends");
}

test("storage with room keeps history for its whole time", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await filled("room", 10_000_000_000, async ({ run, count }) => {
    await runAll(run);
    expect([count("events"), count("placements"), count("journal")]).toEqual([144, 144, 145]);
    expect(warn).not.toHaveBeenCalled();
  });
});

test("storage that is nearly full forgets the oldest history, until it is not or an hour is left", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await filled("nearly", 600_000, async ({ run, count, sql }) => {
    expect(sql.databaseSize).toBeGreaterThan(480_000);
    await runAll(run);
    expect(sql.databaseSize).toBeLessThan(480_000);
    expect(count("journal")).toBeGreaterThan(10);
    expect(count("journal")).toBeLessThan(145);
    // The newest stay.
    expect(count("events", "call_id = 'c-143'")).toBe(1);
    expect(count("events", "call_id = 'c-1'")).toBe(0);
    expect(warn.mock.calls.flat().join()).toMatch(/"event":"storage.nearly_full"/);
  });
});

test("what is live, recorded, shut out or done by an operator stays, however full it is", async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  await filled("hopeless", 1, async ({ run, count, ledger }) => {
    await runAll(run);
    expect(count("events")).toBeLessThan(3);
    expect(count("placements", "live = 1")).toBe(1);
    expect(count("placements")).toBeLessThan(4);
    expect(ledger.placements.ofCall("c-0")).toHaveLength(1);
    expect(count("journal", "data LIKE '%operator%'")).toBe(1);
    expect(count("pin_guards")).toBeGreaterThan(0);
    expect(count("recordings")).toBe(1);
  });
});

test("recordings are kept for a time of their own, longer than calls or shorter", async () => {
  await filled("recordings", 10_000_000_000, async ({ run, pass, count, retention }) => {
    pass(83 * 24 * HOUR);
    await runAll(run);
    expect([count("journal"), count("recordings")]).toEqual([0, 1]);
    expect(retention.next(KEEPING)).toBe(START + KEEPING.keep_recordings_ms);
    pass(24 * HOUR + 1);
    await runAll(run);
    expect(count("recordings")).toBe(0);
  });
  await filled("recordings-shorter", 10_000_000_000, async ({ retention, count }) => {
    await retention.run({ keep_ms: KEEP, keep_recordings_ms: 24 * HOUR });
    expect([count("journal"), count("recordings")]).toEqual([145, 0]);
  });
});

test("nearly full storage is logged once an hour", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  await filled("warned", 1, async ({ run, pass }) => {
    await runAll(run);
    expect(warn).toHaveBeenCalledTimes(1);
    pass(HOUR);
    await run();
    expect(warn).toHaveBeenCalledTimes(2);
  });
});

test("more than one run forgets is due at once again", async () => {
  await onStorage("forgetting-many", async ({ sql }) => {
    let now = START;
    const ledger = new Ledger(
      sql,
      () => now,
      async () => new Set(),
    );
    const desk = new PinLimiter(
      ledger.disk,
      () => now,
      () => {},
    );
    for (let n = 0; n < 2_500; n += 1)
      ledger.history.action({ tenant: "acme", call_id: `c-${n}` }, { deed: "end", by: "rest", said: "" });
    now += KEEP + 1;
    const retention = new Retention(keptIn(ledger, desk), () => now);
    expect(await retention.run(KEEPING)).toEqual({ rows: 2_000, isMore: true });
    expect(await retention.run(KEEPING)).toEqual({ rows: 500, isMore: false });
  });
});
