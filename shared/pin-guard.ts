/** How many wrong PINs are too many, and for how long nothing more is taken then. */
export interface PinLimit {
  tries: number;
  window_ms: number;
  /** The first closing; each one after it is twice as long. */
  closed_ms: number;
  longest_ms: number;
}

/** What is remembered of one caller, or of one dialled number. */
export interface PinGuard {
  /** When the wrong tries since the last closing were made, ms; those that are out of the window count no more. */
  tries: readonly number[];
  /** How often it closed; forgotten after a day of quiet. */
  closings: number;
  /** Until then nothing is taken, right or wrong; 0 where it never closed. */
  closed_until: number;
}

const QUIET_MS = 24 * 3_600_000;

export const openGuard: PinGuard = { tries: [], closings: 0, closed_until: 0 };

export function isClosed({ closed_until }: PinGuard, now_ms: number): boolean {
  return now_ms < closed_until;
}

/**
 * The guard after a wrong try, and whether this one closed it. A closed guard stays as it is: nobody looked at that try.
 * Between two closings it lets `tries` wrong ones through at most in any window; a closing wipes them.
 */
export function afterWrongTry(
  guard: PinGuard,
  { tries: allowed, window_ms, closed_ms, longest_ms }: PinLimit,
  now_ms: number,
): { guard: PinGuard; closes: boolean } {
  if (isClosed(guard, now_ms)) return { guard, closes: false };
  const before = now_ms >= forgottenAt(guard, window_ms) ? openGuard : guard;
  // A clock that was set back leaves tries ahead of it: they count.
  const tries = [...before.tries.filter((at) => at > now_ms - window_ms), now_ms];
  if (tries.length < allowed) return { guard: { ...before, tries }, closes: false };
  const { closings } = before;
  const closed_until = now_ms + Math.min(longest_ms, closed_ms * 2 ** closings);
  return { guard: { tries: [], closings: closings + 1, closed_until }, closes: true };
}

/** From when on, ms, the guard is as good as one that was never touched. */
export function forgottenAt({ tries, closings, closed_until }: PinGuard, window_ms: number): number {
  const last = Math.max(closed_until, ...tries);
  return last + (closings === 0 ? window_ms : Math.max(window_ms, QUIET_MS));
}

/** Two guards as one that forgives nothing that either does not. */
export function bothGuards(one: PinGuard, other: PinGuard): PinGuard {
  return {
    tries: [...one.tries, ...other.tries].sort((a, b) => a - b),
    closings: Math.max(one.closings, other.closings),
    closed_until: Math.max(one.closed_until, other.closed_until),
  };
}
