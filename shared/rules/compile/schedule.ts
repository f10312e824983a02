import { isDates, isYearly, type ScheduleText } from "../schema/schedule-schema.ts";
import type { WallClock, WallTime } from "../wall-clock.ts";

const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

const DAY_MINUTES = 1_440;
const WEEK_HOURS = 7 * 24;

/** Minutes since midnight; one that ends where it begins or before runs into the next day. */
interface Span {
  begin: number;
  end: number;
}

type Lists = Readonly<Record<string, readonly unknown[]>>;

/**
 * A schedule made ready. Hours are what the clock on the wall shows, and nothing else: 02:30 on the night that skips it never
 * comes, so hours from 02:00 to 03:00 are not open then; on the night that has 01:30 twice, hours around it are open both
 * times. Hours over midnight belong to the date on which they begin, so a closed date does not cut short the night before.
 */
export class Schedule {
  readonly name: string;
  readonly clock: WallClock;
  readonly #weekly: readonly (readonly Span[])[];
  readonly #on: ReadonlyMap<string, readonly Span[]>;
  readonly #closed: ReadonlySet<string>;
  /** First and last date, as text: dates sort as texts do. Those of every year may go round its end. */
  readonly #closedFromTo: readonly (readonly [string, string])[];

  constructor(name: string, { open = [], on = {}, closed }: ScheduleText, clock: WallClock, lists: Lists) {
    this.name = name;
    this.clock = clock;
    this.#weekly = weekdays.map((_, weekday) => open.filter((text) => daysOf(text).has(weekday)).map(spanOf));
    this.#on = new Map(Object.entries(on).map(([date, spans]) => [date, spans.map(spanOf)]));
    // A list in KV may hold what is no date.
    const dates = datesOf(closed, lists).filter(isDates);
    this.#closed = new Set(dates);
    this.#closedFromTo = dates
      .map((text) => text.split(".."))
      .flatMap(([first, last]) =>
        first === undefined || last === undefined ? [] : [[first, last] as const],
      );
  }

  /** What it takes at most to tell whether it is open. */
  get steps(): number {
    const spans = [...this.#weekly, ...this.#on.values()].map(({ length }) => length);
    return 6 + 2 * Math.max(0, ...spans) + 2 * this.#closedFromTo.length;
  }

  /** The hours of a week, Sunday's first being 0, that have a minute in which it is open where no date says otherwise. */
  hoursOfWeek(): Set<number> {
    const hours = new Set<number>();
    this.#weekly.forEach((spans, weekday) => {
      for (const { begin, end } of spans) {
        const last = end <= begin ? end + DAY_MINUTES : end;
        for (let hour = Math.floor(begin / 60); hour * 60 < last; hour++)
          hours.add((weekday * 24 + hour) % WEEK_HOURS);
      }
    });
    return hours;
  }

  /** The dates that have hours of their own. */
  datesOn(): Iterable<string> {
    return this.#on.keys();
  }

  isOpen({ date, yesterday, weekday, minute }: WallTime): boolean {
    return (
      this.#spans(date, weekday).some(
        ({ begin, end }) => minute >= begin && (end <= begin || minute < end),
      ) || this.#spans(yesterday, (weekday + 6) % 7).some(({ begin, end }) => end <= begin && minute < end)
    );
  }

  #spans(date: string, weekday: number): readonly Span[] {
    const other = this.#on.get(date) ?? this.#on.get(ofEveryYear(date));
    if (other !== undefined) return other;
    return this.#isClosed(date) ? [] : (this.#weekly[weekday] ?? []);
  }

  #isClosed(date: string): boolean {
    const yearly = ofEveryYear(date);
    if (this.#closed.has(date) || this.#closed.has(yearly)) return true;
    return this.#closedFromTo.some(([first, last]) => {
      const day = isYearly(first) ? yearly : date;
      return first <= last ? first <= day && day <= last : first <= day || day <= last;
    });
  }
}

/** Those that there are: the checks let no other name through. */
export function schedulesOf(
  names: string | readonly string[],
  schedules: ReadonlyMap<string, Schedule>,
): Schedule[] {
  return [names]
    .flat()
    .map((name) => schedules.get(name))
    .filter((one) => one !== undefined);
}

/** `12-25` for `2026-12-25`. */
export function ofEveryYear(date: string): string {
  return date.slice(-"12-25".length);
}

/** The closed dates as written, those of a list too. */
export function datesOf(closed: ScheduleText["closed"], lists: Lists): string[] {
  if (closed === undefined) return [];
  if (typeof closed === "string") return [closed];
  if (Array.isArray(closed)) return closed;
  const listed = Object.hasOwn(lists, closed.list) ? (lists[closed.list] ?? []) : [];
  return listed.filter((value) => typeof value === "string");
}

/** `mon-wed,fri` as weekdays; `sat-mon` goes round the end of the week. */
function daysOf(text: string): Set<number> {
  const days = new Set<number>();
  for (const part of (text.split(" ")[0] ?? "").split(",")) {
    const [first = "", last = first] = part.split("-");
    const [begin, end] = [dayNumber(first), dayNumber(last)];
    for (let day = begin; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === end) break;
    }
  }
  return days;
}

function dayNumber(day: string): number {
  return weekdays.findIndex((one) => one.startsWith(day));
}

function spanOf(text: string): Span {
  const [begin = "", end = ""] = (text.split(" ").at(-1) ?? "").split("-");
  return { begin: minuteOf(begin), end: minuteOf(end) };
}

function minuteOf(text: string): number {
  const [hours, minutes] = text.split(":");
  return Number(hours) * 60 + Number(minutes);
}
