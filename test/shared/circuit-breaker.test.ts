import { describe, expect, test } from "vitest";
import {
  type Breaker,
  closedBreaker,
  closedProjectBreaker,
  type ProjectBreaker,
  relayFailed,
  relayFailedFor,
  relaySucceeded,
  relaySucceededFor,
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

/** So many calls fail, each of the tenant that is named. */
function failFor(tenants: string[], at = 0, breaker: ProjectBreaker = closedProjectBreaker): ProjectBreaker {
  return tenants.reduce((after, tenant) => relayFailedFor(after, at, tenant), breaker);
}

describe("a project's breaker", () => {
  test.each([
    [["a", "a", "a", "a"], true],
    [["a", "b", "a", "b"], true],
    [["a", "b", "b", "c"], false],
  ])("opens when calls of three tenants failed in a row: %j", (tenants, isClosed) => {
    expect(tryRelay(failFor(tenants), 1).allowed).toBe(isClosed);
  });

  test("closes for all when one call succeeds after the hour, and starts anew", () => {
    const open = failFor(["a", "b", "c"]);
    expect(relaySucceededFor(open, 1)).toBe(open);
    const closed = relaySucceededFor(tryRelay(open, HOUR).breaker, HOUR);
    expect(tryRelay(failFor(["a", "b"], HOUR, closed), HOUR + 1).allowed).toBe(true);
  });

  test("is not kept open by one tenant: the next call tries again at once, and three tenants open it for another hour", () => {
    const trial = tryRelay(failFor(["a", "b", "c"]), HOUR);
    const failed = failFor(["a", "a", "a"], HOUR, trial.breaker);
    expect(tryRelay(failed, HOUR).allowed).toBe(true);
    const open = failFor(["b", "c"], HOUR, failed);
    expect(tryRelay(open, 2 * HOUR - 1).allowed).toBe(false);
    expect(tryRelay(open, 2 * HOUR).allowed).toBe(true);
  });
});
