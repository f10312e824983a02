import { Command } from "commander";
import { answerHmac } from "../shared/secret-answer.ts";
import { credentialsKey, listedPins, readPin } from "./pin-input.ts";
import { pinKey } from "./pin-list.ts";
import { tenantId } from "./worker-options.ts";

/** `partyline secret`: what a ruleset holds in place of a PIN. */
export function secretCommand(): Command {
  return new Command("secret")
    .description("make the HMAC form of a PIN, for a ruleset or for KV")
    .requiredOption("--tenant <id>", "whose ruleset; it matches in no other's", tenantId)
    .option(
      "--list <file>",
      "make KV pairs of many PINs: a header pin,room,role, then one a line; - reads standard input",
    )
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
  const key = credentialsKey(command);
  if (list !== undefined) {
    const pairs = (await listedPins(list, key, tenant, command)).map(({ hmac, record }) => ({
      key: pinKey(tenant, hmac),
      value: JSON.stringify(record),
    }));
    console.log(JSON.stringify(pairs, null, 1));
    return;
  }
  const hmac = await answerHmac(key, tenant, await readPin(command));
  console.log(`{ "hmac": "${hmac}" }`);
  console.error(`in KV: ${pinKey(tenant, hmac)}`);
}
