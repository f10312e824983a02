import { meantDates } from "../shared/rules/schema/meant-hours.ts";
import { isDates } from "../shared/rules/schema/schedule-schema.ts";
import type { CalendarDates } from "./ics-dates.ts";

/** Dates of a CSV: one a line, or a first and a last; what else is in the line is taken for its name. */
export function datesOfTable(text: string, from: number): CalendarDates {
  const found: CalendarDates = { dates: [], problems: [], notes: [] };
  const lines = text.split(/\r?\n/);
  const head = lines.findIndex((line) => line.trim() !== "");
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const [first = "", second = ""] = line
      .split(/[,;\t]/)
      .map((field) => field.trim().replace(/^"(.*)"$/, "$1"));
    const begin = dateIn(first);
    // The first line may name the columns.
    if (begin === undefined && index === head && !/\d/.test(first)) continue;
    const end = begin === undefined || begin.includes("..") ? undefined : dateIn(second);
    const dates = end === undefined || end === begin ? begin : `${begin}..${end}`;
    if (dates === undefined || !isDates(dates)) {
      found.problems.push(
        `line ${index + 1}: ${JSON.stringify(first)} is no date that can be read one way: write 2026-12-25, or 12-25 for every year`,
      );
    } else if (lastYear(dates) >= from) found.dates.push(dates);
  }
  if (found.dates.length === 0 && found.problems.length === 0)
    found.problems.push(`has no date from ${from} on`);
  return found;
}

function dateIn(field: string): string | undefined {
  return isDates(field) ? field : meantDates(field);
}

/** Infinity for what is of every year. */
function lastYear(dates: string): number {
  const last = dates.split("..").at(-1) ?? "";
  return last.length === "12-25".length ? Number.POSITIVE_INFINITY : Number(last.slice(0, 4));
}
