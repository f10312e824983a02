#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { auditCommand } from "./audit.ts";
import { checkCommand } from "./check.ts";
import { completionCommand } from "./completion.ts";
import { costCommand } from "./cost.ts";
import { dialCommand } from "./dial.ts";
import { diffCommand } from "./diff.ts";
import { doctorCommand } from "./doctor.ts";
import { explainCommand } from "./explain.ts";
import { historyCommand } from "./history.ts";
import { holidaysCommand } from "./holidays.ts";
import { namesCommand } from "./names.ts";
import { operatorCommands } from "./operate.ts";
import { pinsCommand } from "./pins.ts";
import { pullCommand } from "./pull.ts";
import { pushCommand } from "./push.ts";
import { recordCommand } from "./records.ts";
import { rollbackCommand } from "./rollback.ts";
import { viewCommands } from "./rooms.ts";
import { sealCommand } from "./seal.ts";
import { secretCommand } from "./secret.ts";
import { tokenCommand } from "./token.ts";
import { watchCommand } from "./watch.ts";
import { webhookCommand } from "./webhook.ts";

const program: Command = new Command("partyline")
  .description("Partyline's command line: an edge conference router for SignalWire")
  .version(packageJson.version, "--version", "print the version")
  .addCommand(auditCommand())
  .addCommand(checkCommand())
  .addCommand(completionCommand(() => program))
  .addCommand(costCommand())
  .addCommand(dialCommand())
  .addCommand(diffCommand())
  .addCommand(doctorCommand())
  .addCommand(explainCommand())
  .addCommand(historyCommand())
  .addCommand(pinsCommand())
  .addCommand(recordCommand("project"))
  .addCommand(holidaysCommand())
  .addCommand(pullCommand())
  .addCommand(pushCommand())
  .addCommand(rollbackCommand())
  .addCommand(sealCommand())
  .addCommand(secretCommand())
  .addCommand(recordCommand("tenant"))
  .addCommand(tokenCommand())
  .addCommand(watchCommand())
  .addCommand(webhookCommand())
  .addCommand(
    namesCommand(() => program),
    { hidden: true },
  );

for (const command of [...viewCommands(), ...operatorCommands()]) program.addCommand(command);

// Commander ends with 1 where it was called wrongly; here 1 means that what was looked at is not good, and 2 that it was not.
exitOverride(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  const isOurs = error.code === "commander.error";
  process.exitCode = isOurs || error.exitCode === 0 ? error.exitCode : 2;
}

function exitOverride(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) exitOverride(inner);
}
