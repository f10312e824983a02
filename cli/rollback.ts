import { Command, InvalidArgumentError } from "commander";
import type { Version } from "../shared/api/ruleset.ts";
import { mayWrite, needTerminal } from "./confirm.ts";
import { fail } from "./fail.ts";
import { plain } from "./plain.ts";
import { fetchRuleset, fetchVersions, restoreRuleset, type Target } from "./ruleset-api.ts";
import { changeLines, changesBetween } from "./ruleset-changes.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

interface RollbackOptions {
  url: URL;
  tenant: string;
  dryRun?: true;
  yes?: true;
  json?: true;
}

/** `partyline rollback HASH`: 0 where that version stands in KV, 1 where it is not kept or not to be written, 2 and 3 as for push. */
export function rollbackCommand(): Command {
  return new Command("rollback")
    .description("write a version of a tenant's ruleset again that is kept, secrets included")
    .argument("<hash>", "the version, as history shows it; its first characters will do", hashPrefix)
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rules", tenantId)
    .option("--dry-run", "show what would change, and write nothing; needs no terminal")
    .option("--yes", "do not ask before writing")
    .option("--json", "one JSON object for machines; needs --yes or --dry-run")
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.
Bring your git in line afterwards: the next push writes what the file says.

Exit codes: 0 the version stands in KV, 1 it is not kept, another wrote meanwhile or you said no, 2 the Worker could
not be asked, 3 --dry-run would change something.`,
    )
    .action(rollback);
}

async function rollback(prefix: string, options: RollbackOptions, command: Command): Promise<void> {
  const { url, tenant, json } = options;
  needTerminal(options, command);
  const { ADMIN_TOKEN: token = "" } = process.env;
  const target: Target = { url, tenant, token };
  const listed = await fetchVersions(target);
  if (!listed.ok) return fail(2, listed.error, json);
  const found = versionOf(listed.versions, prefix, tenant);
  if ("message" in found) return fail(1, { code: "unknown_version", message: found.message }, json);
  const { hash } = found;
  const [standing, wanted] = await Promise.all([fetchRuleset(target), fetchRuleset(target, hash)]);
  if (!standing.ok) return fail(2, standing.error, json);
  if (!wanted.ok) return fail(wanted.error.code === "unknown_version" ? 1 : 2, wanted.error, json);
  if (standing.hash === hash) {
    if (json) console.log(JSON.stringify({ ok: true, tenant, hash, written: false, changes: null }));
    else console.log(`Nothing to write: ${tenant} has version ${hash.slice(0, 12)}.`);
    return;
  }
  const isReadable = "ruleset" in wanted && !("unreadable" in standing);
  const changes = isReadable
    ? changesBetween("ruleset" in standing ? standing.ruleset : {}, wanted.ruleset)
    : null;
  if (!json) {
    const from = standing.hash === null ? "none" : standing.hash.slice(0, 12);
    const lines = changes === null ? ["  what changes can't be told"] : changeLines(changes);
    console.log(
      [`${tenant}, from version ${plain(from)} back to ${hash.slice(0, 12)}:`, ...lines].join("\n"),
    );
  }
  const report = { ok: true, tenant, hash: standing.hash, written: false, changes };
  if (!(await mayWrite(options, report))) return;
  const written = await restoreRuleset(target, hash, standing.hash);
  if (written.ok) {
    if (json) console.log(JSON.stringify({ ok: true, tenant, hash, written: true, changes }));
    else console.log(`Written: ${tenant} has version ${hash.slice(0, 12)} again, everywhere within 90 s.`);
    return;
  }
  if ("error" in written) return fail(written.error.code === "version_differs" ? 1 : 2, written.error, json);
  const [first] = written.errors;
  const message = `this version is no longer good, and nothing was written: ${first?.path}: ${first?.message}`;
  fail(1, { code: "bad_ruleset", message }, json);
}

function versionOf(
  versions: readonly Version[],
  prefix: string,
  tenant: string,
): { hash: string } | { message: string } {
  const fitting = versions.filter(({ hash }) => hash.startsWith(prefix));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return { hash: only.hash };
  if (fitting.length > 1)
    return { message: `${prefix} begins ${fitting.length} versions: write more of it.` };
  return {
    message: `${tenant} has no version ${prefix} that is kept. npx partyline history lists them; older ones are in your git.`,
  };
}

function hashPrefix(text: string): string {
  if (!/^[0-9a-f]{4,64}$/.test(text))
    throw new InvalidArgumentError("Write 4 to 64 of its hex digits, as npx partyline history shows them.");
  return text;
}
