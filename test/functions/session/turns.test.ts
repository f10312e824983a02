import { expect, test } from "vitest";
import { fill } from "./filled.ts";
import { Ledger, onStorage } from "./ledger.ts";
import { SqlRecording } from "./sql-recording.ts";

const LIVE = 1_000;
const ROOMS = 10;

test("ten rooms of a hundred whose lists come together are written in turns of a few statements", async () => {
  await onStorage("written-in-turns", async (storage) => {
    fill(storage, { calls: 0, live: LIVE, rooms: ROOMS, now: Date.now() });
    const ledger = new Ledger(storage.sql, Date.now, async (room) => {
      return new Set(ledger.rooms.around(room).map(({ call_id }) => call_id));
    });
    await ledger.rooms.known();
    for (const room of ledger.rooms.all()) ledger.checks.demand(room);
    const recording = new SqlRecording(storage.sql);
    try {
      await ledger.keeper.run();
      const turns = recording.takeTurns();
      // Each participant is read and written.
      expect(turns.reduce((sum, { statements }) => sum + statements, 0)).toBeGreaterThan(2 * LIVE);
      expect(Math.max(...turns.map(({ statements }) => statements))).toBeLessThanOrEqual(100);
    } finally {
      recording.stop();
    }
  });
});
