import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Capability, Scheduler } from "../../../functions/session/scheduler.ts";

const NOW = 1_800_000_000_000;

/** A part that is due at `at`, and what was made of it. */
class Part implements Capability {
  at: number | null;
  alarm_at: number | null;
  readonly ran: number[] = [];
  fails = 0;

  constructor(at: number | null, alarm_at: number | null = null) {
    this.at = at;
    this.alarm_at = alarm_at;
  }

  nextWakeAt(): number | null {
    return this.at;
  }

  nextAlarmAt(): number | null {
    return this.alarm_at;
  }

  run(now: number): void {
    this.at = null;
    this.fails -= 1;
    if (this.fails >= 0) throw new Error("it broke");
    this.ran.push(now - NOW);
  }
}

let alarms: number[];
const storage = {
  setAlarm: async (at: number | Date) => {
    alarms.push(Number(at) - NOW);
  },
};

beforeEach(() => {
  alarms = [];
  vi.useFakeTimers({ now: NOW });
  vi.spyOn(console, "error").mockImplementation(() => {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("the scheduler's one timer", () => {
  test("runs each part when it is due, and no other", async () => {
    const scheduler = new Scheduler(storage);
    const [soon, late, never] = [new Part(NOW + 10), new Part(NOW + 50), new Part(null)];
    for (const part of [late, soon, never]) scheduler.add("part", part);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect([soon.ran, late.ran, never.ran]).toEqual([[10], [50], []]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("comes sooner where a part says that it has work sooner", async () => {
    const scheduler = new Scheduler(storage);
    const part = new Part(NOW + 1_000);
    scheduler.add("part", part);
    part.at = NOW + 5;
    scheduler.changed(part);
    await vi.advanceTimersByTimeAsync(5);
    expect(part.ran).toEqual([5]);
  });

  test("runs the other parts though one throws, and that one again after a second", async () => {
    const scheduler = new Scheduler(storage);
    const [broken, whole] = [new Part(NOW + 10), new Part(NOW + 10)];
    broken.fails = 1;
    for (const part of [broken, whole]) scheduler.add("part", part);
    await vi.advanceTimersByTimeAsync(10);
    expect([broken.ran, whole.ran]).toEqual([[], [10]]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(broken.ran).toEqual([1_010]);
  });

  test("comes again where a part cannot say when it has work", async () => {
    const scheduler = new Scheduler(storage);
    const part = new Part(null);
    const asked = vi.spyOn(part, "nextWakeAt").mockImplementationOnce(() => {
      throw new Error("SQL broke");
    });
    scheduler.add("part", part);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(part.ran).toEqual([1_000]);
    expect(asked.mock.calls.length).toBeGreaterThan(1);
  });
});

describe("the scheduler's one alarm", () => {
  test("is set for the earliest that is wanted, and not moved to a later time", () => {
    const scheduler = new Scheduler(storage);
    scheduler.add("a", new Part(null, NOW + 6_000));
    scheduler.add("b", new Part(null, NOW + 3_000));
    scheduler.add("c", new Part(null, NOW + 9_000));
    scheduler.start({ nextAlarmAt: () => NOW + 30_000, run: async () => {} });
    expect(alarms).toEqual([6_000, 3_000]);
  });

  test("is set anew when it has come, though the heartbeat fails", async () => {
    const scheduler = new Scheduler(storage);
    scheduler.start({
      nextAlarmAt: () => null,
      run: async () => {
        throw new Error("it broke");
      },
    });
    scheduler.add("part", new Part(null, NOW + 60_000));
    await scheduler.alarm();
    expect(alarms).toEqual([60_000, 30_000]);
  });

  test("is set again after five seconds where the storage did not take it", async () => {
    const setAlarm = vi.fn(storage.setAlarm).mockRejectedValueOnce(new Error("out of reach"));
    const scheduler = new Scheduler({ setAlarm });
    scheduler.add("part", new Part(null, NOW + 1_000));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(alarms).toEqual([5_000]);
  });
});
