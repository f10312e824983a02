import { Command } from "commander";
import { fail } from "./fail.ts";
import { plain } from "./plain.ts";
import { fetchRuleset } from "./ruleset-api.ts";
import { tenantId, workerUrl } from "./worker-options.ts";
import { writeOutput } from "./write-output.ts";

interface PullOptions {
  url: URL;
  tenant: string;
  output?: string;
  force?: true;
  json?: true;
}

/** `partyline pull`: 0 where there was a ruleset to read, 1 where there is none, 2 where the Worker could not be asked. */
export function pullCommand(): Command {
  return new Command("pull")
    .description("read a tenant's ruleset from KV by the Worker's API; secrets are shown as ***")
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rules", tenantId)
    .option(
      "-o, --output <file>",
      "a new file to write it to: YAML where it is named .yaml or .yml, else JSON",
    )
    .option("--force", "write over the file if it is there")
    .option("--json", "one JSON object for machines")
    .addHelpText(
      "after",
      `
The Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.

Exit codes: 0 the ruleset was read, 1 there is none or it is not readable, 2 the Worker could not be asked or the
file not be written.`,
    )
    .action(pull);
}

async function pull({ url, tenant, output, force, json }: PullOptions): Promise<void> {
  const { ADMIN_TOKEN: token = "" } = process.env;
  const fetched = await fetchRuleset({ url, tenant, token });
  if (!fetched.ok) return fail(2, fetched.error, json);
  if (fetched.hash === null) {
    return fail(1, { code: "no_ruleset", message: `${tenant} has no ruleset yet.` }, json);
  }
  if ("unreadable" in fetched)
    return fail(1, { code: "ruleset_unreadable", message: fetched.unreadable }, json);
  const { hash, ruleset } = fetched;
  if (output !== undefined) {
    const written = await writeOutput(output, ruleset, force);
    if (!written.ok) return fail(2, written.error, json);
  }
  if (json) {
    const where = output === undefined ? { ruleset } : { file: output };
    console.log(JSON.stringify({ ok: true, tenant, hash, ...where }));
    return;
  }
  if (output === undefined) console.log(JSON.stringify(ruleset, null, 2));
  console.error(`${tenant}, version ${plain(hash.slice(0, 12))}${output === undefined ? "" : `: ${output}`}`);
}
