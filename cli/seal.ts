import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { CredentialsKeyError, decodeCredentialsKey, ivBytes, sealSecret } from "../shared/credentials.ts";
import { readSecret } from "./read-secret.ts";

interface SealOptions {
  project: string;
  generateKey?: true;
}

/** `partyline seal`: the sealed form of an API token or a signing key, for a `project/<id>` record in KV. */
export function sealCommand(): Command {
  return new Command("seal")
    .description("seal an API token or a signing key for a project's record in KV")
    .requiredOption("--project <id>", "the project that the secret belongs to; it opens for no other")
    .option("--generate-key", "make a new CREDENTIALS_KEY, print it first, and seal with it")
    .addHelpText(
      "after",
      `
The secret is read from standard input, or asked for without being shown; never from the command line.
The key is read from the environment variable CREDENTIALS_KEY: 32 bytes, base64, the same as the Worker's secret.

  npx partyline seal --project 11111111-2222-4333-8444-555555555555 < token.txt

Exit codes: 0 it was sealed, 1 there was nothing to seal, 2 the key is missing or not right.`,
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
