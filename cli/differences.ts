import { canonicalJson } from "../shared/canonical-json.ts";
import { pathText } from "../shared/rules/schema/problems.ts";

/** One thing that two values of JSON have differently. */
export type Difference = { path: string } & (
  | { before: unknown; after: unknown }
  | { before: unknown }
  | { after: unknown }
  /** Of a list: what is in it now and was not, and the other way round. */
  | { added: unknown[]; removed: unknown[] }
);

/** Characters of one value, and items of one list, that are shown. */
const SHOWN_LENGTH = 80;
const SHOWN_ITEMS = 5;

type Path = readonly (string | number)[];

export function differencesBetween(before: unknown, after: unknown, path: Path = []): Difference[] {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => {
      const inside = [...path, key];
      if (!Object.hasOwn(before, key)) return [{ path: pathText(inside), after: after[key] }];
      if (!Object.hasOwn(after, key)) return [{ path: pathText(inside), before: before[key] }];
      return differencesBetween(before[key], after[key], inside);
    });
  }
  if (Array.isArray(before) && Array.isArray(after)) return inLists(before, after, path);
  return [{ path: pathText(path), before, after }];
}

/** A line for each: `place.capacity: 20 → 40`. */
export function differenceLines(differences: readonly Difference[]): string[] {
  return differences.map((difference) => {
    const name = difference.path === "" ? "" : `${difference.path}: `;
    if ("added" in difference) {
      const { added, removed } = difference;
      const items = [...listed("+", added), ...listed("-", removed)];
      return `${name}${items.length === 0 ? "another order" : items.join(", ")}`;
    }
    if (!("before" in difference)) return `${name}${valueText(difference.after)} (new)`;
    if (!("after" in difference)) return `${name}${valueText(difference.before)} (gone)`;
    return `${name}${valueText(difference.before)} → ${valueText(difference.after)}`;
  });
}

/** Lists of one length whose items are objects are compared place by place; others by what is in them. */
function inLists(before: readonly unknown[], after: readonly unknown[], path: Path): Difference[] {
  if (before.length === after.length && [...before, ...after].every(isObject))
    return before.flatMap((item, index) => differencesBetween(item, after[index], [...path, index]));
  const [old, now] = [countsOf(before), countsOf(after)];
  return [{ path: pathText(path), added: without(after, old), removed: without(before, now) }];
}

function countsOf(items: readonly unknown[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(canonicalJson(item), (counts.get(canonicalJson(item)) ?? 0) + 1);
  return counts;
}

function without(items: readonly unknown[], counts: Map<string, number>): unknown[] {
  const left = new Map(counts);
  return items.filter((item) => {
    const key = canonicalJson(item);
    const count = left.get(key) ?? 0;
    left.set(key, count - 1);
    return count <= 0;
  });
}

function listed(sign: string, items: readonly unknown[]): string[] {
  const more = items.length - SHOWN_ITEMS;
  const shown = items.slice(0, SHOWN_ITEMS).map((item) => `${sign} ${valueText(item)}`);
  return more > 0 ? [...shown, `${sign} ${more} more`] : shown;
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
