import { Command } from "commander";
import type { StoredPin } from "../shared/api/pins.ts";
import { pinId } from "../shared/pin-id.ts";
import { answerHmac } from "../shared/secret-answer.ts";
import { fail } from "./fail.ts";
import { credentialsKey, listedPins, readPin } from "./pin-input.ts";
import { type HashedPin, pinRecordProblems } from "./pin-list.ts";
import { listPins, revokePin, writePins } from "./pins-api.ts";
import { plain } from "./plain.ts";
import type { Target } from "./ruleset-api.ts";
import { count } from "./ruleset-problems.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

interface PinsOptions {
  url: URL;
  tenant: string;
  json?: true;
}

const TOKEN =
  "\nThe Worker's ADMIN_TOKEN is read from the environment variable of that name, never from the command line.";
const KEY =
  "\nThe PIN is read from standard input, or asked for without being shown. Its digits stay on this machine: what is sent\nis their HMAC under CREDENTIALS_KEY, which is read from the environment and must be the Worker's.";

/** `partyline pins`: the PINs of a tenant in KV. 0 where it was done, 1 where something is not right, 2 where the Worker could not be asked. */
export function pinsCommand(): Command {
  return new Command("pins")
    .description("list, add, revoke and import the PINs that a tenant has in KV")
    .addCommand(listCommand())
    .addCommand(addCommand())
    .addCommand(revokeCommand())
    .addCommand(importCommand());
}

function listCommand(): Command {
  return ofTenant(new Command("list"))
    .description("list a tenant's PINs by their ids, with room, role and note; no digits are kept")
    .addHelpText("after", `${TOKEN}\n\nExit codes: 0 they were listed, 2 the Worker could not be asked.`)
    .action(async (options: PinsOptions) => {
      const { tenant, json } = options;
      const listed = await listPins(targetOf(options));
      if (!listed.ok) return fail(2, listed.error, json);
      const { pins } = listed;
      if (json) console.log(JSON.stringify({ ok: true, tenant, pins }));
      else if (pins.length === 0) console.log(`${tenant} has no PIN in KV.`);
      else console.log([...pins.map(lineOf), `${tenant} has ${count(pins.length, "PIN")} in KV.`].join("\n"));
    });
}

function addCommand(): Command {
  return ofTenant(new Command("add"))
    .description("add a PIN, or write over its record")
    .option("--room <room>", "what {pin.room} stands for in the rule's room")
    .option("--role <role>", 'what { "pins": { "role": … } } compares')
    .option("--note <text>", "whose PIN it is")
    .addHelpText(
      "after",
      `${TOKEN}${KEY}

Exit codes: 0 it was added, 1 that is no PIN or its room, role or note is not right, 2 the key is missing or not right, or
the Worker could not be asked.`,
    )
    .action(
      async (options: PinsOptions & { room?: string; role?: string; note?: string }, command: Command) => {
        const { tenant, room, role, note, json } = options;
        const record = Object.fromEntries(
          Object.entries({ room, role, note }).filter(([, value]) => value !== undefined),
        );
        const problems = pinRecordProblems(record);
        if (problems.length > 0) command.error(`error: ${problems.join("; ")}`, { exitCode: 1 });
        const key = credentialsKey(command);
        const hmac = await answerHmac(key, tenant, await readPin(command));
        const id = await pinId(hmac);
        await write(options, [{ hmac, record }], key, () => {
          if (json) console.log(JSON.stringify({ ok: true, tenant, id, ...record }));
          else console.log(`Added: ${tenant} has PIN ${id}, everywhere within 90 s.`);
        });
      },
    );
}

function revokeCommand(): Command {
  return ofTenant(new Command("revoke"))
    .description("revoke a PIN; a caller who is in a room stays there")
    .argument("[id]", "which, as list shows it; without it the PIN is asked for")
    .addHelpText(
      "after",
      `${TOKEN}${KEY}

Exit codes: 0 it was revoked, 1 there is no such PIN, 2 the key is missing or not right, or the Worker could not be asked.`,
    )
    .action(async (given: string | undefined, options: PinsOptions, command: Command) => {
      const { tenant, json } = options;
      if (given !== undefined && !/^[0-9a-f]{32}$/.test(given))
        command.error(
          "error: write the 32 hex digits that list shows; leave them out to be asked for the PIN.",
          {
            exitCode: 2,
          },
        );
      const id =
        given ?? (await pinId(await answerHmac(credentialsKey(command), tenant, await readPin(command))));
      const revoked = await revokePin(targetOf(options), id);
      if (!revoked.ok) return fail(revoked.error.code === "unknown_pin" ? 1 : 2, revoked.error, json);
      if (json) console.log(JSON.stringify({ ok: true, tenant, id }));
      else console.log(`Revoked: ${tenant} has PIN ${id} no longer, everywhere within 90 s.`);
    });
}

function importCommand(): Command {
  return ofTenant(new Command("import"))
    .description("add many PINs, or write over their records: CSV with a header pin,room,role (and note)")
    .argument("<file>", "the list; - reads standard input")
    .addHelpText(
      "after",
      `${TOKEN}${KEY}

  pin,room,role,note
  47110815,board,chair,Ada
  12340567,board,,

Room, role and note may be left empty. PINs that are in KV and not in the list stay. Delete the list afterwards.

Exit codes: 0 they were added, 1 the list is not right, 2 the key is missing or not right, the list can't be read or
the Worker could not be asked.`,
    )
    .action(async (file: string, options: PinsOptions, command: Command) => {
      const { tenant, json } = options;
      const key = credentialsKey(command);
      const pins = await listedPins(file, key, tenant, command);
      await write(options, pins, key, () => {
        if (json) console.log(JSON.stringify({ ok: true, tenant, written: pins.length }));
        else console.log(`Written: ${count(pins.length, "PIN")} of ${tenant}, everywhere within 90 s.`);
      });
    });
}

async function write(
  options: PinsOptions,
  pins: readonly HashedPin[],
  key: string,
  done: () => void,
): Promise<void> {
  const written = await writePins(targetOf(options), pins, key);
  if (written.ok) return done();
  const { error, written: before } = written;
  const part = before === 0 ? "" : ` The first ${before} of the list were written; import it again.`;
  fail(2, { ...error, message: `${error.message}${part}` }, options.json);
}

function lineOf({ id, room, role, note, bad }: StoredPin): string {
  if (bad) return `${plain(id)}  its record is not as it should be: it is taken for no PIN`;
  const said = [
    ...(room === undefined ? [] : [`room ${room}`]),
    ...(role === undefined ? [] : [`role ${role}`]),
    ...(note === undefined ? [] : [note]),
  ];
  return plain(`${id}  ${said.join(", ")}`).trimEnd();
}

function ofTenant(command: Command): Command {
  return command
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose PINs", tenantId)
    .option("--json", "one JSON object for machines");
}

function targetOf({ url, tenant }: PinsOptions): Target {
  const { ADMIN_TOKEN: token = "" } = process.env;
  return { url, tenant, token };
}
