import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { Command } from "commander";
import { CredentialsKeyError, decodeCredentialsKey } from "../shared/credentials.ts";
import { DIGITS } from "../shared/rules/limits.ts";
import { answerHmac } from "../shared/secret-answer.ts";
import { pinKey, readPinList } from "./pin-list.ts";
import { readSecret } from "./read-secret.ts";
import { tenantId } from "./worker-options.ts";

/** Problems of a list that are shown at once. */
const SHOWN = 20;

/** `partyline secret`: what a ruleset holds in place of a PIN. */
export function secretCommand(): Command {
  return new Command("secret")
    .description("make the HMAC form of a PIN, for a ruleset or for KV")
    .requiredOption("--tenant <id>", "whose ruleset; it matches in no other's", tenantId)
    .option("--list <file>", "make KV pairs of many PINs, one a line: pin,room,role; - reads standard input")
    .addHelpText(
      "after",
      `
The PIN is read from standard input, or asked for without being shown; never from the command line.
The key is read from the environment variable CREDENTIALS_KEY, the same as the Worker's secret. Prints JSON for the ruleset,
and beside it the key under which KV may hold the PIN's record instead.

  npx partyline secret --tenant acme < pin.txt
  npx partyline secret --tenant acme --list pins.csv > pins.json
  npx wrangler kv bulk put --binding DIRECTORY --remote pins.json

In a list, room and role may be left empty. No PIN is ever shown, but the list holds them: delete it.

Exit codes: 0 it was made, 1 that is no PIN, 2 the key is missing or not right, or the list can't be read.`,
    )
    .action(secret);
}

async function secret({ tenant, list }: { tenant: string; list?: string }, command: Command): Promise<void> {
  const { CREDENTIALS_KEY: key = "" } = process.env;
  try {
    // Looked at first: nobody should key a PIN for nothing.
    decodeCredentialsKey(key);
  } catch (error) {
    if (!(error instanceof CredentialsKeyError)) throw error;
    command.error(`error: ${error.message}`, { exitCode: 2 });
  }
  if (list !== undefined) {
    const read = await readPinList(await readList(list, command), key, tenant);
    if (!read.ok)
      command.error(`error: the list is not right:\n  ${read.problems.slice(0, SHOWN).join("\n  ")}`, {
        exitCode: 1,
      });
    console.log(JSON.stringify(read.pairs, null, 1));
    return;
  }
  const pin = await readSecret("PIN (not shown): ");
  if (!/^[0-9*#]+$/.test(pin) || pin.length > DIGITS) {
    command.error(
      `error: a PIN is 1 to ${DIGITS} of the digits, * and #, as the caller keys it without the terminator.`,
      { exitCode: 1 },
    );
  }
  const hmac = await answerHmac(key, tenant, pin);
  console.log(`{ "hmac": "${hmac}" }`);
  console.error(`in KV: ${pinKey(tenant, hmac)}`);
}

async function readList(file: string, command: Command): Promise<string> {
  try {
    return file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    command.error(`error: ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, {
      exitCode: 2,
    });
  }
}
