import { Command } from "commander";
import { type CommandView, commandView, type PersonResult } from "../shared/api/controls.ts";
import { refusalSchema } from "../shared/api/refusal.ts";
import { askApi, type Failure, unexpected, type WorkerAnswer } from "./ask-worker.ts";
import { fail } from "./fail.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { plain } from "./plain.ts";
import { withProgress } from "./progress.ts";
import type { Target } from "./ruleset-api.ts";
import { wholeNumber } from "./worker-options.ts";

/** A control waits 3 s for what verifies it, and a bulk one for everybody. */
const HOW = { answer_ms: 60_000 };
const EXITS = `0 it was seen to be done, 1 it was refused or has failed, 2 the Worker could not be asked, 3 it was sent and is not
seen to be done yet.`;

interface ActOptions extends TenantOptions {
  music?: string;
  say?: string;
  play?: string;
  to?: string;
  except?: string;
  lobby?: true;
  minutes?: number;
  bar?: number;
}

/** `told` is null where the answer is none of the operation's. */
type Answer = (Omit<WorkerAnswer, "told"> & { told: object | null }) | Failure;
type Asked = Promise<Answer>;

/** One act of an operator's on a live conference: a command of its own. */
interface Act {
  /** The command and its arguments. */
  usage: string;
  description: string;
  options?: readonly [flags: string, description: string, parse?: (text: string) => number][];
  ask(target: Target, args: readonly string[], options: ActOptions): Asked;
}

function change(body: { muted?: boolean; held?: false | { music?: string }; coach?: string | null }) {
  return (target: Target, [name = "", call_id = ""]: readonly string[]): Asked =>
    askApi(target, "changeParticipant", { params: { tenant: target.tenant, name, call_id }, body }, HOW);
}

const acts: readonly Act[] = [
  { usage: "mute <room> <call_id>", description: "mute a participant", ask: change({ muted: true }) },
  { usage: "unmute <room> <call_id>", description: "unmute a participant", ask: change({ muted: false }) },
  {
    usage: "hold <room> <call_id>",
    description: "put a participant on hold",
    options: [["--music <url>", "what they hear meanwhile (https)"]],
    ask: (target, args, { music }) => change({ held: music === undefined ? {} : { music } })(target, args),
  },
  {
    usage: "unhold <room> <call_id>",
    description: "take a participant off hold",
    ask: change({ held: false }),
  },
  {
    usage: "coach <room> <call_id> [coached]",
    description: "let a participant be heard by one other alone; without a second call: by all again",
    ask: (target, args) => change({ coach: args[2] ?? null })(target, args),
  },
  {
    usage: "remove <room> <call_id>",
    description: "take a participant out, and end the call",
    options: [
      ["--say <words>", "what they hear before"],
      ["--bar <seconds>", "keep their number out for so long", wholeNumber],
    ],
    ask: ({ tenant, ...access }, [name = "", call_id = ""], { say, bar }) => {
      const body = {
        // biome-ignore lint/suspicious/noThenProperty: a word of the API, and the value is data that is never awaited
        ...(say === undefined ? {} : { then: { say } }),
        ...(bar === undefined ? {} : { bar_s: bar }),
      };
      return askApi(access, "removeParticipant", { params: { tenant, name, call_id }, body }, HOW);
    },
  },
  {
    usage: "move <room> <call_id> <other_room>",
    description: "move a participant to another room",
    ask: ({ tenant, ...access }, [name = "", call_id = "", to = ""]) =>
      askApi(access, "moveParticipant", { params: { tenant, name, call_id }, body: { to } }, HOW),
  },
  {
    usage: "admit <room> <call_id>",
    description: "admit a caller who waits in the lobby",
    ask: ({ tenant, ...access }, [name = "", call_id = ""]) =>
      askApi(access, "admitWaiter", { params: { tenant, name, call_id } }, HOW),
  },
  {
    usage: "reject <room> <call_id>",
    description: "reject a caller who waits in the lobby",
    ask: ({ tenant, ...access }, [name = "", call_id = ""]) =>
      askApi(access, "rejectWaiter", { params: { tenant, name, call_id } }, HOW),
  },
  {
    usage: "mute-all <room>",
    description: "mute everybody but moderators, and everybody who comes later",
    options: [["--except <roles>", "the roles that stay unmuted, by commas (moderator)"]],
    ask: ({ tenant, ...access }, [name = ""], { except }) => {
      const body = except === undefined ? {} : { except: except.split(",").filter((role) => role !== "") };
      return askApi(access, "muteAll", { params: { tenant, name }, body }, HOW);
    },
  },
  {
    usage: "unmute-all <room>",
    description: "mute nobody any more who comes in",
    ask: ({ tenant, ...access }, [name = ""]) =>
      askApi(access, "unmuteAll", { params: { tenant, name }, body: {} }, HOW),
  },
  {
    usage: "lock <room>",
    description: "let no more callers in",
    options: [
      ["--lobby", "let them wait for an operator in place of refusing them"],
      ["--minutes <number>", "for so long; without it until the conference is over", wholeNumber],
      ["--say <words>", "what they hear"],
    ],
    ask: ({ tenant, ...access }, [name = ""], { lobby, minutes, say }) => {
      const body = {
        ...(lobby ? { mode: "lobby" as const } : {}),
        ...(minutes === undefined ? {} : { until: Date.now() + minutes * 60_000 }),
        ...(say === undefined ? {} : { say }),
      };
      return askApi(access, "lockConference", { params: { tenant, name }, body }, HOW);
    },
  },
  {
    usage: "unlock <room>",
    description: "let callers in again",
    ask: ({ tenant, ...access }, [name = ""]) =>
      askApi(access, "unlockConference", { params: { tenant, name }, body: {} }, HOW),
  },
  {
    usage: "announce <room>",
    description: "say or play something to everybody in a room, or to one",
    options: [
      ["--say <words>", "the words"],
      ["--play <url>", "a sound file (https)"],
      ["--to <call_id>", "the one who hears it"],
    ],
    ask: ({ tenant, ...access }, [name = ""], { say, play, to }) => {
      const words = say === undefined ? {} : { say };
      const body = { ...words, ...(play === undefined ? {} : { play }), ...(to === undefined ? {} : { to }) };
      return askApi(access, "announce", { params: { tenant, name }, body }, HOW);
    },
  },
  {
    usage: "end <room>",
    description: "end the conference for all; nobody comes in for a minute",
    options: [["--say <words>", "what they hear before"]],
    ask: ({ tenant, ...access }, [name = ""], { say }) =>
      askApi(
        access,
        "endConference",
        { params: { tenant, name }, body: say === undefined ? {} : { say } },
        HOW,
      ),
  },
  {
    usage: "record <room_or_recording> <state>",
    description: "start a recording of a room (start), or change one by its id: paused, recording or stopped",
    ask: ({ tenant, ...access }, [name = "", state = ""]) =>
      state === "start"
        ? askApi(access, "startRecording", { params: { tenant, name }, body: {} }, HOW)
        : askApi(
            access,
            "changeRecording",
            { params: { tenant, id: name }, body: JSON.stringify({ state }) },
            HOW,
          ),
  },
  {
    usage: "command <command_id>",
    description: "ask how an act stands that was not seen to be done yet",
    ask: ({ tenant, ...access }, [id = ""]) => askApi(access, "getCommand", { params: { tenant, id } }, HOW),
  },
];

/** What operators do: 0 if it was seen to be done, 3 if it was sent and is not seen yet, 1 if it was refused, 2 if the Worker could not be asked. */
export function operatorCommands(): Command[] {
  return acts.map(commandOf);
}

function commandOf({ usage, description, options = [], ask }: Act): Command {
  const [name = "", ...parameters] = usage.split(" ");
  const command = ofTenant(new Command(name).description(description), "whose conference", EXITS);
  for (const parameter of parameters) command.argument(parameter);
  for (const [flags, what, parse] of options) {
    if (parse) command.option(flags, what, parse);
    else command.option(flags, what);
  }
  return command.action(async (...given: unknown[]) => {
    const chosen = command.opts<ActOptions>();
    const target = targetOf(chosen);
    // Commander gives the arguments first, then the options and the command.
    const args = given.slice(0, parameters.length).flatMap((one) => (typeof one === "string" ? [one] : []));
    const answer = await withProgress("Waiting for what shows its effect", ask(target, args, chosen));
    report(target, answer, chosen.json);
  });
}

function report(target: Target, answer: Answer, json: true | undefined): void {
  const failure = answer.ok ? failureIn(target, answer) : ({ ...answer, exit_code: 2 } as const);
  if (failure !== null) {
    fail(failure.exit_code, failure.error, json);
    return;
  }
  const said = answer.ok ? answer.json : null;
  const view = commandView.safeParse(said);
  if (view.success && view.data.state !== "done") process.exitCode = view.data.state === "requested" ? 3 : 1;
  if (json) console.log(JSON.stringify({ ok: true, answer: said }));
  // The lobby answers with its verdict alone.
  else console.log(view.success ? linesOf(view.data).join("\n") : "Done.");
}

function failureIn(
  { url }: Target,
  answer: Extract<Answer, { ok: true }>,
): { exit_code: 1 | 2; error: { code: string; message: string } } | null {
  const { status, json, told } = answer;
  if (status < 400 && told !== null) return null;
  const refusal = refusalSchema.safeParse(json);
  if (status >= 400 && refusal.success) return { exit_code: 1, error: refusal.data.error };
  return { exit_code: 2, error: unexpected(url, answer).error };
}

function linesOf(view: CommandView): string[] {
  const { command_id, control, room, call_id, results = [], remaining = [], said, recording_id } = view;
  const what = plain(`${control}, ${room}${call_id === null ? "" : `, ${call_id}`}`);
  return [
    `${headOf(view)}: ${what}`,
    ...(said === "" ? [] : [plain(said)]),
    ...(recording_id === undefined ? [] : [plain(`Recording: ${recording_id}`)]),
    ...results.map(personLine),
    ...(remaining.length === 0 ? [] : [plain(`Still there: ${remaining.join(", ")}`)]),
    ...(view.state === "requested" ? [`Ask again: npx partyline command ${plain(command_id)}`] : []),
  ];
}

function headOf({ state, changed, verified_by, sent_by }: CommandView): string {
  switch (state) {
    case "done":
      return changed ? `Done, by what ${verified_by ?? "nothing"} says` : "It was so already";
    case "requested":
      return `Sent${sent_by === null ? "" : ` by ${sent_by}`}, and not seen to be done yet`;
    case "failed":
      return "Failed: it was not seen to be done within a minute";
    case "refused":
      return "Refused";
  }
}

function personLine({ call_id, state, changed, code }: PersonResult): string {
  const how = state === "done" && !changed ? "was so already" : state;
  return plain(`  ${call_id}  ${how}${code === undefined ? "" : ` (${code})`}`);
}
