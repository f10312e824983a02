import { RULESET_LENGTH } from "./limits.ts";
import { type Path, type Problem, problem } from "./problems.ts";

/** No ruleset nests so deep; what does is not read further. */
const DEPTH = 16;

/**
 * What no schema sees: nesting without end, a size that YAML's aliases hide, and the key `__proto__`, which Zod's records pass
 * over in silence, so that a rule would match more than was written.
 */
export function boundsProblem(raw: unknown): Problem | null {
  let length = 0;
  const pending: { value: unknown; path: Path }[] = [{ value: raw, path: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path } = next;
    length += typeof value === "string" ? value.length + 1 : 1;
    if (length > RULESET_LENGTH) return tooLong();
    if (typeof value !== "object" || value === null) continue;
    if (path.length >= DEPTH) return problem(path, `nests deeper than ${DEPTH} levels`);
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") return problem([...path, key], "is not a name that can be used here");
      if (!Array.isArray(value)) length += key.length;
      pending.push({ value: item, path: [...path, Array.isArray(value) ? Number(key) : key] });
    }
  }
  return null;
}

export function tooLong(): Problem {
  return problem(
    [],
    `the ruleset is larger than ${RULESET_LENGTH / 1024 / 1024} MiB; split it by tenant, or use lists`,
  );
}
