import { addressKey, suggestAddress } from "../address.ts";
import { ADDRESS_MESSAGE, callTypes, directions, type Match } from "../schema/match-schema.ts";
import { oneOf, type Path, problem } from "../schema/problems.ts";
import { type Found, type Kind, type ListUse, missing } from "./list-use.ts";

const addresses: Kind = {
  fits: (value) => typeof value === "string" && addressKey(value) !== null,
  message: ADDRESS_MESSAGE,
  suggest: suggestAddress,
};

const texts: Kind = { fits: (value) => typeof value === "string", message: "used as text, so must be text" };

function wordsOf(field: string, allowed: readonly string[]): Kind {
  return {
    fits: (value) => typeof value === "string" && allowed.includes(value),
    message: `used as a ${field}, so must be ${oneOf(allowed)}`,
  };
}

const directionWords = wordsOf("direction", directions);
const typeWords = wordsOf("type", callTypes);

const listed = [
  ["to", addresses],
  ["from", addresses],
  ["direction", directionWords],
  ["type", typeWords],
] as const;

/** What matches name, and which of it was used. */
export interface MatchNames {
  lists: ListUse;
  schedules: readonly string[];
  isSchedule(name: string): boolean;
  usedSchedules: Set<string>;
}

/** All of a match but its answers: lists and schedules that there are, expressions that can be, and no contradiction. */
export function checkMatch(match: Match, path: Path, names: MatchNames, found: Found): void {
  const { lists } = names;
  for (const [field, kind] of listed) {
    if (match[field] !== undefined) lists.use(match[field], [...path, field], kind);
  }
  checkHeaderNames(match, path, found);
  for (const field of ["headers", "params", "vars"] as const) {
    if (match[field] === undefined) continue;
    for (const [name, wanted] of Object.entries(match[field]))
      lists.use(wanted, [...path, field, name], texts);
  }
  checkScheduleNames(match, path, names, found);
  if (match.not === undefined) return;
  if (Object.keys(match.not).length === 0)
    found.errors.push(
      problem([...path, "not"], "is every call, so that no call is left: write what it must not be"),
    );
  checkMatch(match.not, [...path, "not"], names, found);
}

function checkHeaderNames({ headers }: Match, path: Path, found: Found): void {
  if (headers === undefined) return;
  const seen = new Set<string>();
  for (const name of Object.keys(headers)) {
    if (seen.has(name.toLowerCase()))
      found.errors.push(problem([...path, "headers", name], "is here twice: headers have no case"));
    seen.add(name.toLowerCase());
  }
}

function checkScheduleNames(match: Match, path: Path, names: MatchNames, found: Found): void {
  if (match.during === undefined && match.outside === undefined) return;
  for (const field of ["during", "outside"] as const) {
    for (const name of [match[field] ?? []].flat()) {
      if (names.isSchedule(name)) names.usedSchedules.add(name);
      else found.errors.push(missing("schedule", name, names.schedules, [...path, field], found));
    }
  }
  const outside = [match.outside ?? []].flat();
  const during = [match.during ?? []].flat();
  if (during.length > 0 && during.every((name) => outside.includes(name))) {
    const message = `never matches: ${oneOf(during)} would have to be open and closed at once`;
    found.warnings.push(problem([...path, "during"], message));
  }
}
