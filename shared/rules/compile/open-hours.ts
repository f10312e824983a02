import type { WallClock, WallTime } from "../wall-clock.ts";
import { ofEveryYear, type Schedule } from "./schedule.ts";

/** Schedules open for more hours of a week than this are asked each time: to list them by the hour would save little. */
const MANY_HOURS = 60;

interface Scheduled<Value> {
  schedule: Schedule;
  value: Value;
}

/** The schedules of one clock. */
interface Week<Value> {
  clock: WallClock;
  /** By the hour of the week, Sunday's first being 0. */
  hours: Scheduled<Value>[][];
  /** By a date that has hours of its own. */
  dates: Map<string, Scheduled<Value>[]>;
  always: Scheduled<Value>[];
}

/** Finds which of many schedules are open: asks those alone that may be at this hour of the week, or on this date. */
export class OpenHours<Value> {
  readonly #weeks: readonly Week<Value>[];

  constructor(values: ReadonlyMap<Schedule, Value>) {
    const weeks = new Map<WallClock, Week<Value>>();
    for (const [schedule, value] of values) {
      const { clock } = schedule;
      const week = weeks.get(clock) ?? { clock, hours: [], dates: new Map(), always: [] };
      weeks.set(clock, week);
      list(week, { schedule, value });
    }
    this.#weeks = [...weeks.values()];
  }

  /** Adds the values of those that are open. */
  collect(wallTime: (clock: WallClock) => WallTime, found: Value[]): void {
    for (const { clock, hours, dates, always } of this.#weeks) {
      const now = wallTime(clock);
      // Hours that begin on a date may run into the next.
      const lists = [
        always,
        hours[now.weekday * 24 + Math.floor(now.minute / 60)],
        dates.get(now.date),
        dates.get(now.yesterday),
        dates.get(ofEveryYear(now.date)),
        dates.get(ofEveryYear(now.yesterday)),
      ];
      const open = new Set<Scheduled<Value>>();
      for (const some of lists) for (const one of some ?? []) if (one.schedule.isOpen(now)) open.add(one);
      for (const { value } of open) found.push(value);
    }
  }
}

function list<Value>({ hours, dates, always }: Week<Value>, scheduled: Scheduled<Value>): void {
  const weekly = scheduled.schedule.hoursOfWeek();
  if (weekly.size > MANY_HOURS) {
    always.push(scheduled);
    return;
  }
  for (const hour of weekly) {
    const those = hours[hour] ?? [];
    hours[hour] = those;
    those.push(scheduled);
  }
  for (const date of scheduled.schedule.datesOn()) {
    const those = dates.get(date) ?? [];
    dates.set(date, those);
    those.push(scheduled);
  }
}
