import { styleText } from "node:util";
import { canonicalJson } from "../shared/canonical-json.ts";
import { pathText } from "../shared/rules/schema/problems.ts";
import { type Difference, differenceLines, differencesBetween } from "./differences.ts";
import { plain } from "./plain.ts";

/** What one ruleset has otherwise than another: rules by id, the rest by path. */
export interface Changes {
  added: string[];
  removed: string[];
  changed: string[];
  /** Whether rules that both have stand in another order: the first that matches decides. */
  reordered: boolean;
  /** `lists.vips`, `timezone`, … */
  parts: string[];
  /** What differs inside of each of `changed` and `parts`. */
  inside: Record<string, Difference[]>;
}

/** Either may be a bad ruleset: a rule without an id is then called by its path. */
export function changesBetween(before: unknown, after: unknown): Changes {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  const kept = [...now.keys()].filter((id) => old.has(id));
  const stillThere = [...old.keys()].filter((id) => now.has(id));
  const changed = kept.filter((id) => canonicalJson(old.get(id)) !== canonicalJson(now.get(id)));
  const [oldParts, nowParts] = [partsOf(before), partsOf(after)];
  const parts = [...new Set([...oldParts.keys(), ...nowParts.keys()])].filter(
    (name) => canonicalJson(oldParts.get(name) ?? null) !== canonicalJson(nowParts.get(name) ?? null),
  );
  const inside = [
    ...changed.map((id) => [id, insideRule(old.get(id), now.get(id))] as const),
    ...parts.map((name) => [name, insidePart(oldParts, nowParts, name)] as const),
  ];
  return {
    added: [...now.keys()].filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !now.has(id)),
    changed,
    reordered: kept.some((id, index) => id !== stillThere[index]),
    parts,
    inside: Object.fromEntries(inside),
  };
}

export function isEmpty({ added, removed, changed, reordered, parts }: Changes): boolean {
  return added.length + removed.length + changed.length + parts.length === 0 && !reordered;
}

/** The changes as people read them, one a line. */
export function changeLines({ added, removed, changed, reordered, parts, inside }: Changes): string[] {
  const lines = [
    ...added.map((id) => styleText("green", `+ ${plain(id)}`)),
    ...removed.map((id) => styleText("red", `- ${plain(id)}`)),
    ...[...changed, ...parts].flatMap((name) => [
      styleText("yellow", `~ ${plain(name)}`),
      ...differenceLines(inside[name] ?? []).map((line) => `    ${plain(line)}`),
    ]),
  ];
  if (reordered) lines.push(styleText("yellow", "~ the order of the rules"));
  return lines;
}

interface Said {
  group: string;
  own: Record<string, unknown>;
}

/** Rules and what they say, those in groups after their group; its name is part of what they say. */
function rulesOf(ruleset: unknown): Map<string, Said> {
  const found = new Map<string, Said>();
  const pending = childrenOf(ruleset, "", []);
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const { rule, group, path } = next;
    const { rules: _, ...own } = rule;
    const id = typeof rule["id"] === "string" ? rule["id"] : pathText(path);
    found.set(id, { group, own });
    pending.unshift(...childrenOf(rule, id, path));
  }
  return found;
}

function insideRule(before: Said | undefined, after: Said | undefined): Difference[] {
  const moved =
    before?.group === after?.group
      ? []
      : [{ path: "group", before: before?.group ?? "", after: after?.group ?? "" }];
  return [...moved, ...differencesBetween(before?.own, after?.own)];
}

function insidePart(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
  name: string,
): Difference[] {
  if (!before.has(name)) return [{ path: "", after: after.get(name) }];
  if (!after.has(name)) return [{ path: "", before: before.get(name) }];
  return differencesBetween(before.get(name), after.get(name));
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
function partsOf(ruleset: unknown): Map<string, unknown> {
  const parts = new Map<string, unknown>();
  if (!isObject(ruleset)) return parts;
  for (const [key, value] of Object.entries(ruleset)) {
    if (key === "rules") continue;
    const isByName = key === "lists" || key === "schedules" || key === "roles";
    if (!isByName || !isObject(value)) parts.set(pathText([key]), value);
    else for (const [name, item] of Object.entries(value)) parts.set(pathText([key, name]), item);
  }
  return parts;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
