import type { Call } from "../../../shared/call.ts";
import type { Answers } from "../../../shared/rules/answers.ts";
import type { AnswerMatcher, Match, TextMatcher, Wanted } from "../../../shared/rules/schema/match-schema.ts";
import type { Ruleset } from "../../../shared/rules/schema/ruleset.ts";
import { fitsReading, readingOf } from "../spellings.ts";
import { readHeader, readText } from "./naive-bounds.ts";
import { holdsWhen, readWhen } from "./naive-when.ts";

/** Whether the whole match holds. Of `when` it knows those of naive-when. */
export function matches(
  ruleset: Ruleset,
  match: Match,
  situation: { now_ms: number; answers: Answers | null },
  call: Call,
): boolean {
  const list = (name: string) => listOf(ruleset, name);
  const values = (wanted: Wanted): string[] =>
    typeof wanted === "string"
      ? [wanted]
      : Array.isArray(wanted)
        ? wanted
        : list(wanted.list).filter((value) => typeof value === "string");
  const isText = (wanted: TextMatcher, sent: readonly string[]): boolean =>
    typeof wanted === "object" && "present" in wanted
      ? sent.length > 0 === wanted.present
      : sent.some((value) => values(wanted).some((one) => globs(one, value)));
  for (const side of ["to", "from"] as const) {
    const wanted = match[side];
    if (wanted === undefined) continue;
    const reading = readingOf(call[side], side);
    if (!values(wanted).some((one) => fitsReading(one, reading))) return false;
  }
  if (match.direction !== undefined && !values(match.direction).includes(call.direction)) return false;
  if (match.type !== undefined && !values(match.type).includes(call.type)) return false;
  for (const [name, wanted] of Object.entries(match.headers ?? {})) {
    const sent = headerOf(call, name);
    if (!isPresence(wanted)) readHeader(sent);
    if (!isText(wanted, sent)) return false;
  }
  for (const field of ["params", "vars"] as const) {
    for (const [name, wanted] of Object.entries(match[field] ?? {})) {
      const sent = textsAt(call[field], name);
      if (!isPresence(wanted)) sent.forEach(readText);
      if (!isText(wanted, sent)) return false;
    }
  }
  for (const [key, wanted] of Object.entries(match)) {
    if (!key.startsWith("answer.")) continue;
    const answer = situation.answers?.[key.slice(7)];
    const keyed = answer?.value ?? answer?.hmac;
    // The key says that what it holds is an answer wanted.
    const wantedAnswer = wanted as AnswerMatcher;
    if (typeof wantedAnswer === "object" && "pins" in wantedAnswer) {
      const { pins } = wantedAnswer;
      if (answer?.pin === undefined || (pins !== true && pins.role !== answer.pin.role)) return false;
      continue;
    }
    if (typeof wantedAnswer === "object" && "none" in wantedAnswer) {
      if (answer === undefined || keyed !== undefined) return false;
      continue;
    }
    const wantedValues = [wantedAnswer]
      .flat()
      .flatMap((one) =>
        typeof one === "string" ? [one] : "hmac" in one ? [one.hmac] : list(one.list).map(asText),
      );
    if (keyed === undefined || !wantedValues.includes(keyed)) return false;
  }
  const open = (name: string) => isOpen(ruleset, name, situation.now_ms);
  if (match.during !== undefined && ![match.during].flat().some(open)) return false;
  if (match.outside !== undefined && [match.outside].flat().some(open)) return false;
  if (match.not !== undefined) {
    readAll(match.not, call);
    if (matches(ruleset, match.not, situation, call)) return false;
  }
  if (match.when === undefined) return true;
  readWhen(match.when, call);
  return holdsWhen(match.when, call);
}

/** All that a match under `not` may read, at once. */
function readAll({ headers = {}, params = {}, vars = {}, not, when }: Match, call: Call): void {
  for (const [name, wanted] of Object.entries(headers))
    if (!isPresence(wanted)) readHeader(headerOf(call, name));
  for (const [field, named] of [
    ["params", params],
    ["vars", vars],
  ] as const) {
    for (const [name, wanted] of Object.entries(named))
      if (!isPresence(wanted)) textsAt(call[field], name).forEach(readText);
  }
  if (not !== undefined) readAll(not, call);
  if (when !== undefined) readWhen(when, call);
}

function isPresence(wanted: TextMatcher): boolean {
  return typeof wanted === "object" && "present" in wanted;
}

function headerOf(call: Call, name: string): string[] {
  return Object.entries(call.headers).find(([one]) => one === name.toLowerCase())?.[1] ?? [];
}

/** A list that is written out. */
function listOf({ lists }: Ruleset, name: string): (string | { hmac: string })[] {
  const list = lists?.[name];
  return Array.isArray(list) ? list : [];
}

function asText(value: string | { hmac: string }): string {
  return typeof value === "string" ? value : value.hmac;
}

/** By time zone: it takes longest to make one. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Every minute of the week is asked of the offset that `Intl` spells out: slow, and by another way than the product's. */
function isOpen(ruleset: Ruleset, name: string, now_ms: number): boolean {
  const schedule = ruleset.schedules?.[name];
  if (schedule === undefined) return false;
  const timeZone = schedule.timezone ?? ruleset.timezone ?? "UTC";
  const format =
    formats.get(timeZone) ?? new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  formats.set(timeZone, format);
  const text = format.format(now_ms);
  const [, sign = "+", hours = "0", minutes = "0"] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
  const local = now_ms + (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  const today = Math.floor(local / 86_400_000);
  const minute = Math.floor((local - today * 86_400_000) / 60_000);
  const closed = typeof schedule.closed === "string" ? [schedule.closed] : schedule.closed;
  const closedDates = Array.isArray(closed)
    ? closed
    : closed === undefined
      ? []
      : listOf(ruleset, closed.list).map(asText);
  const spansOn = (day: number): string[] => {
    const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
    const other = schedule.on?.[date] ?? schedule.on?.[date.slice(5)];
    if (other !== undefined) return other;
    const isClosed = closedDates.some((dates) => {
      const [first = "", last = first] = dates.split("..");
      return datesFrom(first, last, date.slice(0, 4)).includes(date);
    });
    return isClosed
      ? []
      : (schedule.open ?? []).filter((one) => hasDay(one, day)).map((one) => one.split(" ")[1] ?? "");
  };
  const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const covers = (span: string, at: number) => {
    const [begin = 0, end = 0] = span.split("-").map(minuteOf);
    return at >= begin && at < (end <= begin ? end + 1440 : end);
  };
  return (
    spansOn(today).some((span) => covers(span, minute)) ||
    spansOn(today - 1).some((span) => covers(span, minute + 1440))
  );
}

/** Every date from the first to the last, one by one; those of every year from the one before a year to its end. */
function datesFrom(first: string, last: string, year: string): string[] {
  const isYearly = first.length === 5;
  const spans = isYearly
    ? [Number(year) - 1, Number(year)].map((from) => [
        `${from}-${first}`,
        `${last < first ? from + 1 : from}-${last}`,
      ])
    : [[first, last]];
  return spans.flatMap(([begin = "", end = ""]) => {
    const found: string[] = [];
    for (let at = Date.parse(begin); at <= Date.parse(end); at += 86_400_000)
      found.push(new Date(at).toISOString().slice(0, 10));
    return found;
  });
}

function hasDay(open: string, day: number): boolean {
  const names = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
  return (open.split(" ")[0] ?? "").split(",").some((part) => {
    const [first = "", last = first] = part.split("-");
    for (let index = names.indexOf(first); ; index = (index + 1) % 7) {
      if (names[index] === names[day % 7]) return true;
      if (names[index] === last) return false;
    }
  });
}

function globs(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("*"))
    return globs(pattern.slice(1), text) || (text !== "" && globs(pattern, text.slice(1)));
  return text !== "" && pattern[0] === text[0] && globs(pattern.slice(1), text.slice(1));
}

function textsAt(values: Record<string, unknown>, name: string): string[] {
  const value = Object.entries(values).find(([sent]) => sent === name)?.[1];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? [String(value)]
    : [];
}
