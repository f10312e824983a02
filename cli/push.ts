import { createHash } from "node:crypto";
import { Command } from "commander";
import { maskSecrets, secretsOf } from "../functions/api/ruleset/secrets.ts";
import type { Problem } from "../shared/rules/schema/problems.ts";
import type { Failure } from "./ask-worker.ts";
import { mayWrite, needTerminal } from "./confirm.ts";
import { fail } from "./fail.ts";
import { plain } from "./plain.ts";
import { type Prepared, prepare } from "./prepared-ruleset.ts";
import { type Fetched, fetchRuleset, type Target, writeRuleset } from "./ruleset-api.ts";
import { type Changes, changeLines, changesBetween, isEmpty } from "./ruleset-changes.ts";
import { count, placed, problemLines } from "./ruleset-problems.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

interface PushOptions {
  url: URL;
  tenant: string;
  dryRun?: true;
  force?: true;
  yes?: true;
  json?: true;
}

type Fine = Extract<Prepared, { ok: true }>;

interface Report {
  ok: true;
  tenant: string;
  /** Of the version that stands now; null where none does. */
  hash: string | null;
  written: boolean;
  /** Null where what stood could not be read. */
  changes: Changes | null;
  warnings: Problem[];
}

/**
 * `partyline push FILE`: 0 where it stands in KV, 1 where it was not to be written, 2 where something could not be read, 3 where
 * `--dry-run` found that it would be written.
 */
export function pushCommand(): Command {
  return new Command("push")
    .description("check a ruleset, show what changes, and write it to a tenant's KV by the Worker's API")
    .argument("<file>", "the ruleset: .json, .jsonc, .yaml or .yml")
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rules they are", tenantId)
    .option("--dry-run", "show what would change, and write nothing; needs no terminal")
    .option("--yes", "do not ask before writing")
    .option("--force", "write over what is there, also if it is unreadable or another wrote it meanwhile")
    .option("--json", "one JSON object for machines; needs --yes or --dry-run")
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.
A secret that stands as *** in the file, as pull writes it, stays what it is in KV. KV holds JSON: comments of YAML
and JSONC are not kept, so keep the file in git.

Exit codes: 0 the ruleset stands in KV, 1 it has errors, another wrote meanwhile or you said no, 2 it could not be
read or the Worker not be asked, 3 --dry-run would change something.`,
    )
    .action(push);
}

async function push(file: string, options: PushOptions, command: Command): Promise<void> {
  const { url, tenant, json, force } = options;
  needTerminal(options, command);
  const prepared = await prepare(file, tenant);
  if (!prepared.ok) return refuse(file, prepared, options);
  const { ADMIN_TOKEN: token = "" } = process.env;
  const target: Target = { url, tenant, token };
  const standing = await fetchRuleset(target);
  if (!standing.ok) return failed(standing, options);
  if ("unreadable" in standing && !force) {
    const message = `${standing.unreadable} npx partyline push --force writes over it.`;
    return failed({ ok: false, error: { code: "ruleset_unreadable", message } }, options);
  }
  const changes = changesOf(standing, prepared.value);
  const report: Report = { ok: true, tenant, hash: standing.hash, written: false, changes, warnings: [] };
  const hasSecrets = hasUncomparedSecrets(prepared, standing.hash);
  if (changes !== null && standing.hash !== null && isEmpty(changes) && !hasSecrets) {
    return done(report, file, options);
  }
  if (!json) {
    console.log(changesText(tenant, standing.hash, changes, hasSecrets));
    if (prepared.has_comments)
      console.log(`  KV holds JSON: the comments of ${plain(file)} are not kept, so keep the file in git.`);
  }
  if (!(await mayWrite(options, report))) return;
  const over = standing.hash !== null && force ? "*" : standing.hash;
  const written = await writeRuleset(target, prepared.text, over);
  if (written.ok) {
    const { hash } = written;
    const warnings = placed(written.warnings, prepared.positionOf);
    return done({ ...report, hash, written: true, warnings }, file, options);
  }
  if ("error" in written) return failed(written, options);
  const [errors, warnings] = [written.errors, written.warnings].map((list) =>
    placed(list, prepared.positionOf),
  );
  refuse(file, { errors: errors ?? [], warnings: warnings ?? [], unreadable: false }, options);
}

/** Secrets are `***` in what the Worker shows, so they are left out of the comparison. */
function changesOf(standing: Extract<Fetched, { ok: true }>, value: Fine["value"]): Changes | null {
  if ("unreadable" in standing) return null;
  const masked = structuredClone(value);
  maskSecrets(masked);
  return changesBetween("ruleset" in standing ? standing.ruleset : {}, masked);
}

/** Whether the file has secrets written out, and is not to the letter what was pushed last. */
function hasUncomparedSecrets({ text, value }: Fine, standing: string | null): boolean {
  if (createHash("sha256").update(text).digest("hex") === standing) return false;
  return secretsOf(value).found.some(({ holder, key }) => holder[key] !== "***");
}

function changesText(
  tenant: string,
  hash: string | null,
  changes: Changes | null,
  hasSecrets: boolean,
): string {
  if (changes === null) return `${tenant}: what stands can't be read, and all of it is written over`;
  const lines = [
    `${tenant}, ${hash === null ? "a first ruleset" : `over version ${plain(hash.slice(0, 12))}`}:`,
    ...changeLines(changes),
  ];
  if (hasSecrets) lines.push("  secrets that are written out in the file, which can't be compared");
  return lines.join("\n");
}

function done(report: Report, file: string, { json }: PushOptions): void {
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  const { tenant, hash, written, warnings } = report;
  const version = plain(hash?.slice(0, 12) ?? "");
  for (const warning of warnings) console.log(problemLines(file, "warning", warning).join("\n"));
  console.log(
    written
      ? `Written: ${tenant} has version ${version}, everywhere within 90 s.`
      : `Nothing to write: ${tenant} has this ruleset, version ${version}.`,
  );
}

function refuse(
  file: string,
  { errors, warnings, unreadable }: Omit<Extract<Prepared, { ok: false }>, "ok">,
  { json }: PushOptions,
): void {
  process.exitCode = unreadable ? 2 : 1;
  if (json) console.log(JSON.stringify({ ok: false, errors, warnings }));
  else if (unreadable) console.error(`error: ${errors[0]?.message}`);
  else {
    const lines = [
      ...errors.flatMap((error) => problemLines(file, "error", error)),
      ...warnings.flatMap((warning) => problemLines(file, "warning", warning)),
    ];
    console.log([...lines, `${file}: ${count(errors.length, "error")}; nothing was written`].join("\n"));
  }
}

function failed({ error }: Failure, { json }: PushOptions): void {
  fail(error.code === "version_differs" ? 1 : 2, error, json);
}
