import { extname } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type CalendarDates, datesOfCalendar } from "./ics-dates.ts";
import { readTextFile } from "./read-file.ts";
import { datesOfTable } from "./table-dates.ts";

interface HolidaysOptions {
  from: number;
  years: number;
}

/** `partyline holidays FILE`: a list of dates for a schedule's `closed`, from a calendar or a table. */
export function holidaysCommand(): Command {
  return new Command("holidays")
    .description("print the dates of a calendar (.ics) or table (.csv) as a list for schedules")
    .argument("<file>", "a calendar, .ics, or a table, .csv: date,name or first,last,name")
    .option("--from <year>", "the first year; earlier dates are left out", year, new Date().getUTCFullYear())
    .option(
      "--years <number>",
      "how many years of what recurs otherwise than every year on one date",
      count,
      3,
    )
    .addHelpText(
      "after",
      `
Dates of every year are printed without one: "12-25". Put the list into the ruleset, or into KV, where rulesets name it
as { "kv": "holidays-us" }:

  npx partyline holidays us.ics > holidays.json
  npx wrangler kv key put --binding DIRECTORY --remote list/holidays-us --path holidays.json

Exit codes: 0 it was printed, 1 something in the file is no date, 2 it could not be read.`,
    )
    .action(holidays);
}

async function holidays(file: string, { from, years }: HolidaysOptions, command: Command): Promise<void> {
  const kind = extname(file).toLowerCase();
  if (kind !== ".ics" && kind !== ".csv")
    command.error(`error: ${file}: name it .ics, for a calendar, or .csv, for a table`, { exitCode: 2 });
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (error) {
    command.error(`error: ${error instanceof Error ? error.message : String(error)}`, { exitCode: 2 });
  }
  const read: CalendarDates =
    kind === ".ics" ? datesOfCalendar(text, { from, to: from + years - 1 }) : datesOfTable(text, from);
  for (const problem of read.problems) console.error(`error: ${file}: ${problem}`);
  for (const note of read.notes) console.error(`note: ${file}: ${note}`);
  if (read.problems.length > 0) {
    process.exitCode = 1;
    return;
  }
  console.log(
    `[\n${[...new Set(read.dates)]
      .sort()
      .map((date) => `  ${JSON.stringify(date)}`)
      .join(",\n")}\n]`,
  );
}

function year(text: string): number {
  if (!/^\d{4}$/.test(text)) throw new InvalidArgumentError("Write it as four digits, e.g. 2027.");
  return Number(text);
}

function count(text: string): number {
  if (!/^([1-9]|1\d|20)$/.test(text)) throw new InvalidArgumentError("It is a number from 1 to 20.");
  return Number(text);
}
