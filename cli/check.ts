import { Command, Option } from "commander";
import { isTenantId } from "../shared/conference.ts";
import { problemsIn, type RecordKind, recordSchemas } from "../shared/records.ts";
import { parseRuleset } from "../shared/rules/check/parse.ts";
import { type RulesetFile, readRulesetFile } from "./ruleset-file.ts";
import { count, type PlacedProblem, placed, problemLines } from "./ruleset-problems.ts";

interface CheckOptions {
  json?: true;
  record?: RecordKind;
  tenant?: string;
  plain?: true;
}

interface Report {
  file: string;
  ok: boolean;
  /** How many rules there are; absent where that cannot be told. */
  rules?: number;
  errors: PlacedProblem[];
  warnings: PlacedProblem[];
}

/** `partyline check FILE`: exit code 0 where the ruleset is good, 1 where it has errors, 2 where it could not be read. */
export function checkCommand(): Command {
  return new Command("check")
    .description("check a ruleset or a record and say what is wrong with it, where, and what to do")
    .argument("<file>", "the ruleset: .json, .jsonc, .yaml or .yml")
    .addOption(
      new Option("--record <kind>", "the file is a record for KV and no ruleset").choices(
        Object.keys(recordSchemas),
      ),
    )
    .option(
      "--tenant <id>",
      "whose rules they are: room names are then held to what its prefix leaves of 64 characters",
    )
    .option("--plain", "the tenant's conferences carry no prefix")
    .option("--json", "one JSON object for machines")
    .addHelpText("after", "\nExit codes: 0 the file is good, 1 it has errors, 2 it could not be read.")
    .action(async (file: string, options: CheckOptions, command: Command) => {
      if (options.tenant !== undefined && !isTenantId(options.tenant)) {
        command.error("error: --tenant takes 1 to 24 of a-z, 0-9 and -", { exitCode: 2 });
      }
      const read = await readRulesetFile(file);
      const report = reportOf(file, read, options);
      const unreadable = !read.ok && read.kind === "unreadable";
      if (options.json) console.log(JSON.stringify(report));
      else if (unreadable) console.error(`error: ${read.message}`);
      else console.log(textOf(report));
      if (!report.ok) process.exitCode = unreadable ? 2 : 1;
    });
}

function reportOf(file: string, read: RulesetFile, { record, tenant, plain }: CheckOptions): Report {
  if (!read.ok) {
    const errors = read.kind === "unreadable" ? [{ message: read.message }] : read.errors;
    return { file, ok: false, errors: errors.map((error) => ({ path: "", ...error })), warnings: [] };
  }
  if (record !== undefined) {
    const errors = placed(problemsIn(record, read.value), read.positionOf);
    return { file, ok: errors.length === 0, errors, warnings: [] };
  }
  const parsed = parseRuleset(read.value, {
    ...(tenant === undefined ? {} : { tenant }),
    plain: plain ?? false,
  });
  const warnings = placed(parsed.warnings, read.positionOf);
  return parsed.ok
    ? { file, ok: true, rules: parsed.ruleset.rules.length, errors: [], warnings }
    : { file, ok: false, errors: placed(parsed.errors, read.positionOf), warnings };
}

function textOf({ file, rules, errors, warnings }: Report): string {
  const lines = [
    ...errors.flatMap((problem) => problemLines(file, "error", problem)),
    ...warnings.flatMap((problem) => problemLines(file, "warning", problem)),
  ];
  const found = `${count(errors.length, "error")}, ${count(warnings.length, "warning")}`;
  lines.push(rules === undefined ? `${file}: ${found}` : `${file}: ${count(rules, "rule")}, ${found}`);
  return lines.join("\n");
}
