import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type * as z from "zod";
import type { dialBody } from "../shared/api/dial.ts";
import { askApi } from "./ask-worker.ts";
import { fail } from "./fail.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { plain } from "./plain.ts";
import { readSecret } from "./read-secret.ts";
import type { Target } from "./ruleset-api.ts";
import { type NotTold, type Told, told } from "./told.ts";
import { wholeNumber } from "./worker-options.ts";

const HOW = { answer_ms: 30_000 };
/** How often it is asked how the call stands. */
const ASK_MS = 1_000;
/** A call rings so long unless another time is asked for, s. */
const RINGS_S = 60;
/** It may wait two minutes for its turn; the join takes its time. */
const BESIDE_MS = 150_000;
const EXITS = `0 they are in the room, 1 it was refused, or they did not answer or came not in, 2 the Worker could not be asked, 3 the
call was made and not yet seen in the room.`;

interface DialOptions extends TenantOptions {
  from?: string;
  role?: string;
  say?: string;
  play?: string;
  rings?: number;
  capacity?: number;
  id?: string;
  digits?: true;
}

type Dial = Told<"getDial">;

/** States of a call that goes on; every other is its end. */
const GOES_ON: ReadonlySet<Dial["state"]> = new Set(["queued", "sending", "dialing", "ringing", "joining"]);

/** `partyline dial`: calls somebody into a room, and tells how that goes until they are in it. */
export function dialCommand(): Command {
  return ofTenant(new Command("dial"), "whose room", EXITS)
    .description("call somebody into a room, and wait until they are in it")
    .argument("<room>", "its name, as the rules spell it")
    .argument("<to>", "an E.164 number or a SIP URI that the tenant's record allows")
    .option("--from <number>", "the number that they see; the record must name it")
    .option("--role <role>", "moderator, participant, listener, or one of the ruleset's")
    .option("--say <words>", "what they hear before the room")
    .option("--play <url>", "a sound file that they hear before the room (https)")
    .option("--rings <seconds>", `how long it rings, 5 to 600 (${RINGS_S})`, wholeNumber)
    .option("--capacity <seats>", "the room's seats; without it they are not counted", wholeNumber)
    .option("--id <name>", "your own name for the call: asked again, it is the same call")
    .option("--digits", "keys to be sent once they answer are read from standard input, or asked for")
    .action(async (room: string, to: string, options: DialOptions) => {
      const target = targetOf(options);
      const send_digits = options.digits ? await readSecret("Keys (not shown): ") : undefined;
      const params = { tenant: target.tenant, name: room };
      const request = { params, body: bodyOf(to, options, send_digits) };
      const asked = told(target, await askApi(target, "dialParticipant", request, HOW));
      if ("exit_code" in asked) return fail(asked.exit_code, asked.error, options.json);
      const until = Date.now() + (options.rings ?? RINGS_S) * 1_000 + BESIDE_MS;
      const dial = await settled(target, asked.data, until);
      if ("exit_code" in dial) return fail(dial.exit_code, dial.error, options.json);
      process.exitCode = dial.state === "joined" ? 0 : GOES_ON.has(dial.state) ? 3 : 1;
      console.log(options.json ? JSON.stringify(dial) : plain(lineOf(dial)));
    });
}

function bodyOf(
  to: string,
  { from, role, say, play, rings, capacity, id }: DialOptions,
  send_digits: string | undefined,
): z.input<typeof dialBody> {
  const announce = say !== undefined ? { say } : play !== undefined ? { play } : undefined;
  return {
    to,
    ...(send_digits === undefined ? {} : { send_digits }),
    ...(from === undefined ? {} : { from }),
    ...(role === undefined ? {} : { role }),
    ...(announce === undefined ? {} : { announce }),
    ...(rings === undefined ? {} : { timeout_s: rings }),
    ...(capacity === undefined ? {} : { capacity }),
    ...(id === undefined ? {} : { id }),
  };
}

/** The call as it is once it goes on no longer, or at the end of the wait. Tells of each change meanwhile, on standard error. */
async function settled(target: Target, first: Dial, until: number): Promise<Dial | NotTold> {
  let dial = first;
  tell(dial);
  while (GOES_ON.has(dial.state) && Date.now() < until) {
    await sleep(ASK_MS);
    const params = { tenant: target.tenant, id: dial.id };
    const answer = told(target, await askApi(target, "getDial", { params }, HOW));
    // The call was made: that it can't be asked for now says nothing against it.
    if ("exit_code" in answer && answer.exit_code === 1) return answer;
    if ("exit_code" in answer) continue;
    if (answer.data.state !== dial.state) tell(answer.data);
    dial = answer.data;
  }
  return dial;
}

function tell({ id, state, reason }: Dial): void {
  if (GOES_ON.has(state))
    console.error(plain(`${id}: ${state}${reason === "" || reason === state ? "" : `, ${reason}`}`));
}

function lineOf({ id, to, room, state, reason, call_id }: Dial): string {
  const call = call_id === null ? "" : `, call ${call_id}`;
  const why = reason === "" || reason === state ? "" : ` (${reason})`;
  return `${id}: ${to} to ${room}: ${state}${why}${call}`;
}
