import { canonicalJson } from "../shared/canonical-json.ts";
import { pathText } from "../shared/rules/schema/problems.ts";

/** What one ruleset has otherwise than another: rules by id, the rest by path. */
export interface Changes {
  added: string[];
  removed: string[];
  changed: string[];
  /** Whether rules that both have stand in another order: the first that matches decides. */
  reordered: boolean;
  /** `lists.vips`, `timezone`, … */
  parts: string[];
}

/** Either may be a bad ruleset: a rule without an id is then called by its path. */
export function changesBetween(before: unknown, after: unknown): Changes {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  const kept = [...now.keys()].filter((id) => old.has(id));
  const stillThere = [...old.keys()].filter((id) => now.has(id));
  return {
    added: [...now.keys()].filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !now.has(id)),
    changed: kept.filter((id) => old.get(id) !== now.get(id)),
    reordered: kept.some((id, index) => id !== stillThere[index]),
    parts: partsBetween(partsOf(before), partsOf(after)),
  };
}

export function isEmpty({ added, removed, changed, reordered, parts }: Changes): boolean {
  return added.length + removed.length + changed.length + parts.length === 0 && !reordered;
}

/** Rules and what they say, those in groups after their group; its name is part of what they say. */
function rulesOf(ruleset: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const pending = childrenOf(ruleset, "", []);
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { rule, group, path } = next;
    const { rules: _, ...own } = rule;
    const id = typeof rule["id"] === "string" ? rule["id"] : pathText(path);
    found.set(id, canonicalJson([group, own]));
    pending.unshift(...childrenOf(rule, id, path));
  }
  return found;
}

interface Found {
  rule: Record<string, unknown>;
  group: string;
  path: readonly (string | number)[];
}

function childrenOf(holder: unknown, group: string, path: readonly (string | number)[]): Found[] {
  const rules = isObject(holder) ? holder["rules"] : undefined;
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown, index) =>
    isObject(rule) ? [{ rule, group, path: [...path, "rules", index] }] : [],
  );
}

/** What is not a rule; of what is kept by name, each name for itself. */
function partsOf(ruleset: unknown): Map<string, string> {
  const parts = new Map<string, string>();
  if (!isObject(ruleset)) return parts;
  for (const [key, value] of Object.entries(ruleset)) {
    if (key === "rules") continue;
    const isByName = key === "lists" || key === "schedules" || key === "roles";
    if (!isByName || !isObject(value)) parts.set(pathText([key]), canonicalJson(value));
    else
      for (const [name, item] of Object.entries(value)) parts.set(pathText([key, name]), canonicalJson(item));
  }
  return parts;
}

function partsBetween(old: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const names = new Set([...old.keys(), ...now.keys()]);
  return [...names].filter((name) => old.get(name) !== now.get(name));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
