import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Fixture, openFixture } from "../fixture.ts";
import { openContext, session } from "./calls/context-fixture.ts";
import { SqlRecording } from "./sql-recording.ts";

// Before the session is there: a timer of its own that the real clock runs would stand for all the hour.
beforeEach(() => void vi.useFakeTimers({ now: Date.now(), toFake: ["Date", "setTimeout", "clearTimeout"] }));
afterEach(async () => {
  // No other object may run its timers.
  await abortAllDurableObjects();
  vi.useRealTimers();
});

const MINUTE_MS = 60_000;
/** A probe goes out after so much silence. */
const STEP_MS = 10_000;
const rules = [{ id: "any", match: {}, place: { room: "any" } }];

/** The session's probes: none is to go unanswered because the clock is ours, and faster than the carrier. */
class Probes {
  readonly #send = WebSocket.prototype.send;
  /** Resolves when the session has the answer to the last one. */
  answered: Promise<void> = Promise.resolve();

  constructor() {
    const send = this.#send;
    const sent = (socket: WebSocket, frame: string) => {
      const { id } = JSON.parse(frame) as { id: string };
      this.answered = new Promise((resolve) => {
        socket.addEventListener("message", ({ data }) => {
          if (String(data).includes(id)) resolve();
        });
      });
    };
    WebSocket.prototype.send = function (frame) {
      if (typeof frame === "string" && frame.includes('"signalwire.ping"')) sent(this, frame);
      send.call(this, frame);
    };
  }

  stop(): void {
    WebSocket.prototype.send = this.#send;
  }
}

/** What so many minutes cost a session that nobody calls, its clock ours. Each alarm that was set is a row, too. */
async function costOf(
  home: Fixture,
  minutes: number,
): Promise<{ rows: number; alarms: number; kv_reads: number }> {
  const read = vi.spyOn(env.DIRECTORY, "get");
  try {
    return await runInDurableObject(session(home), async (instance, { storage }) => {
      const begun = Date.now();
      const recording = new SqlRecording(storage.sql);
      const prototype = Object.getPrototypeOf(storage) as { setAlarm: DurableObjectStorage["setAlarm"] }; // All objects have it.
      const setAlarm = vi.spyOn(prototype, "setAlarm");
      const probes = new Probes();
      try {
        let alarms = 0;
        while (Date.now() < begun + minutes * MINUTE_MS) {
          await vi.advanceTimersByTimeAsync(STEP_MS);
          const at = await storage.getAlarm();
          if (at !== null && at <= Date.now()) {
            alarms += 1;
            await storage.deleteAlarm();
            await instance.alarm?.();
          }
          await probes.answered;
        }
        return {
          rows: recording.takeRowsWritten() + setAlarm.mock.calls.length,
          alarms,
          kv_reads: read.mock.calls.length,
        };
      } finally {
        probes.stop();
        recording.stop();
        setAlarm.mockRestore();
      }
    });
  } finally {
    read.mockRestore();
  }
}

test("a third of an hour of a connected project that nobody calls costs 20 alarms and 20 rows at most", async () => {
  await using home = await openFixture({ rules, project: { session: { stay_up: true } } });
  await session(home).check(home.carrier.project_id, "1", 1_000);
  const { alarms, rows, kv_reads } = await costOf(home, 20);
  const { state, counters } = await session(home).status();
  expect({ state, connects: counters["connects"] }).toEqual({ state: "ready", connects: 1 });
  expect(counters["probe_sent"]).toBeGreaterThan(80);
  expect(alarms).toBeLessThanOrEqual(20);
  // The counts of how it connected are written once.
  expect(rows).toBeLessThanOrEqual(23);
  expect(kv_reads).toBeLessThanOrEqual(4);
});

test("with contexts the alarm comes every 10 s, and nothing else is written", async () => {
  await using home = await openContext(rules);
  // What was counted as it connected is written.
  await costOf(home, 6);
  const { alarms, rows } = await costOf(home, 4);
  expect(alarms).toBe(24);
  expect(rows).toBe(24);
});
