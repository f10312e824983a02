#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { checkCommand } from "./check.ts";
import { doctorCommand } from "./doctor.ts";
import { explainCommand } from "./explain.ts";
import { holidaysCommand } from "./holidays.ts";
import { pullCommand } from "./pull.ts";
import { pushCommand } from "./push.ts";
import { sealCommand } from "./seal.ts";
import { secretCommand } from "./secret.ts";

const program = new Command("partyline")
  .description("Partyline's command line: an edge conference router for SignalWire")
  .addCommand(checkCommand())
  .addCommand(doctorCommand())
  .addCommand(explainCommand())
  .addCommand(holidaysCommand())
  .addCommand(pullCommand())
  .addCommand(pushCommand())
  .addCommand(sealCommand())
  .addCommand(secretCommand());

// Commander ends with 1 where it was called wrongly; here 1 means that what was looked at is not good, and 2 that it was not.
for (const command of [program, ...program.commands]) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  const isOurs = error.code === "commander.error";
  process.exitCode = isOurs || error.exitCode === 0 ? error.exitCode : 2;
}
