const EVERY_MS = 50;

/** Resolves when the condition holds; for helpers of tests that run side by side. */
export async function eventually(holds: () => Promise<boolean>, within_ms = 10_000): Promise<void> {
  const until = Date.now() + within_ms;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`did not come to hold within ${within_ms} ms: ${holds}`);
    await scheduler.wait(EVERY_MS);
  }
}
