import { Command, InvalidArgumentError } from "commander";
import { measured } from "./cost-figures.ts";
import { costText, type Use } from "./cost-month.ts";

/** `partyline cost`: exit code 0, or 2 where it was called wrongly. */
export function costCommand(): Command {
  return new Command("cost")
    .description(
      "what a month costs on Cloudflare's free and paid plans, by what was measured, and where a limit is met",
    )
    .requiredOption("--calls <n>", "calls a month, of all projects together", atLeast(1))
    .requiredOption("--minutes <n>", "how long a call lasts", atLeast(0))
    .option("--projects <n>", "SignalWire projects", atLeast(1), 1)
    .option("--contexts <n>", "of these, those that take calls by contexts", atLeast(0), 0)
    .action((use: Use, command: Command) => {
      if (use.contexts > use.projects)
        command.error("error: --contexts cannot be more than --projects", { exitCode: 2 });
      console.log(costText(use, measured));
    });
}

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,12}$/.test(text) || value < least)
      throw new InvalidArgumentError(`Takes a whole number from ${least} on.`);
    return value;
  };
}
