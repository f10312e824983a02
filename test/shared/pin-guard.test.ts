import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  countedBefore,
  countedCaller,
  countedNamed,
  countedNumber,
  isWithheld,
} from "../../shared/identity.ts";
import { afterWrongTry, isClosed, openGuard, type PinGuard, type PinLimit } from "../../shared/pin-guard.ts";
import { spellings } from "./spellings.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const caller: PinLimit = { tries: 5, window_ms: 15 * MINUTE, closed_ms: 15 * MINUTE, longest_ms: DAY };

interface Closing {
  at: number;
  until: number;
}

/** Tries at these moments, in this order: those that were looked at, and the closings that they brought. */
function play(limit: PinLimit, moments: readonly number[]) {
  let guard: PinGuard = openGuard;
  const looked_at: number[] = [];
  const closings: Closing[] = [];
  for (const at of moments) {
    if (isClosed(guard, at)) {
      expect(afterWrongTry(guard, limit, at)).toEqual({ guard, closes: false });
      continue;
    }
    looked_at.push(at);
    const after = afterWrongTry(guard, limit, at);
    guard = after.guard;
    if (after.closes) closings.push({ at, until: guard.closed_until });
  }
  return { guard, looked_at, closings };
}

function times(count: number, at: number, step = 0): number[] {
  return Array.from({ length: count }, (_, index) => at + index * step);
}

const limits = fc.record({
  tries: fc.integer({ min: 1, max: 8 }),
  window_ms: fc.integer({ min: 1, max: 2 * HOUR }),
  closed_ms: fc.integer({ min: 1, max: 2 * HOUR }),
  longest_ms: fc.integer({ min: 2 * HOUR, max: DAY }),
});

/** Moments from gaps of every size, most of them small. */
const moments = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: MINUTE }) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 4 * HOUR }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 * DAY }) },
    ),
    { maxLength: 200 },
  )
  .map((gaps) => {
    let at = 1_700_000_000_000;
    return gaps.map((gap) => {
      at += gap;
      return at;
    });
  });

describe("a guard of PINs", () => {
  test("closes at the last wrong try that it allows, for as long as it says, and opens then", () => {
    const { guard, looked_at } = play(caller, times(20, 0, 1000));
    expect(looked_at).toHaveLength(5);
    expect(guard.closed_until).toBe(4000 + 15 * MINUTE);
    expect(isClosed(guard, guard.closed_until - 1)).toBe(true);
    expect(isClosed(guard, guard.closed_until)).toBe(false);
  });

  test("does not close for tries that are spread wider than its window", () => {
    expect(play(caller, times(200, 0, 4 * MINUTE)).closings).toEqual([]);
  });

  test("closes for twice as long each time, up to the longest, and anew from the shortest after a day of quiet", () => {
    const lengths: number[] = [];
    let at = 0;
    let guard: PinGuard = openGuard;
    const close = () => {
      for (const moment of times(5, at)) guard = afterWrongTry(guard, caller, moment).guard;
      lengths.push(guard.closed_until - at);
      at = guard.closed_until;
    };
    for (let time = 0; time < 9; time += 1) close();
    at += DAY;
    close();
    expect(lengths.map((length) => length / MINUTE)).toEqual([
      15, 30, 60, 120, 240, 480, 960, 1440, 1440, 15,
    ]);
  });

  test("never lets through more wrong tries than it allows between two closings, whenever they come", () => {
    fc.assert(
      fc.property(limits, moments, (limit, at) => {
        const { looked_at, closings } = play(limit, at);
        const ends = [...closings.map((closing) => closing.until), Number.POSITIVE_INFINITY];
        let start = 0;
        for (const end of ends) {
          const open = looked_at.filter((moment) => moment >= start && moment < end);
          for (const first of open) {
            const inWindow = open.filter((moment) => moment >= first && moment < first + limit.window_ms);
            expect(inWindow.length).toBeLessThanOrEqual(limit.tries);
          }
          start = end;
        }
      }),
    );
  });

  test("that closes for a window or longer never lets more through in any window at all", () => {
    fc.assert(
      fc.property(limits, moments, (limit, at) => {
        const { looked_at } = play({ ...limit, window_ms: Math.min(limit.window_ms, limit.closed_ms) }, at);
        const window_ms = Math.min(limit.window_ms, limit.closed_ms);
        for (const first of looked_at) {
          const inWindow = looked_at.filter((moment) => moment >= first && moment < first + window_ms);
          expect(inWindow.length).toBeLessThanOrEqual(limit.tries);
        }
      }),
    );
  });

  test("never opens early and never closes for less than before, but for a day of quiet", () => {
    fc.assert(
      fc.property(limits, moments, (limit, at) => {
        const { looked_at, closings } = play(limit, at);
        for (const [index, { at: from, until }] of closings.entries()) {
          expect(looked_at.filter((moment) => moment > from && moment < until)).toEqual([]);
          expect(until - from).toBeGreaterThanOrEqual(limit.closed_ms);
          const next = closings[index + 1];
          if (next === undefined || next.at >= until + DAY) continue;
          expect(next.until - next.at).toBe(Math.min(limit.longest_ms, 2 * (until - from)));
        }
      }),
    );
  });

  test("stays closed where the clock is set back, and tries ahead of it count", () => {
    const closed = play(caller, times(5, HOUR)).guard;
    expect(isClosed(closed, 0)).toBe(true);
    const { closings } = play(caller, [...times(4, HOUR), 0]);
    expect(closings).toHaveLength(1);
  });
});

describe("whom a try counts against", () => {
  test("a SIP URI counts as one caller however it is written, and a number as itself", () => {
    const spellings = [
      "sip:bob@Example.com",
      "sips:bob@example.com:5061;transport=tls",
      "sip:bob@example.COM",
    ];
    expect(new Set(spellings.map(countedNamed))).toEqual(new Set(["sip:bob@example.com"]));
    expect(countedCaller("+15550100001", "call-1")).toBe("+15550100001");
  });

  test("callers who withhold their number are one each", () => {
    for (const from of ["", "anonymous", "Restricted", "sip:anonymous@anonymous.invalid"])
      expect(countedCaller(from, "call-1")).toBe("anonymous call-1");
  });

  test("callers whose number can't be read are one each: what stands there is theirs to choose", () => {
    for (const from of ["+1555x", "sip:bob@example.com:123456", "/a/b/c"])
      expect(countedCaller(from, "call-1")).toBe("anonymous call-1");
  });
});

describe("which number a try counts against", () => {
  test("a number is one number with or without its plus, and a SIP URI is its host", () => {
    expect(new Set(["+15550100190", "15550100190"].map(countedNumber))).toEqual(new Set(["+15550100190"]));
    const dialled = [
      "sip:1@Example.com",
      "sips:2@example.com:5061",
      "sip:3@example.com.;x=1",
      "sip:*@example.com?y",
    ];
    expect(new Set(dialled.map(countedNumber))).toEqual(new Set(["sip:*@example.com"]));
  });

  test("a resource's address is one number, whatever query the caller adds", () => {
    const dialled = ["/public/bridge", "/public/bridge?x=1", "/public/bridge?x=2&y=@z", "/Public/Bridge#a"];
    expect(new Set(dialled.map(countedNumber))).toEqual(new Set(["/public/bridge"]));
    expect(countedNumber("/public/lobby?x=1")).toBe("/public/lobby");
  });

  const unreadable = [
    "",
    "anonymous",
    "unknown",
    `sip:${"x".repeat(129)}@example.com`,
    "sip:bridge@example.com:123456",
    "sip:bridge@exa_mple.com",
    "sip:bridge",
    "+1555010019x",
    "+15550100190;ext=1",
    "+0",
    `+1${"5".repeat(15)}`,
    " +15550100190",
    "/public/bridge/1",
    "/public/bri%64ge",
    "//public/bridge",
    "https://example.com/public/bridge",
    "bridge",
    "\n",
  ];
  test.each(unreadable)("%j, which can't be read, is one number with all others of its kind", (to) => {
    expect(countedNumber(to)).toBe("unreadable");
  });

  test("no text that a caller may write makes more numbers than a resource, a host or a number has", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(countedNumber(`/public/bridge?${text}`)).toBe("/public/bridge");
        expect(countedNumber(`sip:bridge@example.com;${text}`)).toBe("sip:*@example.com");
        expect(countedNumber(`?${text}`)).toBe("unreadable");
      }),
    );
  });

  test("is never a finer one than the version before counted, and neither is the caller", () => {
    const written = fc.oneof(
      fc.constantFrom(...spellings.map((one) => one.written)),
      fc.stringMatching(/^(sip:|\+|tel:|)[0-9a-c%@.:; -]{0,12}$/),
      fc.string(),
    );
    fc.assert(
      fc.property(written, written, (one, other) => {
        const called = [one, other].map((to) => countedBefore(to, "to"));
        if (called[0] === called[1]) expect(countedNumber(one)).toBe(countedNumber(other));
        const [before, same] = [one, other].map((from) => countedBefore(from, "from"));
        if (before === null || before !== same || isWithheld(one) || isWithheld(other)) return;
        expect(countedCaller(one, "c-1")).toBe(countedCaller(other, "c-2"));
      }),
      { numRuns: 5_000 },
    );
  });
});
