import * as z from "zod";
import { isTimezone } from "../wall-clock.ts";
import { name } from "./name-schema.ts";
import { strictObject } from "./strict-object.ts";

const DAY = "(?:mon|tue|wed|thu|fri|sat|sun)";
const DAYS = `${DAY}(?:-${DAY})?(?:,${DAY}(?:-${DAY})?)*`;
const HOURS = "(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)";

export const timezone = z
  .string()
  .max(64)
  .refine(isTimezone, "must be a time zone of the IANA database such as America/New_York");

const weeklyHours = z
  .string()
  .regex(
    new RegExp(`^${DAYS} ${HOURS}$`),
    'must be days and hours such as "mon-fri 09:00-17:30" or "sat,sun 22:00-06:00"',
  )
  .refine(hasLength, "begins when it ends: all day is 00:00-24:00");

const hours = z
  .string()
  .regex(new RegExp(`^${HOURS}$`), 'must be hours such as "09:00-12:00"')
  .refine(hasLength, "begins when it ends: all day is 00:00-24:00");

/** `2026-12-25`, `12-25` of every year, or the first and last of several: `2026-12-21..2027-01-01`, `12-24..01-01`. */
export const DATE_MESSAGE =
  'must be a date such as "2026-12-25", or "12-25" for every year, or the first and last of several such as "2026-12-21..2027-01-01"';

const date = z
  .string()
  .refine((text) => isDate(text), 'must be a date such as "2026-12-25", or "12-25" for every year');
const dates = z.string().refine((text) => isDates(text), DATE_MESSAGE);

const closed = z.union(
  [
    dates,
    z.array(dates).max(1_000),
    strictObject({ list: name("a list's name").describe("The name of a list of dates in `lists`.") }),
  ],
  { error: 'must be a date, a list of dates, or { "list": "name" }' },
);

/** When something is open. Hours are read off the clock on the wall in the time zone. */
export const schedule = strictObject({
  timezone: timezone
    .exactOptional()
    .describe("The IANA time zone of the hours, e.g. Europe/Berlin. Without it, the ruleset's."),
  open: z
    .array(weeklyHours)
    .max(100)
    .exactOptional()
    .describe(
      'Weekly hours, e.g. "mon-fri 09:00-17:30". Hours that end before they begin run into the next day.',
    ),
  closed: closed
    .exactOptional()
    .describe(
      'Dates without the weekly hours: "2026-12-25", "12-25" for every year, "12-24..01-01" for several. What began the day before runs on to its end.',
    ),
  on: z
    .record(date, z.array(hours).max(20))
    .exactOptional()
    .describe(
      'Dates with other hours, in place of the weekly ones and of closed dates around them: { "2026-12-24": ["09:00-12:00"] }; "12-24" is every year\'s, where the year has none of its own.',
    ),
});

export type ScheduleText = z.infer<typeof schedule>;

/** Whether the text is one date, or a first and a last date, both of one year's calendar or both of every year's. */
export function isDates(text: string): boolean {
  const [first = "", last = first, ...more] = text.split("..");
  if (more.length > 0 || !isDate(first) || !isDate(last) || first.length !== last.length) return false;
  return isYearly(first) || first <= last;
}

/** Whether it is the date of every year, `12-25`. */
export function isYearly(date: string): boolean {
  return date.length === "12-25".length;
}

function isDate(written: string): boolean {
  // Of every year: 2024 has a 29th of February.
  const text = isYearly(written) ? `2024-${written}` : written;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  // The 30th of February is read as the 2nd of March.
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

function hasLength(text: string): boolean {
  const [begin, end] = (text.split(" ").at(-1) ?? "").split("-");
  return begin !== end;
}
