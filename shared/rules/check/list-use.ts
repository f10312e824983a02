import { nearest } from "../nearest.ts";
import type { Hmac } from "../schema/match-schema.ts";
import { type Path, type Problem, problem, shown } from "../schema/problems.ts";
import type { ListTexts } from "../schema/ruleset.ts";

/** What the checks found so far. */
export interface Found {
  errors: Problem[];
  warnings: Problem[];
}

/** What values of a list must be where it is used. */
export interface Kind {
  fits(value: string | Hmac): boolean;
  /** Reads on from the value's path: `must be …`. */
  message: string;
  suggest?(value: string): string | undefined;
}

export type Lists = Readonly<Record<string, readonly (string | Hmac)[]>>;

/** So many faults are described with what was meant: to find it takes long where there are many names. */
const ADVISED = 100;

/** Says that there is no such thing, and what there is. */
export function missing(
  what: string,
  name: string,
  known: readonly string[],
  path: Path,
  { errors }: Found,
): Problem {
  const there =
    known.length === 0 ? `there are no ${what}s` : `there are ${known.slice(0, 10).map(shown).join(", ")}`;
  return problem(
    path,
    `there is no ${what} ${shown(name)}; ${there}`,
    errors.length < ADVISED ? nearest(name, known) : undefined,
  );
}

/** The lists, which of them rules use, and whether their values fit the fields that use them. */
export class ListUse {
  /** Those that are written out. */
  readonly lists: Lists;
  readonly #names: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #found: Found;
  readonly #used = new Set<string>();
  readonly #checked = new Set<string>();

  constructor(lists: ListTexts, found: Found) {
    this.lists = Object.fromEntries(
      Object.entries(lists).flatMap(([name, list]) => (Array.isArray(list) ? [[name, list]] : [])),
    );
    this.#names = Object.keys(lists);
    this.#known = new Set(this.#names);
    this.#found = found;
  }

  /** @param wanted Whatever a field holds: only a list by name is looked at. */
  use(wanted: unknown, path: Path, kind: Kind): void {
    if (typeof wanted !== "object" || wanted === null || !("list" in wanted)) return;
    const { list: name } = wanted;
    if (typeof name !== "string") return;
    if (!this.#known.has(name)) {
      this.#found.errors.push(missing("list", name, this.#names, [...path, "list"], this.#found));
      return;
    }
    this.#used.add(name);
    // What KV has of a list is not known here.
    const values = Object.hasOwn(this.lists, name) ? (this.lists[name] ?? []) : [];
    if (this.#checked.has(`${name} ${kind.message}`)) return;
    this.#checked.add(`${name} ${kind.message}`);
    values.forEach((value, index) => {
      if (kind.fits(value)) return;
      const meant = typeof value === "string" ? kind.suggest?.(value) : undefined;
      const got = typeof value === "string" ? shown(value) : "a secret";
      this.#found.errors.push(problem(["lists", name, index], `${kind.message}, not ${got}`, meant));
    });
  }

  warnOfUnused(): void {
    for (const name of this.#names) {
      if (!this.#used.has(name))
        this.#found.warnings.push(problem(["lists", name], "no rule uses this list"));
    }
  }
}
