import type { PlaceText } from "./action-schema.ts";
import type { Found } from "./list-use.ts";
import { roomNames } from "./place.ts";
import { type Path, problem, shown } from "./problems.ts";
import { records } from "./recorded-rooms.ts";
import type { Rule, Ruleset } from "./schema.ts";
import { readTemplate } from "./template.ts";

/** Rooms of two rules are compared so often, all in all, and then no more. */
const COMPARISONS = 100_000;

interface Placed {
  id: string;
  place: PlaceText;
  path: Path;
}

/** A character, or the set that one or more characters of a placeholder are of. */
type Token = string | { any: RegExp };

const ANY = { any: /[\s\S]/ };
const KEYS = { any: /[0-9*#]/ };

/**
 * Callers of rules that record nothing, in a room that another rule records. The default notice is heard where the same call's values
 * make the two rooms one; whether other values do cannot be known here.
 */
export function warnOfUntold({ rules, fallback, defaults = {}, roles = {} }: Ruleset, found: Found): void {
  const by = { join: defaults.join ?? {}, roles };
  const everything = [...placedBy(rules, ["rules"])];
  if (fallback?.place) everything.push({ id: "fallback", place: fallback.place, path: ["fallback"] });
  const recording = new Map<string, Placed>();
  for (const one of everything) {
    const key = JSON.stringify([one.place.room, one.place.overflow?.rooms]);
    if (records(one.place, by) && !recording.has(key)) recording.set(key, one);
  }
  let comparisons = 0;
  for (const { place, path } of everything) {
    if (place.recording_notice !== undefined || records(place, by)) continue;
    for (const other of recording.values()) {
      comparisons += 1;
      if (comparisons > COMPARISONS) return;
      const why = whyUntold(place, other, defaults.recording_notice !== undefined);
      if (why === null) continue;
      found.warnings.push(problem([...path, "place", "room"], why));
      break;
    }
  }
}

function whyUntold(place: PlaceText, { id, place: recorded }: Placed, hasNotice: boolean): string | null {
  if (isSame(place, recorded)) {
    return hasNotice
      ? null
      : `is a room that ${shown(id)} records, and its callers are not told: write a "recording_notice" beside the room or in the defaults, or false where they know`;
  }
  return mayMeet(place, recorded)
    ? `may be a room that ${shown(id)} records, which depends on the call, and then its callers hear no notice: write a "recording_notice" beside the room, or false where they know`
    : null;
}

/** Whether the same call's values make a room of the one a room of the other. */
function isSame(one: PlaceText, other: PlaceText): boolean {
  const names = roomNames(other.room, other);
  return roomNames(one.room, one).some((name) => names.includes(name));
}

function mayMeet(one: PlaceText, other: PlaceText): boolean {
  const others = patternsOf(other);
  return patternsOf(one).some((pattern) => others.some((another) => meet(pattern, another)));
}

/** The room, and where it overflows its numbered ones. */
function patternsOf(place: PlaceText): Token[][] {
  const room = readTemplate(place.room).flatMap((piece): Token[] => {
    if (typeof piece === "string") return [...piece];
    return [/^answer\.|\|digits$/.test(piece.name) ? KEYS : ANY];
  });
  return place.overflow?.rooms === undefined ? [room] : [room, [...room, "-", KEYS]];
}

/** Whether a text fits both. */
function meet(one: readonly Token[], other: readonly Token[]): boolean {
  const seen = new Set<number>();
  const from = (i: number, j: number): boolean => {
    if (i === one.length || j === other.length) return i === one.length && j === other.length;
    const key = i * (other.length + 1) + j;
    if (seen.has(key)) return false;
    seen.add(key);
    const [a, b] = [one[i], other[j]];
    if (a === undefined || b === undefined || !share(a, b)) return false;
    // A placeholder may go on, on either side.
    return (
      from(i + 1, j + 1) ||
      (typeof a !== "string" && from(i, j + 1)) ||
      (typeof b !== "string" && from(i + 1, j))
    );
  };
  return from(0, 0);
}

function share(a: Token, b: Token): boolean {
  if (typeof a === "string") return typeof b === "string" ? a === b : b.any.test(a);
  return typeof b === "string" ? a.any.test(b) : true;
}

function* placedBy(rules: readonly Rule[], path: Path): Generator<Placed> {
  for (const [position, rule] of rules.entries()) {
    const here = [...path, position];
    if (rule.rules !== undefined) yield* placedBy(rule.rules, [...here, "rules"]);
    else if (rule.place !== undefined) yield { id: rule.id, place: rule.place, path: here };
  }
}
