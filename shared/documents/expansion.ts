import { DEEPEST } from "../depth.ts";

/** SignalWire runs what stands between these and a closing brace as JavaScript, in every string of a document. */
const MARK = /[$%]\{/;

export function holdsExpansion(text: string): boolean {
  return MARK.test(text);
}

/** The path of the first string, key or value, that holds an expansion mark, or that nests too deep to be sent; else null. */
export function findExpansion(value: unknown): string | null {
  const pending: { value: unknown; path: string; depth: number }[] = [{ value, path: "", depth: 0 }];
  // Not recursive: what callers send may nest deeper than the stack.
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value === "string" && holdsExpansion(next.value)) return next.path;
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth >= DEEPEST) return next.path;
    for (const [key, item] of Object.entries(next.value)) {
      // The key itself is the caller's: the path names the place, without it.
      if (holdsExpansion(key)) return `${next.path}.*`;
      const path = next.path === "" ? key : `${next.path}.${key}`;
      pending.push({ value: item, path, depth: next.depth + 1 });
    }
  }
  return null;
}
