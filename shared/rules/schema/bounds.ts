import { RULESET_LENGTH } from "../limits.ts";
import { type Problem, problem } from "./problems.ts";

/** No ruleset nests so deep; what does is not read further. */
const DEPTH = 16;

/**
 * What no schema sees: nesting without end, a size that YAML's aliases hide, and the key `__proto__`, which Zod's records pass
 * over in silence, so that a rule would match more than was written.
 */
export function boundsProblem(raw: unknown): Problem | null {
  const found = new Bounds().breach(raw, 0);
  if (found === null) return null;
  return found.message === null ? tooLong() : problem(found.path.reverse(), found.message);
}

/** Where a bound is passed, from the inside out; without a message it is the size of the whole. */
interface Breach {
  path: PropertyKey[];
  message: string | null;
}

class Bounds {
  #length = 0;

  /** Never goes deeper than the bound. */
  breach(value: unknown, depth: number): Breach | null {
    this.#length += typeof value === "string" ? value.length + 1 : 1;
    if (this.#length > RULESET_LENGTH) return { path: [], message: null };
    if (typeof value !== "object" || value === null) return null;
    if (depth >= DEPTH) return { path: [], message: `nests deeper than ${DEPTH} levels` };
    return Array.isArray(value) ? this.#inList(value, depth) : this.#inObject(value, depth);
  }

  #inList(values: readonly unknown[], depth: number): Breach | null {
    for (const [index, value] of values.entries()) {
      const found = this.breach(value, depth + 1);
      if (found !== null) return within(found, index);
    }
    return null;
  }

  #inObject(value: object, depth: number): Breach | null {
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") return { path: [key], message: "is not a name that can be used here" };
      this.#length += key.length;
      const found = this.breach(item, depth + 1);
      if (found !== null) return within(found, key);
    }
    return null;
  }
}

function within(breach: Breach, step: PropertyKey): Breach {
  breach.path.push(step);
  return breach;
}

export function tooLong(): Problem {
  return problem(
    [],
    `the ruleset is larger than ${RULESET_LENGTH / 1024 / 1024} MiB; split it by tenant, or use lists`,
  );
}
