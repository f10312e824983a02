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

/** Asks on the terminal. */
export async function isWanted(question = "Write it?"): Promise<boolean> {
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
