import { createHash } from "node:crypto";
import { Command } from "commander";
import { maskRecord } from "../functions/api/record-secrets.ts";
import { MASK } from "../functions/api/ruleset/secrets.ts";
import { problemsIn, type RecordKind } from "../shared/records.ts";
import { mayWrite, needTerminal } from "./confirm.ts";
import { type Difference, differenceLines, differencesBetween } from "./differences.ts";
import { fail } from "./fail.ts";
import { plain } from "./plain.ts";
import { fetchRecord, listRecords, type RecordTarget, writeRecord } from "./record-api.ts";
import { readRulesetFile } from "./ruleset-file.ts";
import { count, type PlacedProblem, placed, problemLines } from "./ruleset-problems.ts";
import { projectId, tenantId, workerUrl } from "./worker-options.ts";
import { writeOutput } from "./write-output.ts";

interface GetOptions {
  url: URL;
  output?: string;
  force?: true;
  json?: true;
}

interface PutOptions {
  url: URL;
  dryRun?: true;
  force?: true;
  yes?: true;
  json?: true;
}

const TOKEN =
  "\nThe Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.";

/** `partyline tenant` and `partyline project`: `get`, `put` and `list` of their records in KV. */
export function recordCommand(kind: RecordKind): Command {
  return new Command(kind)
    .description(`read and write ${kind}s' records in KV by the Worker's API`)
    .addCommand(getCommand(kind))
    .addCommand(putCommand(kind))
    .addCommand(listCommand(kind));
}

function getCommand(kind: RecordKind): Command {
  return withUrl(new Command("get"))
    .description(`read a ${kind}'s record; secrets are shown as ***`)
    .argument("<id>", `the ${kind}`, idOf(kind))
    .option(
      "-o, --output <file>",
      "a new file to write it to: YAML where it is named .yaml or .yml, else JSON",
    )
    .option("--force", "write over the file if it is there")
    .option("--json", "one JSON object for machines")
    .addHelpText(
      "after",
      `${TOKEN}

Exit codes: 0 the record was read, 1 there is none or it is not readable, 2 the Worker could not be asked or the file
not be written.`,
    )
    .action(async (id: string, { url, output, force, json }: GetOptions) => {
      const fetched = await fetchRecord({ url, kind, id, token: tokenOf() });
      if (!fetched.ok) return fail(2, fetched.error, json);
      if (fetched.hash === null)
        return fail(1, { code: "no_record", message: `KV has no key ${kind}/${id}.` }, json);
      if ("unreadable" in fetched)
        return fail(1, { code: "record_unreadable", message: fetched.unreadable }, json);
      const { hash, record } = fetched;
      const written = output === undefined ? null : await writeOutput(output, record, force);
      if (written?.ok === false) return fail(2, written.error, json);
      if (json) {
        const where = output === undefined ? { record } : { file: output };
        console.log(JSON.stringify({ ok: true, [kind]: id, hash, ...where }));
        return;
      }
      if (output === undefined) console.log(JSON.stringify(record, null, 2));
      console.error(
        `${kind}/${id}, version ${plain(hash.slice(0, 12))}${output === undefined ? "" : `: ${output}`}`,
      );
    });
}

function listCommand(kind: RecordKind): Command {
  return withUrl(new Command("list"))
    .description(`list the ${kind}s that have a record in KV`)
    .option("--json", "one JSON object for machines")
    .addHelpText("after", `${TOKEN}\n\nExit codes: 0 they were listed, 2 the Worker could not be asked.`)
    .action(async ({ url, json }: { url: URL; json?: true }) => {
      const listed = await listRecords({ url, token: tokenOf() }, kind);
      if (!listed.ok) return fail(2, listed.error, json);
      const told = kind === "tenant" ? "project_id" : "space";
      const records = listed.records.map(([id, value]) => ({ [kind]: id, [told]: value }));
      if (json) console.log(JSON.stringify({ ok: true, [`${kind}s`]: records }));
      else if (records.length === 0) console.log(`KV has no record of a ${kind}.`);
      else {
        const width = Math.max(...listed.records.map(([id]) => id.length));
        for (const [id, value] of listed.records)
          console.log(plain(`${id.padEnd(width)}  ${value ?? `(no ${told})`}`));
      }
    });
}

function putCommand(kind: RecordKind): Command {
  return withUrl(new Command("put"))
    .description(`check a ${kind}'s record, show what changes, and write it to KV`)
    .argument("<id>", `the ${kind}`, idOf(kind))
    .argument("<file>", "the record: .json, .jsonc, .yaml or .yml")
    .option("--dry-run", "show what would change, and write nothing; needs no terminal")
    .option("--yes", "do not ask before writing")
    .option("--force", "write over what is there, also if it is unreadable or another wrote it meanwhile")
    .option("--json", "one JSON object for machines; needs --yes or --dry-run")
    .addHelpText(
      "after",
      `${TOKEN}
A secret that stands as *** in the file, as get writes it, stays what it is in KV. KV holds JSON: comments are not kept.

Exit codes: 0 the record stands in KV, 1 it has errors, another wrote meanwhile or you said no, 2 it could not be read
or the Worker not be asked, 3 --dry-run would change something.`,
    )
    .action((id: string, file: string, options: PutOptions, command: Command) =>
      put({ url: options.url, kind, id, token: tokenOf() }, file, options, command),
    );
}

async function put(target: RecordTarget, file: string, options: PutOptions, command: Command): Promise<void> {
  const { kind, id } = target;
  const { json, force } = options;
  const key = `${kind}/${id}`;
  needTerminal(options, command);
  const read = await readRulesetFile(file);
  if (!read.ok) {
    if (read.kind === "unreadable") return fail(2, { code: "unreadable", message: read.message }, json);
    return refuse(
      file,
      read.errors.map((error) => ({ path: "", ...error })),
      json,
    );
  }
  const errors = problemsIn(kind, read.value);
  if (errors.length > 0) return refuse(file, placed(errors, read.positionOf), json);
  const standing = await fetchRecord(target);
  if (!standing.ok) return fail(2, standing.error, json);
  if ("unreadable" in standing && !force) {
    const message = `${standing.unreadable} npx partyline ${kind} put --force writes over it.`;
    return fail(2, { code: "record_unreadable", message }, json);
  }
  const isReadable = !("unreadable" in standing);
  const text = JSON.stringify(read.value);
  const masked: unknown = JSON.parse(text);
  maskRecord(kind, masked);
  const before = "record" in standing ? standing.record : {};
  const changes = isReadable ? differencesBetween(before, masked) : null;
  const hasSecrets = hasUncomparedSecrets(kind, text, standing.hash);
  const report = { ok: true, [kind]: id, hash: standing.hash, written: false, changes, warnings: [] };
  if (changes?.length === 0 && standing.hash !== null && !hasSecrets) {
    if (json) console.log(JSON.stringify(report));
    else
      console.log(`Nothing to write: ${key} is this record, version ${plain(standing.hash.slice(0, 12))}.`);
    return;
  }
  if (!json) console.log(changesText(key, standing.hash, changes, hasSecrets));
  if (!(await mayWrite(options, report))) return;
  const over = standing.hash !== null && force ? "*" : standing.hash;
  const written = await writeRecord(target, text, over);
  if (!written.ok) {
    if ("error" in written)
      return fail(written.error.code === "version_differs" ? 1 : 2, written.error, json);
    return refuse(file, placed(written.errors, read.positionOf), json);
  }
  const { hash } = written;
  const warnings = placed(written.warnings, read.positionOf);
  if (json) {
    console.log(JSON.stringify({ ...report, hash, written: true, warnings }));
    return;
  }
  for (const warning of warnings) console.log(problemLines(file, "warning", warning).join("\n"));
  console.log(`Written: ${key} is version ${plain(hash.slice(0, 12))}, everywhere within 90 s.`);
}

/** Whether the file has secrets written out, and is not to the letter what was put last. */
function hasUncomparedSecrets(kind: RecordKind, text: string, standing: string | null): boolean {
  if (createHash("sha256").update(text).digest("hex") === standing) return false;
  const masked: unknown = JSON.parse(text);
  maskRecord(kind, masked);
  // What is masked anew was written out.
  return JSON.stringify(masked).split(`"${MASK}"`).length !== text.split(`"${MASK}"`).length;
}

function changesText(
  key: string,
  hash: string | null,
  changes: readonly Difference[] | null,
  hasSecrets: boolean,
): string {
  if (changes === null) return `${key}: what stands can't be read, and all of it is written over`;
  const over = hash === null ? "a first record" : `over version ${plain(hash.slice(0, 12))}`;
  const lines = differenceLines(changes).map((line) => `  ${plain(line)}`);
  if (hasSecrets) lines.push("  secrets that are written out in the file, which can't be compared");
  return [`${key}, ${over}:`, ...lines].join("\n");
}

function refuse(file: string, errors: readonly PlacedProblem[], json?: true): void {
  process.exitCode = 1;
  if (json) {
    console.log(JSON.stringify({ ok: false, errors }));
    return;
  }
  const lines = errors.flatMap((error) => problemLines(file, "error", error));
  console.log([...lines, `${file}: ${count(errors.length, "error")}; nothing was written`].join("\n"));
}

function withUrl(command: Command): Command {
  return command.requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl);
}

function tokenOf(): string {
  const { ADMIN_TOKEN: token = "" } = process.env;
  return token;
}

function idOf(kind: RecordKind): (text: string) => string {
  return kind === "tenant" ? tenantId : projectId;
}
