/** How waits grow, in ms: a wait is anything from 0 to the ceiling, which doubles from `base_ms` to `cap_ms`. */
export interface BackoffLimits {
  base_ms: number;
  cap_ms: number;
}

/**
 * The wait before the next try, in ms (full jitter).
 * @param tries how many there were since the connection was last steady; 0 tries at once.
 * @param random from 0 (included) to 1 (excluded).
 */
export function retryDelay(tries: number, random: number, limits: BackoffLimits): number {
  if (tries <= 0) return 0;
  // 2 ** 1024 is Infinity, which the cap takes care of.
  return Math.floor(random * Math.min(limits.cap_ms, limits.base_ms * 2 ** (tries - 1)));
}
