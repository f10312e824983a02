import { describe, expect, test } from "vitest";
import {
  type Breaker,
  closedBreaker,
  relayFailed,
  relaySucceeded,
  tryRelay,
} from "../../shared/circuit-breaker.ts";

const HOUR = 3_600_000;

function fail(times: number, at = 0, breaker: Breaker = closedBreaker): Breaker {
  let after = breaker;
  for (let i = 0; i < times; i += 1) after = relayFailed(after, at);
  return after;
}

describe("the breaker", () => {
  test("opens at the third failure in a row and not before", () => {
    expect(tryRelay(fail(2), 1).allowed).toBe(true);
    expect(tryRelay(fail(3), 1).allowed).toBe(false);
  });

  test("counts failures in a row: a success between starts anew", () => {
    const after = fail(2, 0, relaySucceeded(fail(2), 0));
    expect(tryRelay(after, 1).allowed).toBe(true);
  });

  test("lets one call try after the hour, and closes when that succeeds", () => {
    const open = fail(3);
    expect(tryRelay(open, HOUR - 1).allowed).toBe(false);
    const trial = tryRelay(open, HOUR);
    expect(trial.allowed).toBe(true);
    expect(tryRelay(trial.breaker, HOUR + 1).allowed).toBe(false);
    const closed = relaySucceeded(trial.breaker, HOUR + 2);
    expect(tryRelay(closed, HOUR + 3).allowed).toBe(true);
    expect(tryRelay(fail(2, HOUR + 4, closed), HOUR + 5).allowed).toBe(true);
  });

  test("stays open another hour when the trial fails", () => {
    const trial = tryRelay(fail(3), HOUR);
    const open = relayFailed(trial.breaker, HOUR + 5);
    expect(tryRelay(open, 2 * HOUR).allowed).toBe(false);
    expect(tryRelay(open, 2 * HOUR + 5).allowed).toBe(true);
  });

  test("lets another call try where nothing was heard of the trial for a minute", () => {
    const { breaker } = tryRelay(fail(3), HOUR);
    expect(tryRelay(breaker, HOUR + 59_999).allowed).toBe(false);
    expect(tryRelay(breaker, HOUR + 60_000).allowed).toBe(true);
  });

  test("is not held open longer, nor closed, by calls that set out before it opened", () => {
    const open = relaySucceeded(fail(5, 1_000, fail(3)), 2_000);
    expect(tryRelay(open, HOUR - 1).allowed).toBe(false);
    expect(tryRelay(open, HOUR).allowed).toBe(true);
  });
});
