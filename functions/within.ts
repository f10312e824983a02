/** The work's result, or an error that says it took longer than `ms` milliseconds. The work itself is not stopped. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return await Promise.race([
    work,
    scheduler.wait(ms).then(() => {
      throw new Error(`no answer within ${ms / 1000} s`);
    }),
  ]);
}
