import { type JournalEntry, withoutSecrets } from "../carrier/journal.ts";
import type { CallRecord } from "./call-record.ts";
import type { LogLine } from "./environment.ts";
import { excuseOf } from "./judge.ts";
import type { Played } from "./player.ts";
import { callOf, entriesOf, frameOf } from "./records.ts";

/** The journal before a call and after it, for what its connection went through. */
const AROUND_MS = 3_000;
/** Characters of one line. */
const WIDTH = 700;

/**
 * What happened to a call: everything that the carrier wrote down about it, its connection's fate and the faults of that
 * time, and last what the Worker logged, which is only its opinion.
 */
export function storyOf(
  { plan, projects, began_at, ended_at }: Played,
  { record, crimes }: { record: CallRecord; crimes: readonly string[] },
  log: readonly LogLine[],
): string {
  const { planned, heard, hung_up_at, stays } = record;
  const project = projects[planned.project];
  const entries = project ? entriesOf(project) : [];
  const mine = aboutCall(entries, [planned.call_id, record.call.sid]);
  const excuse = excuseOf(record);
  const from = (mine[0]?.at ?? began_at) - AROUND_MS;
  const to = (record.ended_at ?? ended_at) + AROUND_MS;
  const told = entries.filter(
    (entry) =>
      mine.includes(entry) ||
      (entry.at >= from && entry.at <= to && (entry.kind === "session" || isOfConnection(entry))) ||
      (entry.kind === "conference" && entry["call_id"] === undefined && isOf(entry, stays)) ||
      (saysOfEnd(entry) &&
        stays.some((stay) => stay.to !== null && Math.abs(entry.at - stay.to) < AROUND_MS)),
  );
  const { call_id, kind, room, at_ms } = planned;
  // Who had the seats that it waited for.
  const seated = [...(crimes.includes("forgotten") && project ? project.calls.values() : [])].flatMap(
    (call) =>
      call.joins
        .filter(({ conference }) => conference === room)
        .map(({ at, left_at, by }) => {
          const left = left_at === null ? "now" : time(left_at - began_at);
          return `  in the room ${call.call_id} by ${by} from ${time(at - began_at)} to ${left}, state ${call.state}`;
        }),
  );
  const deeds = plan.deeds
    .filter(({ project, deed }) => project === planned.project && deed.do !== "end_room")
    .filter(({ at_ms: at }) => began_at + at >= from - AROUND_MS * 3 && began_at + at <= to)
    .map((deed) => `${time(deed.at_ms)} DEED ${deed.trouble}: ${brief(deed.deed)}`);
  return [
    `${crimes.join(", ")}: call ${call_id}, seed ${plan.seed}, ${kind} for ${room ?? "no room"}, placed at ${time(at_ms)}` +
      `${hung_up_at === null ? "" : `, hung up at ${time(hung_up_at - began_at)}`}, state ${record.call.state}`,
    ...(excuse === null ? [] : [`excused: ${excuse}`]),
    ...deeds,
    ...told.map((entry) => `${time(entry.at - began_at)} ${entry.kind} ${brief(factsOf(entry))}`),
    ...heard.heard.map(
      ({ sound, detail, from_ms, to_ms }) =>
        `  heard ${sound} ${detail} from ${Math.round(from_ms)} to ${to_ms === null ? "now" : Math.round(to_ms)}`,
    ),
    ...seated,
    ...log
      .filter(({ line }) => line.includes(call_id))
      .map(({ at, line }) => `${time(at - began_at)} log ${brief(JSON.parse(line))}`),
  ].join("\n");
}

/** What happened to a recording that the rule's own server was never told of, and to its conference. */
export function recordingStoryOf(
  { plan, projects, began_at, ended_at }: Played,
  { conference_id, sid }: { conference_id: string; sid: string },
  log: readonly LogLine[],
): string {
  const names = (text: string) => text.includes(sid) || text.includes(conference_id);
  const index = projects.findIndex(({ past_conferences }) =>
    past_conferences.some((one) => one.conference_id === conference_id),
  );
  const project = projects[index];
  const entries = project ? entriesOf(project) : [];
  const mine = new Set(entries.filter((entry) => names(JSON.stringify(entry))));
  const from = (mine.values().next().value?.at ?? began_at) - AROUND_MS;
  const told = entries.filter(
    (entry) => mine.has(entry) || (entry.at >= from && (entry.kind === "session" || isOfConnection(entry))),
  );
  const deeds = plan.deeds
    .filter(({ project, at_ms }) => project === index && began_at + at_ms >= from - AROUND_MS * 3)
    .map((deed) => `${time(deed.at_ms)} DEED ${deed.trouble}: ${brief(deed.deed)}`);
  return [
    `recording_untold: call none, recording ${sid} of ${conference_id}, seed ${plan.seed}, until ${time(ended_at - began_at)}`,
    ...deeds,
    ...told.map((entry) => `${time(entry.at - began_at)} ${entry.kind} ${brief(factsOf(entry))}`),
    ...log
      .filter(({ line }) => names(line))
      .map(({ at, line }) => `${time(at - began_at)} log ${brief(JSON.parse(line))}`),
  ].join("\n");
}

/** Entries about the call, answers to its commands among them, which name nothing but an id. */
function aboutCall(entries: readonly JournalEntry[], ids: readonly string[]): JournalEntry[] {
  const asked = new Set<string>();
  return entries.filter((entry) => {
    const { id, method } = frameOf(entry);
    if (ids.includes(callOf(entry) ?? "")) {
      if (entry.kind === "frame_in" && id !== undefined) asked.add(id);
      return true;
    }
    const facts = entry["facts"];
    if (typeof facts === "object" && facts !== null && ids.includes(Reflect.get(facts, "call_id")))
      return true;
    return entry.kind === "frame_out" && method === undefined && id !== undefined && asked.has(id);
  });
}

function isOfConnection(entry: JournalEntry): boolean {
  return (
    entry.kind === "violation" ||
    (entry.kind === "fault" && (entry["at_point"] === "connect" || entry["at_point"] === "authenticate"))
  );
}

function isOf(entry: JournalEntry, stays: CallRecord["stays"]): boolean {
  return stays.some(({ conference_id }) => conference_id === entry["conference_id"]);
}

/** A callback of some conference's end, sent or lost: it names no call. */
function saysOfEnd(entry: JournalEntry): boolean {
  const facts = entry.kind === "fault" && entry["at_point"] === "callback" ? entry["facts"] : entry;
  return (
    (entry.kind === "fault" || entry.kind === "status_callback") &&
    typeof facts === "object" &&
    facts !== null &&
    Reflect.get(facts, "status") === "conference-end"
  );
}

function factsOf({ seq: _, at: __, kind: ___, ...facts }: JournalEntry): Record<string, unknown> {
  return facts;
}

function brief(facts: unknown): string {
  const text = JSON.stringify(facts, withoutSecrets);
  return text.length > WIDTH ? `${text.slice(0, WIDTH)} …` : text;
}

function time(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}
