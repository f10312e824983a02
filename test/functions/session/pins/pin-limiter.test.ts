import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import type { PinAttempt } from "../../../../functions/session/contract/pins.ts";
import { PinLimiter } from "../../../../functions/session/pins/pin-limiter.ts";
import { Disk } from "../../../../functions/session/store/disk.ts";
import { FULL, needsRoom, SqlFaults } from "../sql-faults.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const attempt: PinAttempt = {
  v: 1,
  tenant: "acme",
  from: "+15550100001",
  to: "+15550100199",
  call_id: "call-0",
  entry: "",
  step: 1,
  answer: "a",
  wrong: true,
  limits: {
    tries_per_caller: 5,
    tries_per_number: 50,
    window_s: 900,
    caller_block_s: 900,
    number_block_s: 300,
  },
};

let calls = 0;

/** A desk in a session's storage, by a clock that the test turns. */
async function atLimiter(
  test: (desk: PinLimiter, clock: { now: number }, sql: SqlStorage) => void,
): Promise<void> {
  const id = env.RELAY_SESSION.newUniqueId();
  await runInDurableObject(env.RELAY_SESSION.get(id), (_, { storage }) => {
    const clock = { now: 1_700_000_000_000 };
    const disk = new Disk(storage.sql, () => clock.now);
    test(new PinLimiter(disk, () => clock.now, vi.fn()), clock, storage.sql);
  });
}

function tryPin(desk: PinLimiter, changes: Partial<PinAttempt> = {}): string {
  calls += 1;
  const verdict = desk.ask({ ...attempt, call_id: `call-${calls}`, ...changes });
  return verdict.allowed ? "allowed" : verdict.closed;
}

function tryFive(desk: PinLimiter, changes: Partial<PinAttempt> = {}): string[] {
  return Array.from({ length: 5 }, () => tryPin(desk, changes));
}

test("a caller is turned away at the fifth wrong PIN, for longer each time, and the right one gets nowhere", async () => {
  await atLimiter((desk, clock) => {
    expect(tryFive(desk)).toEqual(["allowed", "allowed", "allowed", "allowed", "caller"]);
    expect(tryPin(desk, { wrong: false })).toBe("caller");
    clock.now += 15 * MINUTE - 1;
    expect(tryPin(desk, { wrong: false })).toBe("caller");
    clock.now += 1;
    expect(tryPin(desk, { wrong: false })).toBe("allowed");
    tryFive(desk);
    clock.now += 30 * MINUTE - 1;
    expect(tryPin(desk, { wrong: false })).toBe("caller");
    clock.now += 1;
    expect(tryPin(desk, { wrong: false })).toBe("allowed");
  });
});

test("callers, numbers and tenants are counted apart; those who withhold their number, each call for itself", async () => {
  await atLimiter((desk) => {
    tryFive(desk);
    expect(tryPin(desk, { from: "+15550100002" })).toBe("allowed");
    expect(tryPin(desk, { to: "+15550100200" })).toBe("caller");
    expect(tryPin(desk, { tenant: "other" })).toBe("allowed");
    expect(tryFive(desk, { from: "anonymous" })).not.toContain("caller");
    expect(tryFive(desk, { from: "", call_id: "one" }).at(-1)).toBe("allowed");
    const inOneCall = Array.from({ length: 5 }, (_, step) =>
      tryPin(desk, { from: "", call_id: "two", step }),
    );
    expect(inOneCall.at(-1)).toBe("caller");
  });
});

test("a number takes no PIN after fifty wrong ones, whoever called; five minutes, then ten, at most an hour", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  await atLimiter((desk, clock) => {
    const lengths: number[] = [];
    for (let time = 0; time < 6; time += 1) {
      let at = "allowed";
      for (let tries = 0; at === "allowed"; tries += 1) {
        expect(tries).toBeLessThan(50);
        at = tryPin(desk, { from: `+1555${String(calls).padStart(7, "0")}` });
      }
      expect(at).toBe("number");
      const [closed] = desk.closed("acme").numbers;
      lengths.push(((closed?.until ?? 0) - clock.now) / MINUTE);
      clock.now = closed?.until ?? 0;
    }
    expect(lengths).toEqual([5, 10, 20, 40, 60, 60]);
  });
  expect(error).toHaveBeenCalledTimes(6);
  error.mockRestore();
});

test("SIP addresses of one host are one number: what callers write before the @ gets them no more tries", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(() => {});
  await atLimiter((desk) => {
    const dial = (n: number, host: string) =>
      tryPin(desk, { from: `sip:c${n}@anywhere.example`, to: `sip:board-${n}@${host}` });
    const tries = Array.from({ length: 51 }, (_, n) =>
      dial(n, n % 2 === 0 ? "acme.example" : "ACME.example"),
    );
    expect(tries.slice(48)).toEqual(["allowed", "number", "number"]);
    expect(dial(52, "other.example")).toBe("allowed");
    expect(desk.closed("acme").numbers).toMatchObject([{ who: "sip:*@acme.example" }]);
  });
  error.mockRestore();
});

test("nothing is kept for ever: verdicts an hour, tries while they count, a caller turned away until a day of quiet", async () => {
  await atLimiter((desk, clock, sql) => {
    const rows = () =>
      sql
        .exec("SELECT (SELECT COUNT(*) FROM pin_guards) AS guards, (SELECT COUNT(*) FROM pin_tries) AS tries")
        .one();
    expect(desk.nextForget()).toBeNull();
    tryPin(desk, { from: "+15550100002", to: "+15550100200" });
    tryFive(desk);
    expect(rows()).toEqual({ guards: 4, tries: 6 });
    clock.now = desk.nextForget() ?? 0;
    expect(desk.forget(100)).toBe(3);
    expect(desk.closed("acme").callers).toEqual([]);
    expect(rows()).toEqual({ guards: 1, tries: 6 });
    clock.now += HOUR;
    expect(desk.forget(100)).toBe(6);
    clock.now += DAY - HOUR;
    expect(desk.forget(100)).toBe(1);
    expect(rows()).toEqual({ guards: 0, tries: 0 });
    expect(desk.nextForget()).toBeNull();
  });
});

test("a full storage gives nobody another try, and takes the right PIN of everybody else; what was counted is written when there is room", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await atLimiter((desk, clock, sql) => {
    tryPin(desk);
    {
      using _full = new SqlFaults(sql, needsRoom, FULL);
      expect(Array.from({ length: 4 }, () => tryPin(desk))).toEqual([
        "allowed",
        "allowed",
        "allowed",
        "caller",
      ]);
      expect(tryPin(desk, { wrong: false })).toBe("caller");
      expect(desk.closed("acme").callers).toMatchObject([{ who: "+15550100001" }]);
      // The same webhook again is no other try.
      const repeat = { from: "+15550100002", call_id: "repeated" };
      expect(Array.from({ length: 9 }, () => tryPin(desk, repeat))).toEqual(Array(9).fill("allowed"));
      expect(tryPin(desk, { from: "+15550100003", wrong: false })).toBe("allowed");
    }
    desk.save();
    const after = new PinLimiter(new Disk(sql, () => clock.now), () => clock.now, vi.fn());
    expect(tryPin(after, { wrong: false })).toBe("caller");
    expect(after.closed("acme")).toEqual(desk.closed("acme"));
    expect(desk.letIn("acme", "+15550100001")).toBe(true);
    expect(tryPin(desk, { wrong: false })).toBe("allowed");
  });
  vi.restoreAllMocks();
});
