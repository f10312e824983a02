/**
 * Whether RELAY may be tried for a project's joins. Three failures in a row and it is not, for an hour; then one call
 * tries again, and closes or re-opens it for all. Pure: its holder keeps it and tells the time.
 */
export interface Breaker {
  /** Failures since the last success. */
  failures: number;
  /** While set and ahead, everyone goes by document. */
  open_until: number | null;
  /** When the one call set out that tries again. */
  trial_at: number | null;
}

const FAILURES = 3;
const OPEN_MS = 3_600_000;
/** A trial of which nothing was heard: its caller hung up, most likely. Another may go. */
const TRIAL_MS = 60_000;

export const closedBreaker: Breaker = { failures: 0, open_until: null, trial_at: null };

/** Whether this call may try RELAY, and the breaker as it is once it does. */
export function tryRelay(
  breaker: Breaker,
  now_ms: number,
  trial_ms: number = TRIAL_MS,
): { allowed: boolean; breaker: Breaker } {
  if (breaker.open_until === null) return { allowed: true, breaker };
  if (now_ms < breaker.open_until) return { allowed: false, breaker };
  if (breaker.trial_at !== null && now_ms - breaker.trial_at < trial_ms) return { allowed: false, breaker };
  return { allowed: true, breaker: { ...breaker, trial_at: now_ms } };
}

export function relayFailed(breaker: Breaker, now_ms: number): Breaker {
  const failures = breaker.failures + 1;
  if (breaker.open_until === null && failures < FAILURES) return { ...breaker, failures };
  // Calls that set out before it opened may fail after: they do not make the hour longer.
  if (breaker.open_until !== null && now_ms < breaker.open_until) return { ...breaker, failures };
  return { failures, open_until: now_ms + OPEN_MS, trial_at: null };
}

export function relaySucceeded(breaker: Breaker, now_ms: number): Breaker {
  // A call that set out before it opened says nothing about now.
  if (breaker.open_until !== null && now_ms < breaker.open_until) return breaker;
  return closedBreaker;
}
