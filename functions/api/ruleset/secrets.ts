/** What the API shows in place of a secret. Put back, it keeps the secret that it stands for. */
export const MASK = "***";

/** A place in a ruleset that holds a secret. */
export interface Secret {
  path: readonly (string | number)[];
  /** What holds it, and under which key. */
  holder: Record<string, unknown>;
  key: string;
  /** The id of the innermost rule around it; null outside of rules. */
  rule: string | null;
  /** The path from that rule on, else from the top: the same wherever the rule has moved to. */
  place: readonly (string | number)[];
  /** How many values the list has in which it stands; values have no names, so it is told by its number there. */
  among: number | null;
}

export interface Secrets {
  found: readonly Secret[];
  rule_ids: ReadonlySet<string>;
}

interface Here extends Omit<Secret, "holder" | "key"> {
  /** Where `place` begins in `path`. */
  begin: number;
}

interface Walk {
  found: Secret[];
  rule_ids: Set<string>;
}

/**
 * Streams' bearer tokens and the HMACs of PINs, in a ruleset good or bad.
 *
 * @param ruleset As `JSON.parse` made it, within the bounds of `boundsProblem`.
 */
export function secretsOf(ruleset: unknown): Secrets {
  const walk: Walk = { found: [], rule_ids: new Set() };
  visit(ruleset, { path: [], rule: null, place: [], among: null, begin: 0 }, walk);
  return walk;
}

/** Puts `***` in the place of each secret, in the ruleset itself. */
export function maskSecrets(ruleset: unknown): void {
  for (const { holder, key } of secretsOf(ruleset).found) holder[key] = MASK;
}

function visit(value: unknown, here: Here, walk: Walk): void {
  if (Array.isArray(value)) visitList(value, here, walk);
  else if (isObject(value)) visitObject(value, here, walk);
}

function visitList(list: readonly unknown[], here: Here, walk: Walk): void {
  const areRules = here.path.at(-1) === "rules";
  for (const [index, item] of list.entries()) {
    const inside = step(here, index);
    const id = areRules && isObject(item) ? item["id"] : undefined;
    if (typeof id === "string") {
      walk.rule_ids.add(id);
      const { path } = inside;
      visit(item, { path, rule: id, place: [], among: null, begin: path.length }, walk);
    } else {
      visit(item, { ...inside, among: list.length }, walk);
    }
  }
}

function visitObject(value: Record<string, unknown>, here: Here, walk: Walk): void {
  const around = here.path.at(-1);
  const isMatch = around === "match" || around === "not";
  for (const [key, item] of Object.entries(value)) {
    // Names there are the caller's, whatever they say; and `***` is a text to match, since * stands for any.
    if (isMatch && (key === "headers" || key === "params" || key === "vars")) continue;
    const { path, rule, place, among } = step(here, key);
    if (key === "hmac" || key === "authorization_bearer_token") {
      walk.found.push({ path, rule, place, among, holder: value, key });
    } else {
      visit(item, { path, rule, place, among, begin: here.begin }, walk);
    }
  }
}

function step(here: Here, next: string | number): Here {
  const path = [...here.path, next];
  return { ...here, path, place: path.slice(here.begin) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
