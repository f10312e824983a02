import { createInterface } from "node:readline/promises";
import { styleText } from "node:util";
import { Command } from "commander";
import { maskSecrets, secretsOf } from "../functions/api/ruleset/secrets.ts";
import type { Problem } from "../shared/rules/schema/problems.ts";
import type { Failure } from "./ask-worker.ts";
import { plain } from "./plain.ts";
import { type Prepared, prepare } from "./prepared-ruleset.ts";
import { type Fetched, fetchRuleset, type Target, writeRuleset } from "./ruleset-api.ts";
import { type Changes, changesBetween, isEmpty } from "./ruleset-changes.ts";
import { count, placed, problemLines } from "./ruleset-problems.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

interface PushOptions {
  url: URL;
  tenant: string;
  force?: true;
  yes?: true;
  json?: true;
}

type Fine = Extract<Prepared, { ok: true }>;

interface Report {
  ok: true;
  tenant: string;
  hash: string;
  written: boolean;
  /** Null where what stood could not be read. */
  changes: Changes | null;
  warnings: Problem[];
}

/** `partyline push FILE`: 0 where it stands in KV, 1 where it was not to be written, 2 where something could not be read. */
export function pushCommand(): Command {
  return new Command("push")
    .description("check a ruleset, show what changes, and write it to a tenant's KV by the Worker's API")
    .argument("<file>", "the ruleset: .json, .jsonc, .yaml or .yml")
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rules they are", tenantId)
    .option("--yes", "do not ask before writing")
    .option("--force", "write over what is there, also if it is unreadable or another wrote it meanwhile")
    .option("--json", "one JSON object for machines; needs --yes")
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.
A secret that stands as *** in the file, as pull writes it, stays what it is in KV.

Exit codes: 0 the ruleset stands in KV, 1 it has errors, another wrote meanwhile or you said no, 2 it could not be
read or the Worker not be asked.`,
    )
    .action(push);
}

async function push(file: string, options: PushOptions, command: Command): Promise<void> {
  const { url, tenant, json, yes, force } = options;
  if (!yes && (json || !process.stdin.isTTY)) {
    command.error("error: there is no terminal to ask on: say --yes to write without being asked.", {
      exitCode: 2,
    });
  }
  const prepared = await prepare(file, tenant);
  if (!prepared.ok) return refuse(file, prepared, options);
  const { ADMIN_TOKEN: token = "" } = process.env;
  const target: Target = { url, tenant, token };
  const standing = await fetchRuleset(target);
  if (!standing.ok) return fail(standing, options);
  if ("unreadable" in standing && !force) {
    const message = `${standing.unreadable} npx partyline push --force writes over it.`;
    return fail({ ok: false, error: { code: "ruleset_unreadable", message } }, options);
  }
  const changes = changesOf(standing, prepared.value);
  const hasSecrets = secretsOf(prepared.value).found.some(({ holder, key }) => holder[key] !== "***");
  if (changes !== null && standing.hash !== null && isEmpty(changes) && !hasSecrets) {
    return done(
      { ok: true, tenant, hash: standing.hash, written: false, changes, warnings: [] },
      file,
      options,
    );
  }
  if (!json) console.log(changesText(tenant, standing.hash, changes, hasSecrets));
  if (!yes && !(await isWanted())) {
    console.error("Nothing was written.");
    process.exitCode = 1;
    return;
  }
  const over = standing.hash !== null && force ? "*" : standing.hash;
  const written = await writeRuleset(target, prepared.text, over);
  if (written.ok) {
    const { hash } = written;
    const warnings = placed(written.warnings, prepared.positionOf);
    return done({ ok: true, tenant, hash, written: true, changes, warnings }, file, options);
  }
  if ("error" in written) return fail(written, options);
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

async function isWanted(): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question("Write it? [y/N] ")).trim());
  } catch {
    // Ctrl-C or Ctrl-D.
    console.error();
    return false;
  } finally {
    terminal.close();
  }
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
    ...changes.added.map((id) => styleText("green", `+ ${plain(id)}`)),
    ...changes.removed.map((id) => styleText("red", `- ${plain(id)}`)),
    ...changes.changed.map((id) => styleText("yellow", `~ ${plain(id)}`)),
    ...changes.parts.map((part) => styleText("yellow", `~ ${plain(part)}`)),
  ];
  if (changes.reordered) lines.push(styleText("yellow", "~ the order of the rules"));
  if (hasSecrets) lines.push("  secrets that are written out in the file, which can't be compared");
  return lines.join("\n");
}

function done(report: Report, file: string, { json }: PushOptions): void {
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  const { tenant, hash, written, warnings } = report;
  for (const warning of warnings) console.log(problemLines(file, "warning", warning).join("\n"));
  console.log(
    written
      ? `Written: ${tenant} has version ${hash.slice(0, 12)}, everywhere within 90 s.`
      : `Nothing to write: ${tenant} has this ruleset, version ${plain(hash.slice(0, 12))}.`,
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

function fail({ error }: Failure, { json }: PushOptions): void {
  process.exitCode = error.code === "version_differs" ? 1 : 2;
  if (json) console.log(JSON.stringify({ ok: false, error }));
  else console.error(`error: ${plain(error.message)}`);
}
