/** Deeper than this nothing of ours nests, nor of SignalWire's. */
export const DEEPEST = 64;

/**
 * Whether lists and objects stand in one another deeper than {@link DEEPEST}. Such a value breaks whatever is recursive: the copy
 * that goes to the session, and zod, which measures the `length` of what is no text.
 */
export function nestsTooDeep(value: unknown): boolean {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  // Not recursive: what is sent may nest deeper than the stack.
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth >= DEEPEST) return true;
    for (const item of Object.values(next.value)) pending.push({ value: item, depth: next.depth + 1 });
  }
  return false;
}
