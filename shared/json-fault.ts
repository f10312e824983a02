/**
 * Where a text stops being JSON, as `: line 3, column 7`; empty where the engine does not say. The rest of its message would quote the
 * text, secrets included.
 * @param error that `JSON.parse` threw.
 */
export function jsonFault(error: unknown): string {
  const found = error instanceof Error ? /line (\d+) column (\d+)/.exec(error.message) : null;
  return found === null ? "" : `: line ${found[1]}, column ${found[2]}`;
}
