import { createInterface } from "node:readline/promises";
import type { Command } from "commander";

interface WriteOptions {
  yes?: true;
  dryRun?: true;
  json?: true;
}

/** Ends the command where it would have to ask, and has no terminal to ask on. */
export function needTerminal({ yes, dryRun, json }: WriteOptions, command: Command): void {
  if (yes || dryRun || (!json && process.stdin.isTTY)) return;
  command.error(
    "error: there is no terminal to ask on: say --yes to write without being asked, or --dry-run to see what would change.",
    { exitCode: 2 },
  );
}

/**
 * Whether to write: not in a dry run, and only after a yes on the terminal, unless --yes said so. Where it is not, it says that nothing was
 * written, and sets the exit code: 3 for a dry run, 1 for a no.
 * @param report what a dry run prints with --json.
 */
export async function mayWrite({ yes, dryRun, json }: WriteOptions, report: object): Promise<boolean> {
  if (dryRun) {
    console.log(json ? JSON.stringify(report) : "Nothing was written: this is a dry run.");
    process.exitCode = 3;
    return false;
  }
  if (yes || (await saysYes("Write it?"))) return true;
  console.error("Nothing was written.");
  process.exitCode = 1;
  return false;
}

/** Asks on the terminal. */
async function saysYes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } catch {
    // Ctrl-C or Ctrl-D.
    console.error();
    return false;
  } finally {
    terminal.close();
  }
}
