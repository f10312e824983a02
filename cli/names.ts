import { Command } from "commander";
import type { ApiRequest } from "../shared/api/client.ts";
import type { Operation } from "../shared/api/endpoints.ts";
import { type Access, askApi, type Failure, type WorkerAnswer } from "./ask-worker.ts";
import { type TenantOptions, targetOf } from "./of-tenant.ts";
import type { Target } from "./ruleset-api.ts";
import { type Told, told } from "./told.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

/** A person waits for the shell to go on. */
const HOW = { answer_ms: 3_000 };
/** Of a list one page is asked for. */
const PAGE = 200;

/** What a name in a command's usage stands for, as the API knows it. @param args the arguments before it. */
const sources: Readonly<Record<string, (target: Target, args: readonly string[]) => Promise<string[]>>> = {
  tenant: async (target) =>
    (await asked(target, "listTenants", {}))?.tenants.map(({ tenant }) => tenant) ?? [],
  room: rooms,
  other_room: rooms,
  call_id: calls,
  coached: calls,
  recording_id: async (target) =>
    (await asked(target, "listRecordings", ofTenant(target)))?.recordings.map(({ id }) => id) ?? [],
  token_id: async (target) =>
    (await asked(target, "listTokens", ofTenant(target)))?.tokens.map(({ id }) => id) ?? [],
  webhook_id: async (target) =>
    (await asked(target, "listWebhooks", ofTenant(target)))?.webhooks.map(({ id }) => id) ?? [],
  delivery_id: async ({ tenant, ...target }, [id = ""]) =>
    (await asked(target, "listDeliveries", { params: { tenant, id } }))?.deliveries.map(({ id }) => id) ?? [],
};

/** `partyline names -- WORDS`: what may stand in the place of the last word, one a line. What completion asks; nothing if it can't be told. */
export function namesCommand(program: () => Command): Command {
  return new Command("names")
    .description("print what may stand for the last of these words, as the API knows it")
    .argument("[words...]", "the command line so far, without the program")
    .action(async (words: string[]) => {
      const wanted = wantedBy(program(), words, process.env);
      if (wanted === null) return;
      const { source, target, args, begun } = wanted;
      const names = (await sources[source]?.(target, args)) ?? [];
      // A name that holds what is no character would be more than one line.
      const fitting = names.filter((name) => name.startsWith(begun) && !/\p{Cc}/u.test(name));
      if (fitting.length > 0) console.log([...new Set(fitting)].join("\n"));
    });
}

interface Wanted {
  source: string;
  target: Target;
  args: readonly string[];
  begun: string;
}

function wantedBy(program: Command, words: readonly string[], env: NodeJS.ProcessEnv): Wanted | null {
  const { command, args, options, awaited } = readWords(program, words.slice(0, -1));
  const begun = words.at(-1) ?? "";
  const isOption = awaited === null && begun.startsWith("-");
  const source = awaited ?? command.registeredArguments[args.length]?.name() ?? "";
  if (isOption || sources[source] === undefined) return null;
  const { PARTYLINE_URL, PARTYLINE_TENANT } = env;
  const target = readTarget({
    url: options.get("--url") ?? PARTYLINE_URL ?? "",
    // Whichever: the list of tenants is of none.
    tenant: options.get("--tenant") ?? PARTYLINE_TENANT ?? (source === "tenant" ? "default" : ""),
  });
  return target && { source, target, args, begun };
}

/** The command that the words lead to, what they give it, and what the option wants that is the last of them, if one is. */
function readWords(
  program: Command,
  words: readonly string[],
): { command: Command; args: string[]; options: ReadonlyMap<string, string>; awaited: string | null } {
  let command = program;
  const args: string[] = [];
  const options = new Map<string, string>();
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const inner = args.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
    const [flag = "", inline] = word.split("=", 2);
    const option = command.options.find(({ long, short }) => flag === long || flag === short);
    if (inner) command = inner;
    else if (!word.startsWith("-")) args.push(word);
    else if (option?.required && inline === undefined) {
      const value = rest.shift();
      if (value === undefined) return { command, args, options, awaited: placeIn(option.flags) };
      options.set(flag, value);
    } else if (inline !== undefined) options.set(flag, inline);
  }
  return { command, args, options, awaited: null };
}

/** `--to <call_id>`: call_id. */
function placeIn(flags: string): string {
  const [, long = "", place = ""] = /--([a-z-]+) <([a-z_]+)>/.exec(flags) ?? [];
  return place === "id" ? long : place;
}

function readTarget(written: { url: string; tenant: string }): Target | null {
  try {
    const options: Pick<TenantOptions, "url" | "tenant"> = {
      url: workerUrl(written.url),
      tenant: tenantId(written.tenant),
    };
    return targetOf(options);
  } catch {
    return null;
  }
}

async function rooms(target: Target): Promise<string[]> {
  const request = { ...ofTenant(target), query: { limit: PAGE } };
  return (
    (await asked(target, "listConferences", request))?.conferences.map(({ plain_name }) => plain_name) ?? []
  );
}

/** Those in the room and those who wait for it; without a room, the last ones. */
async function calls({ tenant, ...target }: Target, [name]: readonly string[]): Promise<string[]> {
  if (name === undefined) {
    const page = await asked(target, "listCalls", { params: { tenant } });
    return page?.calls.map(({ call_id }) => call_id) ?? [];
  }
  const room = await asked(target, "getConference", { params: { tenant, name } });
  return [...(room?.participants ?? []), ...(room?.waiting ?? [])].map(({ call_id }) => call_id);
}

function ofTenant({ tenant }: Target): { params: { tenant: string } } {
  return { params: { tenant } };
}

/** What the API tells; null if it does not. */
async function asked<O extends Operation>(
  access: Access,
  operation: O,
  request: ApiRequest<O>,
): Promise<Told<O> | null> {
  const answer: WorkerAnswer<O> | Failure = await askApi(access, operation, request, HOW);
  const read = told(access, answer);
  return "exit_code" in read ? null : read.data;
}
