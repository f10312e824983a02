/**
 * Whether RELAY may be tried for a tenant's joins. Three failures in a row and it is not, for an hour; then one call
 * tries again, and closes or re-opens it for all. Pure: its holder keeps it and tells the time.
 */
export interface Breaker {
  /** Failures since the last success. */
  failures: number;
  /** While set and ahead, every call goes by document. */
  open_until: number | null;
  /** When the one call set out that tries again. */
  trial_at: number | null;
}

/**
 * The same for a whole project. A tenant can make its own calls fail, so each tenant counts once: three tenants in a row open it, and
 * three more keep it open after the hour. The calls of fewer tenants have those tenants' own breakers.
 */
export interface ProjectBreaker extends Breaker {
  /** Whose calls failed since the last success, or since it opened. */
  tenants: readonly string[];
}

const FAILURES = 3;
const OPEN_MS = 3_600_000;
/** A trial of which nothing was heard: its caller hung up, most likely. Another may go. */
const TRIAL_MS = 60_000;

export const closedBreaker: Breaker = { failures: 0, open_until: null, trial_at: null };
export const closedProjectBreaker: ProjectBreaker = { ...closedBreaker, tenants: [] };

/** Whether this call may try RELAY, and the breaker as it is once it does. */
export function tryRelay<Kind extends Breaker>(
  breaker: Kind,
  now_ms: number,
  trial_ms: number = TRIAL_MS,
): { allowed: boolean; breaker: Kind } {
  if (breaker.open_until === null) return { allowed: true, breaker };
  if (now_ms < breaker.open_until) return { allowed: false, breaker };
  if (breaker.trial_at !== null && now_ms - breaker.trial_at < trial_ms) return { allowed: false, breaker };
  return { allowed: true, breaker: { ...breaker, trial_at: now_ms } };
}

export function relayFailed(breaker: Breaker, now_ms: number): Breaker {
  const failures = breaker.failures + 1;
  if (breaker.open_until === null && failures < FAILURES) return { ...breaker, failures };
  // Calls that set out before it opened may fail after: they do not make the hour longer.
  if (isOpen(breaker, now_ms)) return { ...breaker, failures };
  return { failures, open_until: now_ms + OPEN_MS, trial_at: null };
}

/** @param tenant whose call failed. */
export function relayFailedFor(breaker: ProjectBreaker, now_ms: number, tenant: string): ProjectBreaker {
  if (isOpen(breaker, now_ms)) return breaker;
  // It was the one call that tries again: the next may.
  if (breaker.tenants.includes(tenant)) return { ...breaker, trial_at: null };
  const tenants = [...breaker.tenants, tenant];
  const failures = breaker.failures + 1;
  if (tenants.length < FAILURES) return { ...breaker, failures, tenants, trial_at: null };
  return { failures, open_until: now_ms + OPEN_MS, trial_at: null, tenants: [] };
}

export function relaySucceeded(breaker: Breaker, now_ms: number): Breaker {
  return isOpen(breaker, now_ms) ? breaker : closedBreaker;
}

export function relaySucceededFor(breaker: ProjectBreaker, now_ms: number): ProjectBreaker {
  return isOpen(breaker, now_ms) ? breaker : closedProjectBreaker;
}

/** Whether it is open. A call that set out before it opened says nothing about now. */
function isOpen({ open_until }: Breaker, now_ms: number): boolean {
  return open_until !== null && now_ms < open_until;
}
