import ICAL from "ical.js";

/** Dates as schedules take them: `2026-12-25`, `12-25` of every year, `2026-12-28..2027-01-01`. */
export interface CalendarDates {
  dates: string[];
  /** What is wrong; then the dates are not to be used. */
  problems: string[];
  /** What was left out, and why. */
  notes: string[];
}

interface Years {
  from: number;
  to: number;
}

const DAY_MS = 86_400_000;
/** A calendar may name a rule that never comes to an end, or to the years that are asked for. */
const OCCURRENCES = 5_000;

/** The days of a calendar's events. Of those with a time of day nothing says that a whole day is meant: they are left out. */
export function datesOfCalendar(text: string, years: Years): CalendarDates {
  const found: CalendarDates = { dates: [], problems: [], notes: [] };
  let calendar: ICAL.Component;
  try {
    calendar = new ICAL.Component(ICAL.parse(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ...found, problems: [`is no calendar: ${why}`] };
  }
  const events = calendar.getAllSubcomponents("vevent");
  if (events.length === 0) return { ...found, problems: ["has no events (VEVENT)"] };
  for (const component of events) {
    const event = new ICAL.Event(component);
    const name = `${JSON.stringify(event.summary ?? "an event without a name")}`;
    const { startDate: start } = event;
    if (component.getFirstPropertyValue("status") === "CANCELLED") continue;
    // An exception of a recurring event is told by that.
    if (event.isRecurrenceException()) continue;
    if (start === null) found.problems.push(`${name} has no day on which it begins (DTSTART)`);
    else if (!start.isDate)
      found.notes.push(`${name} is of part of a day, and left out: write its hours into "on"`);
    else addDays(event, component, years, found);
  }
  return found;
}

function addDays(
  event: ICAL.Event,
  component: ICAL.Component,
  { from, to }: Years,
  { dates }: CalendarDates,
): void {
  const first = dayOf(event.startDate);
  const length = Math.max(1, (dayOf(event.endDate ?? event.startDate) - first) / DAY_MS);
  if (!event.isRecurring()) {
    if (yearOf(first + (length - 1) * DAY_MS) >= from) dates.push(spanOf(first, length, dateText));
    return;
  }
  if (isSameEveryYear(component)) {
    dates.push(spanOf(first, length, (day) => dateText(day).slice(5)));
    return;
  }
  const occurrences = event.iterator();
  for (let count = 0; count < OCCURRENCES; count += 1) {
    const next: ICAL.Time | undefined = occurrences.next();
    if (!next || next.year > to) return;
    if (next.year >= from) dates.push(spanOf(dayOf(next), length, dateText));
  }
}

/** Whether it is on one date of every year, for ever. */
function isSameEveryYear(component: ICAL.Component): boolean {
  const others = ["rdate", "exdate"].some((name) => component.hasProperty(name));
  const rules = component.getAllProperties("rrule").map((property) => property.getFirstValue());
  const [rule] = rules;
  if (others || rules.length !== 1 || !(rule instanceof ICAL.Recur)) return false;
  const parts = Object.keys(rule.parts).filter((part) => part !== "BYMONTH" && part !== "BYMONTHDAY");
  const isOnce = ["BYMONTH", "BYMONTHDAY"].every((part) => (rule.getComponent(part).length ?? 0) <= 1);
  return (
    rule.freq === "YEARLY" &&
    rule.interval === 1 &&
    !rule.count &&
    !rule.until &&
    parts.length === 0 &&
    isOnce
  );
}

function spanOf(first: number, days: number, text: (day: number) => string): string {
  return days === 1 ? text(first) : `${text(first)}..${text(first + (days - 1) * DAY_MS)}`;
}

function dayOf({ year, month, day }: ICAL.Time): number {
  return Date.UTC(year, month - 1, day);
}

function yearOf(day: number): number {
  return new Date(day).getUTCFullYear();
}

function dateText(day: number): string {
  return new Date(day).toISOString().slice(0, 10);
}
