import { records } from "../compile/recorded-rooms.ts";
import { roomNames } from "../compile/room-names.ts";
import type { PlaceText } from "../schema/action-schema.ts";
import { type Path, problem, shown } from "../schema/problems.ts";
import type { Rule, Ruleset } from "../schema/ruleset.ts";
import { readTemplate } from "../template.ts";
import type { Found } from "./list-use.ts";

/** Rooms of two rules are compared so often, all in all, and characters of theirs; then no more. */
const COMPARISONS = 100_000;
const STEPS = 2_000_000;

interface Placed {
  id: string;
  place: PlaceText;
  path: Path;
}

/** A place's rooms, read once. */
interface Rooms {
  names: readonly string[];
  /** The room, and where it overflows its numbered ones. */
  patterns: readonly Token[][];
}

/** What is left of the comparing. */
interface Budget {
  comparisons: number;
  steps: number;
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
  const recording = new Map<string, { id: string; rooms: Rooms }>();
  for (const { id, place } of everything) {
    const key = JSON.stringify([place.room, place.overflow?.rooms]);
    if (records(place, by) && !recording.has(key)) recording.set(key, { id, rooms: roomsOf(place) });
  }
  const budget: Budget = { comparisons: COMPARISONS, steps: STEPS };
  for (const { place, path } of everything) {
    if (place.recording_notice !== undefined || records(place, by)) continue;
    const rooms = roomsOf(place);
    for (const { id, rooms: others } of recording.values()) {
      budget.comparisons -= 1;
      if (budget.comparisons < 0 || budget.steps < 0) return;
      const why = whyUntold(rooms, others, {
        id,
        hasNotice: defaults.recording_notice !== undefined,
        budget,
      });
      if (why === null) continue;
      found.warnings.push(problem([...path, "place", "room"], why));
      break;
    }
  }
}

function whyUntold(
  rooms: Rooms,
  recorded: Rooms,
  { id, hasNotice, budget }: { id: string; hasNotice: boolean; budget: Budget },
): string | null {
  if (rooms.names.some((name) => recorded.names.includes(name))) {
    return hasNotice
      ? null
      : `is a room that ${shown(id)} records, and its callers are not told: write a "recording_notice" beside the room or in the defaults, or false where they know`;
  }
  return rooms.patterns.some((pattern) => recorded.patterns.some((other) => meet(pattern, other, budget)))
    ? `may be a room that ${shown(id)} records, which depends on the call, and then its callers hear no notice: write a "recording_notice" beside the room, or false where they know`
    : null;
}

function roomsOf(place: PlaceText): Rooms {
  const room = readTemplate(place.room).flatMap((piece): Token[] => {
    if (typeof piece === "string") return [...piece];
    return [/^answer\.|\|digits$/.test(piece.name) ? KEYS : ANY];
  });
  const patterns = place.overflow?.rooms === undefined ? [room] : [room, [...room, "-", KEYS]];
  return { names: roomNames(place.room, place), patterns };
}

/** Whether a text fits both; false where the budget is spent. */
function meet(one: readonly Token[], other: readonly Token[], budget: Budget): boolean {
  const seen = new Set<number>();
  const from = (i: number, j: number): boolean => {
    if (i === one.length || j === other.length) return i === one.length && j === other.length;
    const key = i * (other.length + 1) + j;
    budget.steps -= 1;
    if (seen.has(key) || budget.steps < 0) return false;
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
