import { Command } from "commander";
import type { Version } from "../shared/api/ruleset.ts";
import { fail } from "./fail.ts";
import { plain } from "./plain.ts";
import { fetchVersions } from "./ruleset-api.ts";
import { count } from "./ruleset-problems.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

interface HistoryOptions {
  url: URL;
  tenant: string;
  json?: true;
}

/** `partyline history`: 0 where there are versions, 1 where there are none, 2 where the Worker could not be asked. */
export function historyCommand(): Command {
  return new Command("history")
    .description(
      "list the versions of a tenant's ruleset that are kept: when they served, and who pushed them",
    )
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rules", tenantId)
    .option("--json", "one JSON object for machines")
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.
A version is kept while calls that it decided are kept (session.keep_days of the project), and the last one always.
Who pushed is the token's name, or with ADMIN_TOKEN what that command line said of itself: user@host.

Exit codes: 0 there are versions, 1 there are none, 2 the Worker could not be asked.`,
    )
    .action(history);
}

async function history({ url, tenant, json }: HistoryOptions): Promise<void> {
  const { ADMIN_TOKEN: token = "" } = process.env;
  const fetched = await fetchVersions({ url, tenant, token });
  if (!fetched.ok) return fail(2, fetched.error, json);
  const { versions } = fetched;
  if (versions.length === 0)
    return fail(1, { code: "no_versions", message: `${tenant} has no ruleset yet.` }, json);
  if (json) console.log(JSON.stringify({ ok: true, tenant, versions }));
  else console.log([`${tenant}, ${count(versions.length, "version")}:`, ...versions.map(lineOf)].join("\n"));
}

function lineOf({
  hash,
  standing,
  kept,
  first_seen_at,
  last_served_at,
  pushed_at,
  pushed_by,
}: Version): string {
  const by = pushed_by === null ? "" : ` by ${plain(pushed_by)}`;
  const said = [
    ...(pushed_at === null ? [] : [`pushed ${timeText(pushed_at)}${by}`]),
    ...(pushed_at !== null || first_seen_at === null
      ? []
      : [`written without push, seen since ${timeText(first_seen_at)}`]),
    ...(standing || last_served_at === null ? [] : [`last served ${timeText(last_served_at)}`]),
    ...(kept ? [] : ["written without push, no call came since"]),
  ];
  return `${standing ? "*" : " "} ${hash.slice(0, 12)}  ${said.join("; ")}`.trimEnd();
}

/** `2026-11-28 14:03 UTC`. */
export function timeText(iso: string): string {
  return `${iso.slice(0, 16).replace("T", " ")} UTC`;
}
