import { Command } from "commander";
import { CredentialsKeyError, decodeCredentialsKey } from "../shared/credentials.ts";
import { DIGITS } from "../shared/rules/limits.ts";
import { answerHmac } from "../shared/secret-answer.ts";
import { readSecret } from "./read-secret.ts";
import { tenantId } from "./worker-options.ts";

/** `partyline secret`: what a ruleset holds in place of a PIN. */
export function secretCommand(): Command {
  return new Command("secret")
    .description("make the HMAC form of a PIN, for a ruleset")
    .requiredOption("--tenant <id>", "whose ruleset; it matches in no other's", tenantId)
    .addHelpText(
      "after",
      `
The PIN is read from standard input, or asked for without being shown; never from the command line.
The key is read from the environment variable CREDENTIALS_KEY, the same as the Worker's secret. Prints JSON.

  npx partyline secret --tenant acme < pin.txt

Exit codes: 0 it was made, 1 that is no PIN, 2 the key is missing or not right.`,
    )
    .action(secret);
}

async function secret({ tenant }: { tenant: string }, command: Command): Promise<void> {
  const { CREDENTIALS_KEY: key = "" } = process.env;
  try {
    // Looked at first: nobody should key a PIN for nothing.
    decodeCredentialsKey(key);
  } catch (error) {
    if (!(error instanceof CredentialsKeyError)) throw error;
    command.error(`error: ${error.message}`, { exitCode: 2 });
  }
  const pin = await readSecret("PIN (not shown): ");
  if (!/^[0-9*#]+$/.test(pin) || pin.length > DIGITS) {
    command.error(
      `error: a PIN is 1 to ${DIGITS} of the digits, * and #, as the caller keys it without the terminator.`,
      { exitCode: 1 },
    );
  }
  console.log(`{ "hmac": "${await answerHmac(key, tenant, pin)}" }`);
}
