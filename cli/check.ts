import { basename } from "node:path";
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
  /** What the file was read as. */
  kind?: RecordKind | "ruleset";
  ok: boolean;
  /** How many rules there are; absent where that cannot be told. */
  rules?: number;
  errors: PlacedProblem[];
  warnings: PlacedProblem[];
}

/** `partyline check FILE`: exit code 0 where the ruleset is good, 1 where it has errors, 2 where it could not be read. */
export function checkCommand(): Command {
  return new Command("check")
    .description(
      "check a ruleset, or a project's or tenant's record, and say what is wrong with it, where, and what to do",
    )
    .argument("<file>", "the ruleset or record: .json, .jsonc, .yaml or .yml")
    .addOption(
      new Option(
        "--record <kind>",
        "the file is a record for KV and no ruleset; unless told, what is in it says so",
      ).choices(Object.keys(recordSchemas)),
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
  const kind = record ?? kindOf(file, read.value);
  if (kind !== "ruleset") {
    const errors = placed(problemsIn(kind, read.value, read.written), read.positionOf);
    return { file, kind, ok: errors.length === 0, errors, warnings: [] };
  }
  const parsed = parseRuleset(read.value, {
    ...(tenant === undefined ? {} : { tenant }),
    plain: plain ?? false,
    written: read.written,
  });
  const warnings = placed(parsed.warnings, read.positionOf);
  return parsed.ok
    ? { file, kind, ok: true, rules: parsed.ruleset.rules.length, errors: [], warnings }
    : { file, kind, ok: false, errors: placed(parsed.errors, read.positionOf), warnings };
}

/** What a file is to be: what its keys say, or where these say nothing its name. */
function kindOf(file: string, value: unknown): RecordKind | "ruleset" {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (keys.includes("rules")) return "ruleset";
  if (keys.includes("project_id")) return "tenant";
  if (keys.includes("space") || keys.includes("credentials") || keys.includes("signing_keys"))
    return "project";
  const [name] = basename(file).split(".");
  return name === "tenant" || name === "project" ? name : "ruleset";
}

function textOf({ file, kind, rules, errors, warnings }: Report): string {
  const lines = [
    ...errors.flatMap((problem) => problemLines(file, "error", problem)),
    ...warnings.flatMap((problem) => problemLines(file, "warning", problem)),
  ];
  const found = `${count(errors.length, "error")}, ${count(warnings.length, "warning")}`;
  const what =
    rules !== undefined
      ? `${count(rules, "rule")}, `
      : kind === undefined || kind === "ruleset"
        ? ""
        : `a ${kind}'s record, `;
  lines.push(`${file}: ${what}${found}`);
  return lines.join("\n");
}
