import { afterEach, expect, test, vi } from "vitest";
import { Dispatcher } from "../../../../functions/session/commands/dispatcher.ts";
import { runCommands } from "../../../../functions/session/commands/run-commands.ts";
import { askingBy, composeReconciler } from "../../../../functions/session/compose-upkeep.ts";
import type { WaitingQueue } from "../../../../functions/session/queue/waiting-queue.ts";
import type { RecordingReconciler } from "../../../../functions/session/reconcile/reconcile-recordings.ts";
import { Whereabouts } from "../../../../functions/session/reconcile/whereabouts.ts";
import type { RelayManager } from "../../../../functions/session/relay/relay-manager.ts";
import { Slots } from "../../../../functions/slots.ts";
import type { Project } from "../../../../functions/tenants/tenant.ts";
import { fill } from "../filled.ts";
import { Ledger, onStorage } from "../ledger.ts";
import { SqlRecording } from "../sql-recording.ts";

const LIVE = 1_000;
const ROOMS = 10;
const project = {
  project_id: "p-1",
  token: "made-up",
  rest_url: "https://example.signalwire.com",
} as unknown as Project; // What REST is asked by.

afterEach(() => {
  vi.unstubAllGlobals();
});

test("after a gap REST is asked about a thousand calls a few at a time, and about each of them", async () => {
  await onStorage("asked-in-turns", async (storage) => {
    fill(storage, { calls: 0, live: LIVE, rooms: ROOMS, now: Date.now() });
    const asked = new Set<string>();
    const slots = new Slots(3);
    let waiting = 0;
    let most = 0;
    vi.stubGlobal("fetch", async (url: URL) => {
      await scheduler.wait(1);
      const call_id = /\/Calls\/(.+)\.json$/.exec(url.pathname)?.[1];
      if (call_id === undefined) return Response.json({ conferences: [] });
      asked.add(call_id);
      return Response.json({ status: "in-progress" });
    });
    const ledger = new Ledger(storage.sql, Date.now, async () => new Set());
    const there = {
      ...ledger,
      now: Date.now,
      // Nobody waits, and there is no RELAY.
      queue: { takeBack: () => false, ended: () => {} } as unknown as WaitingQueue,
      relayManager: {
        ready: null,
        readySince: null,
        protocol: null,
        seat_doubt_ms: 1_800_000,
        rest: async (urgency, ms, work) => {
          waiting += 1;
          most = Math.max(most, waiting);
          try {
            return await slots.run(urgency, () => work(project, AbortSignal.timeout(ms)), { wait_ms: ms });
          } finally {
            waiting -= 1;
          }
        },
      } satisfies Partial<RelayManager> as unknown as RelayManager,
    };
    const dispatcher = new Dispatcher(
      there,
      ledger.corrections,
      {
        commands: () => runCommands(there),
        reconciler: composeReconciler(ledger, ledger.corrections, askingBy(there.relayManager), Date.now),
        // There are no recordings.
        recordingReconciler: { isRunning: false, run: async () => {} } as unknown as RecordingReconciler,
        whereabouts: new Whereabouts(there, ledger.turns),
      },
      () => {
        const due = dispatcher.nextWakeAt();
        if (due !== null) setTimeout(() => void dispatcher.run(Date.now()), Math.max(0, due - Date.now()));
      },
    );
    dispatcher.verifyWhereabouts();
    await expect.poll(() => asked.size, { timeout: 20_000 }).toBe(LIVE);
    expect(most).toBeLessThanOrEqual(30);
  });
});

test("ten rooms of a hundred whose lists come together are written in turns of a few statements", async () => {
  await onStorage("written-in-turns", async (storage) => {
    fill(storage, { calls: 0, live: LIVE, rooms: ROOMS, now: Date.now() });
    const ledger = new Ledger(storage.sql, Date.now, async (room) => {
      return new Set(ledger.occupancy.around(room).map(({ call_id }) => call_id));
    });
    await ledger.occupancy.known();
    for (const room of ledger.occupancy.all()) ledger.checks.demand(room);
    const recording = new SqlRecording(storage.sql);
    try {
      await ledger.reconciler.run();
      const turns = recording.takeTurns();
      // Each participant is read and written.
      expect(turns.reduce((sum, { statements }) => sum + statements, 0)).toBeGreaterThan(2 * LIVE);
      expect(Math.max(...turns.map(({ statements }) => statements))).toBeLessThanOrEqual(100);
    } finally {
      recording.stop();
    }
  });
});
