import { datesOf } from "../compile/schedule.ts";
import { canonical, isAbbreviation, meantTimezone } from "../schema/meant-timezone.ts";
import { type Path, problem, shown } from "../schema/problems.ts";
import type { Ruleset } from "../schema/ruleset.ts";
import { DATE_MESSAGE, isDates, type ScheduleText } from "../schema/schedule-schema.ts";
import type { Found, ListUse } from "./list-use.ts";

const dates = {
  fits: (value: unknown) => typeof value === "string" && isDates(value),
  message: DATE_MESSAGE,
};

/** Schedules without a time zone, never open, or of two minds about a date. */
export function checkSchedules({ schedules = {}, timezone }: Ruleset, lists: ListUse, found: Found): void {
  warnOfAbbreviation(timezone, ["timezone"], found);
  for (const [name, schedule] of Object.entries(schedules)) {
    const path = ["schedules", name];
    lists.use(schedule.closed, [...path, "closed"], dates);
    if (schedule.timezone === undefined && timezone === undefined) {
      const message =
        'has no time zone: write "timezone" here, or for the whole ruleset, e.g. America/New_York';
      found.errors.push(problem(path, message));
    }
    warnOfAbbreviation(schedule.timezone, [...path, "timezone"], found);
    if (isNeverOpen(schedule)) {
      const message = 'is never open: write hours in "open", or dates with hours in "on"';
      found.errors.push(problem(path, message));
    }
    checkDates(schedule, path, lists, found);
  }
}

/** `EST` has no daylight-saving time, and `BST` is Dhaka's: what the engine makes of them is seldom meant. */
function warnOfAbbreviation(timezone: string | undefined, path: Path, found: Found): void {
  if (timezone === undefined || !isAbbreviation(timezone)) return;
  const message = `${shown(timezone)} is an abbreviation, and read as ${canonical(timezone)}: write the zone of a place`;
  found.warnings.push(problem(path, message, meantTimezone(timezone)));
}

export function warnOfUnusedSchedules(
  { schedules = {} }: Ruleset,
  used: ReadonlySet<string>,
  found: Found,
): void {
  for (const name of Object.keys(schedules)) {
    if (!used.has(name)) found.warnings.push(problem(["schedules", name], "no rule uses this schedule"));
  }
}

/** Dates alone close no week for ever. */
function isNeverOpen({ open = [], on = {} }: ScheduleText): boolean {
  return open.length === 0 && Object.values(on).every((hours) => hours.length === 0);
}

function checkDates({ closed, on = {} }: ScheduleText, path: Path, lists: ListUse, found: Found): void {
  // One date among several that are closed may well have hours of its own; one that is named twice is a slip.
  for (const date of datesOf(closed, lists.lists)) {
    if (!Object.hasOwn(on, date)) continue;
    const message = `${shown(date)} is among the closed dates too: leave it out of one of the two`;
    found.errors.push(problem([...path, "on", date], message));
  }
}
