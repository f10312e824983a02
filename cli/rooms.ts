import { Command } from "commander";
import type { FeedParticipant } from "../shared/api/feed.ts";
import { askApi } from "./ask-worker.ts";
import { show, when } from "./columns.ts";
import { fail } from "./fail.ts";
import { ofTenant, type TenantOptions, targetOf } from "./of-tenant.ts";
import { plain } from "./plain.ts";
import type { Target } from "./ruleset-api.ts";
import { type NotTold, type Told, told } from "./told.ts";

const HOW = { answer_ms: 30_000 };
/** Pages of a list that are asked for at most: 200 rooms each. */
const PAGES = 50;
const EXITS =
  "0 it was told, 1 there is no such room or call, or it was refused, 2 the Worker could not be asked.";

type Room = Told<"getConference">;
type Summary = Told<"listConferences">["conferences"][number];

/** `partyline rooms`, `room`, `calls` and `why`: what operators look at. */
export function viewCommands(): Command[] {
  return [roomsCommand(), roomCommand(), callsCommand(), whyCommand()];
}

function roomsCommand(): Command {
  return viewCommand("rooms")
    .description("list the rooms in which callers are or for which they wait")
    .action(async (options: TenantOptions) => {
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
  return viewCommand("room")
    .description("show who is in a room, and who waits for it")
    .argument("<room>", "its name, as the rules spell it")
    .action(async (name: string, options: TenantOptions) => {
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
  return viewCommand("calls")
    .description("list the last calls, newest first")
    .option("--room <room>", "only those of a room, as the rules spell it")
    .action(async (options: TenantOptions & { room?: string }) => {
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
  return viewCommand("why")
    .description("tell why a caller is where they are")
    .argument("<call_id>", "SignalWire's id of the call")
    .action(async (call_id: string, options: TenantOptions) => {
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
    ...marksOfParticipant(one),
    ...(one.speaking ? ["speaks"] : []),
    ...(one.confirmed ? [] : ["not seen yet"]),
  ];
  return [one.call_id, one.from, one.role, when(one.since_iso), marks.join(", ")];
}

/** What is to be said of a participant beside who it is, in words. */
export function marksOfParticipant(
  one: Pick<FeedParticipant, "muted" | "held" | "coaching" | "presumed_gone" | "doubted" | "over_capacity">,
): string[] {
  return [
    ...(one.muted ? ["muted"] : []),
    ...(one.held ? ["on hold"] : []),
    ...(one.coaching === null ? [] : [`coaches ${one.coaching}`]),
    ...(one.presumed_gone ? ["presumed gone"] : one.doubted ? ["doubted"] : []),
    ...(one.over_capacity ? ["over capacity"] : []),
  ];
}

function marksOf(room: Pick<Summary, "locked" | "muted_all" | "strangers">): string {
  return [
    ...(room.locked === null ? [] : [room.locked.mode === "lobby" ? "locked (lobby)" : "locked"]),
    ...(room.muted_all === null ? [] : ["all muted"]),
    ...(room.strangers === 0 ? [] : [`${room.strangers} not Partyline's`]),
  ].join(", ");
}

function viewCommand(name: string): Command {
  return ofTenant(new Command(name), "whose rooms and calls", EXITS);
}
