/** The work's result, or an error that says it took longer than `ms` milliseconds. The work itself is not stopped. */
export async function withTimeout<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Symbol("late");
  const result = await timeoutOr(ms, work, late);
  if (result === late) throw new Error(`no answer within ${ms / 1000} s`);
  return result as T; // Not `late`, so it is the work's.
}

/** The work's result, or after `ms` milliseconds `otherwise`. A timer that nobody needs any more does not linger. */
export async function timeoutOr<T, O>(ms: number, work: Promise<T>, otherwise: O): Promise<T | O> {
  const late = Promise.withResolvers<O>();
  const timer = setTimeout(() => late.resolve(otherwise), Math.max(0, ms));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
