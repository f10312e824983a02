import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { CredentialsKeyError, decodeCredentialsKey, ivBytes, sealSecret } from "../shared/credentials.ts";
import { problemsIn } from "../shared/records.ts";
import type { Problem } from "../shared/rules/schema/problems.ts";
import { readSecret } from "./read-secret.ts";
import { readRulesetFile } from "./ruleset-file.ts";
import { placed, problemLines } from "./ruleset-problems.ts";
import { projectId } from "./worker-options.ts";

interface SealOptions {
  project: string;
  generateKey?: true;
  record?: string;
}

/** `partyline seal`: the sealed form of an API token or a signing key, for a `project/<id>` record in KV. */
export function sealCommand(): Command {
  return new Command("seal")
    .description("seal an API token or a signing key for a project's record in KV")
    .requiredOption(
      "--project <id>",
      "the project that the secret belongs to; it opens for no other",
      projectId,
    )
    .option("--generate-key", "make a new CREDENTIALS_KEY, print it first, and seal with it")
    .option("--record <file>", "the project's record that the secret is for: it is checked first")
    .addHelpText(
      "after",
      `
The secret is read from standard input, or asked for without being shown; never from the command line.
The key is read from the environment variable CREDENTIALS_KEY: 32 bytes, base64, the same as the Worker's secret.

  npx partyline seal --project 11111111-2222-4333-8444-555555555555 < token.txt

Exit codes: 0 it was sealed, 1 there was nothing to seal or the record is not good, 2 the record can't be read, or the key is missing or not right.`,
    )
    .action(seal);
}

async function seal(options: SealOptions, command: Command): Promise<void> {
  const { CREDENTIALS_KEY: given = "" } = process.env;
  if (options.generateKey && given !== "") {
    command.error(
      "error: CREDENTIALS_KEY is set already. A new key would not open what the old one sealed: leave --generate-key out, or unset CREDENTIALS_KEY to begin anew.",
      { exitCode: 2 },
    );
  }
  const key = options.generateKey ? randomBytes(32).toString("base64") : given;
  try {
    decodeCredentialsKey(key);
  } catch (error) {
    if (!(error instanceof CredentialsKeyError)) throw error;
    command.error(`error: ${error.message}`, { exitCode: 2 });
  }
  if (options.record !== undefined) await checkRecord(options.record, command);
  const secret = await readSecret("Secret to seal (not shown): ");
  if (secret === "") {
    command.error("error: there was nothing to seal: give the secret on standard input.", { exitCode: 1 });
  }
  const sealed = await sealSecret(key, options.project, secret, new Uint8Array(randomBytes(ivBytes)));
  if (options.generateKey) {
    process.stderr.write(
      "Keep this key, and give it to the Worker: npx wrangler secret put CREDENTIALS_KEY\n",
    );
    process.stdout.write(`CREDENTIALS_KEY=${key}\n`);
  }
  process.stdout.write(`${sealed}\n`);
}

/** Ends the command where the record has errors: calls would be served without what is wrong in it. */
async function checkRecord(file: string, command: Command): Promise<void> {
  const read = await readRulesetFile(file);
  if (!read.ok && read.kind === "unreadable") command.error(`error: ${read.message}`, { exitCode: 2 });
  const errors = read.ok
    ? placed(problemsIn("project", read.value).filter(isNotSealed), read.positionOf)
    : read.errors.map((error) => ({ path: "", ...error }));
  if (errors.length === 0) return;
  command.error(errors.flatMap((error) => problemLines(file, "error", error)).join("\n"), { exitCode: 1 });
}

/** What is sealed is missing until the command has printed it. */
function isNotSealed({ path, message }: Problem): boolean {
  return !(["credentials", "signing_keys"].includes(path) && message.startsWith("is missing"));
}
