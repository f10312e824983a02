import { Command } from "commander";
import type { ApiAnswer } from "../shared/api/client.ts";
import type { Operation } from "../shared/api/endpoints.ts";
import { refusalSchema } from "../shared/api/refusal.ts";
import { askApi, type Failure, unexpected, type WorkerAnswer } from "./ask-worker.ts";
import { fail } from "./fail.ts";
import { timeText } from "./history.ts";
import { plain } from "./plain.ts";
import type { Target } from "./ruleset-api.ts";
import { tenantId, workerUrl } from "./worker-options.ts";

const HOW = { answer_ms: 30_000 };
/** Pages of a list that are asked for at most: 200 rooms each. */
const PAGES = 50;
const EXIT_CODES = `
ADMIN_TOKEN, or a tenant's token in its place, is read from the environment variable ADMIN_TOKEN, never from the command line.

Exit codes: 0 it was told, 1 there is no such room or call, 2 the Worker could not be asked.`;

interface ViewOptions {
  url: URL;
  tenant: string;
  json?: true;
}

type Told<O extends Operation> = Extract<ApiAnswer<O>, { status: 200 }>["data"];
interface NotTold {
  exit_code: 1 | 2;
  error: { code: string; message: string };
}

type Room = Told<"getConference">;
type Summary = Told<"listConferences">["conferences"][number];

/** `partyline rooms`, `room`, `calls` and `why`: what operators look at. 0 where it was told, 1 where there is no such thing, 2 where the Worker could not be asked. */
export function viewCommands(): Command[] {
  return [roomsCommand(), roomCommand(), callsCommand(), whyCommand()];
}

function roomsCommand(): Command {
  return ofTenant(new Command("rooms"))
    .description("list the rooms in which callers are or for which they wait")
    .action(async (options: ViewOptions) => {
      const target = targetOf(options);
      const listed = await allRooms(target);
      if ("exit_code" in listed) return fail(listed.exit_code, listed.error, options.json);
      const rooms = listed.data;
      if (options.json) for (const room of rooms) console.log(JSON.stringify(room));
      else if (rooms.length === 0) console.log("Nobody is in a room, or waits for one.");
      else
        show([
          ["room", "in it", "wait", "moderator", "since", ""],
          ...rooms.map((room) => [
            room.plain_name,
            String(room.confirmed),
            String(room.waiting),
            room.moderator_present ? "yes" : "no",
            when(room.since_iso),
            marksOf(room),
          ]),
        ]);
    });
}

async function allRooms(target: Target): Promise<{ data: Summary[] } | NotTold> {
  const { tenant } = target;
  const rooms: Summary[] = [];
  let query: { after?: string } = {};
  for (let pages = 0; pages < PAGES; pages += 1) {
    const page = told(target, await askApi(target, "listConferences", { params: { tenant }, query }, HOW));
    if ("exit_code" in page) return page;
    rooms.push(...page.data.conferences);
    if (page.data.next === null) break;
    query = { after: page.data.next };
  }
  return { data: rooms };
}

function roomCommand(): Command {
  return ofTenant(new Command("room"))
    .description("show who is in a room, and who waits for it")
    .argument("<room>", "its name, as the rules spell it")
    .action(async (name: string, options: ViewOptions) => {
      const target = targetOf(options);
      const { tenant } = target;
      const answer = told(target, await askApi(target, "getConference", { params: { tenant, name } }, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const room = answer.data;
      if (options.json) console.log(JSON.stringify(room));
      else {
        console.log(plain(`${room.plain_name}, since ${when(room.since_iso)} ${marksOf(room)}`).trimEnd());
        show([["call", "from", "role", "since", ""], ...room.participants.map(participantRow)]);
        if (room.waiting.length > 0)
          show([
            ["waits", "from", "for", "since", ""],
            ...room.waiting.map((one) => [
              one.call_id,
              one.from,
              one.for,
              when(one.since_iso),
              `no. ${one.position}`,
            ]),
          ]);
      }
    });
}

function callsCommand(): Command {
  return ofTenant(new Command("calls"))
    .description("list the last calls, newest first")
    .option("--room <room>", "only those of a room, as the rules spell it")
    .action(async (options: ViewOptions & { room?: string }) => {
      const target = targetOf(options);
      const request = { params: { tenant: target.tenant }, query: { room: options.room } };
      const answer = told(target, await askApi(target, "listCalls", request, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const { calls } = answer.data;
      if (options.json) for (const call of calls) console.log(JSON.stringify(call));
      else if (calls.length === 0) console.log("No call is kept.");
      else
        show([
          ["call", "at", "from", "to", "outcome", "rule", "room"],
          ...calls.map((call) => [
            call.call_id,
            when(call.at_iso),
            call.from,
            call.to,
            call.outcome,
            call.rule ?? "",
            call.room ?? "",
          ]),
        ]);
    });
}

function whyCommand(): Command {
  return ofTenant(new Command("why"))
    .description("tell why a caller is where they are")
    .argument("<call_id>", "SignalWire's id of the call")
    .action(async (call_id: string, options: ViewOptions) => {
      const target = targetOf(options);
      const { tenant } = target;
      const answer = told(target, await askApi(target, "getCall", { params: { tenant, call_id } }, HOW));
      if ("exit_code" in answer) return fail(answer.exit_code, answer.error, options.json);
      const call = answer.data;
      if (options.json) return console.log(JSON.stringify(call));
      const { from, to, via, outcome, rule, room } = call;
      console.log(plain(`${from} called ${to}${via === null ? "" : ` (${via})`}: ${outcome}`));
      console.log(plain(`rule ${rule ?? "none"}, room ${room ?? "none"}`));
      for (const happened of call.happened) console.log(plain(`${happened.at_iso}  ${wordsOf(happened)}`));
    });
}

function wordsOf(happened: Told<"getCall">["happened"][number]): string {
  switch (happened.what) {
    case "webhook":
      return `webhook (${happened.purpose}): ${happened.outcome}${happened.reason === undefined ? "" : `, ${happened.reason}`}`;
    case "decision":
      return `decided: ${happened.action} by rule ${happened.rule ?? "none"}, ${happened.rooms.join(", ") || "no room"}`;
    case "command":
      return `${happened.command} by ${happened.by}: ${happened.said}`;
    case "placement":
      return `${happened.room}: ${happened.state}, ${happened.reason}`;
    case "repair":
      return `put right: ${happened.said}`;
    case "event":
      return `${happened.event_type} ${happened.status ?? ""}, told by ${happened.feed}`;
  }
}

function participantRow(one: Room["participants"][number]): string[] {
  const marks = [
    ...(one.muted ? ["muted"] : []),
    ...(one.held ? ["on hold"] : []),
    ...(one.coaching === null ? [] : [`coaches ${one.coaching}`]),
    ...(one.presumed_gone ? ["presumed gone"] : one.doubted ? ["doubted"] : []),
    ...(one.confirmed ? [] : ["not seen yet"]),
    ...(one.over_capacity ? ["over capacity"] : []),
  ];
  return [one.call_id, one.from, one.role, when(one.since_iso), marks.join(", ")];
}

function marksOf(room: Pick<Summary, "locked" | "muted_all" | "strangers">): string {
  return [
    ...(room.locked === null ? [] : [room.locked.mode === "lobby" ? "locked (lobby)" : "locked"]),
    ...(room.muted_all === null ? [] : ["all muted"]),
    ...(room.strangers === 0 ? [] : [`${room.strangers} not Partyline's`]),
  ].join(", ");
}

function when(iso: string | null): string {
  return iso === null ? "" : timeText(iso);
}

/** Columns as wide as what is in them. */
function show(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, plain(row[column] ?? "").length), 0),
  );
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => plain(cell).padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

function ofTenant(command: Command): Command {
  return command
    .requiredOption("--url <url>", "the Worker: https://partyline.example.com", workerUrl)
    .requiredOption("--tenant <id>", "whose rooms and calls", tenantId)
    .option("--json", "JSON for machines: one object a line")
    .addHelpText("after", EXIT_CODES);
}

function targetOf({ url, tenant }: ViewOptions): Target {
  const { ADMIN_TOKEN: token = "" } = process.env;
  return { url, tenant, token };
}

function told<O extends Operation>(
  { url }: Target,
  answer: WorkerAnswer<O> | Failure,
): { data: Told<O> } | NotTold {
  if (!answer.ok) return { exit_code: 2, error: answer.error };
  // By the schema of status 200.
  if (answer.status === 200 && answer.told !== null) return { data: answer.told.data as Told<O> };
  const refusal = refusalSchema.safeParse(answer.json);
  if (refusal.success && answer.status === 404) return { exit_code: 1, error: refusal.data.error };
  return { exit_code: 2, error: unexpected(url, answer).error };
}
