import type { Call } from "../carrier/calls.ts";
import type { JournalEntry } from "../carrier/journal.ts";
import type { PlannedDial } from "./dials.ts";
import { MAX_DURATION } from "./judge.ts";
import type { Played } from "./player.ts";
import { entriesOf, isRestFailure } from "./records.ts";
import { APOLOGY } from "./rules.ts";

type DialsPlayed = Pick<Played, "dialled" | "projects" | "plan" | "ended_at">;

type DialledCall = Pick<Call, "call_id" | "facts" | "end_reason" | "times">;

/** For the way there and for a busy machine. */
const TOLERANCE_MS = 250;

/** Calls that we made and that ended because their time was over, before what was asked for it. */
export function cutCalls(calls: Iterable<DialledCall>, entries: readonly JournalEntry[]): DialledCall[] {
  const limits = new Map(entries.flatMap(limitOf));
  return [...calls].filter(({ facts, end_reason, times }) => {
    if (facts.origin !== "dial" || end_reason !== MAX_DURATION) return false;
    const lasted_ms = (times.end_time ?? times.start_time) - (times.answer_time ?? times.start_time);
    return lasted_ms < (limits.get(facts.tag ?? "") ?? 0) - TOLERANCE_MS;
  });
}

interface DialFrame {
  method?: string;
  params?: {
    tag?: string;
    max_duration?: number;
    devices?: { params?: { max_duration?: number } }[][];
  };
}

/** The tag of a dial, with its limit in ms: a device's is in seconds, and what a dial names beside its devices meant as minutes. */
function limitOf(entry: JournalEntry): [string, number][] {
  if (entry.kind !== "frame_in") return [];
  const { method, params } = (entry["frame"] ?? {}) as DialFrame; // As the carrier has judged it.
  if (method !== "calling.dial" || params?.tag === undefined) return [];
  const { tag, devices = [], max_duration } = params;
  const [limit_s = max_duration === undefined ? 0 : max_duration * 60] = devices
    .flat()
    .flatMap((device) => device.params?.max_duration ?? []);
  return [[tag, limit_s * 1000]];
}

/** What must not become of a call that we make. */
export const dialCrimes = ["dialled_call_cut", "dialled_in_silence", "dial_lost", "dialled_twice"] as const;
export type DialCrime = (typeof dialCrimes)[number];

/** One dial, as the carrier and the API's last word have it. */
export interface DialRecord {
  planned: Pick<PlannedDial, "project" | "id" | "at_ms">;
  /** The API took it; and how it stands in the end, null where it knows no such dial. */
  taken: boolean;
  state: string | null;
  /** Whether the project's client is connected then. */
  connected: boolean;
  legs: readonly LegRecord[];
  /** REST can tell of a leg that was answered, by the project's readings, and did not fail meanwhile. */
  rest_tells: boolean;
}

/** Ms since the epoch. */
export interface LegRecord {
  call_id: string;
  /** When the client acknowledged an event that names the leg: one that it never heard of it can neither ask about nor command. */
  named_at: number | null;
  answered_at: number | null;
  /** When the client acknowledged an event that told of the answer. */
  told_at: number | null;
  joined_at: number | null;
  hung_up_at: number | null;
  ended_at: number | null;
  seen_until: number;
  /** What the callee heard, silence left out. */
  heard: readonly { from: number; to: number; detail: string }[];
}

const SILENCE_MS = 10_000;
/** Where no event tells of an answer, REST is asked every few seconds, and may take some to say so. */
const REST_MS = 10_000;
/** As which a dial stands in the end that no phone rang for. */
const NOT_MADE = new Set(["full", "failed", "canceled"]);
/** As which an answered call stands that the client has given up, or has not made. */
const NOT_ANSWERED = new Set(["queued", "sending", "full", "busy", "no_answer", "failed", "canceled"]);

/** What became of a dial and must not have, but for those that were cut: see `cutCalls`. */
export function dialCrimesOf(record: DialRecord): DialCrime[] {
  const checks: Record<Exclude<DialCrime, "dialled_call_cut">, boolean> = {
    dialled_in_silence: record.legs.some((leg) => silentAfter(leg, knownAt(record, leg)) > SILENCE_MS),
    dial_lost: isLost(record),
    dialled_twice: record.legs.length > 1,
  };
  return dialCrimes.filter((crime) => crime !== "dialled_call_cut" && checks[crime]);
}

/** A callee who was left in silence because nothing told that they had answered. */
export function isUntold(record: DialRecord): boolean {
  return record.legs.some(
    (leg) => leg.answered_at !== null && silentAfter(leg, leg.answered_at) > SILENCE_MS,
  );
}

/** When the client knew of the answer, or could have. */
function knownAt({ rest_tells }: DialRecord, { named_at, answered_at, told_at }: LegRecord): number {
  const by_event = told_at ?? Number.POSITIVE_INFINITY;
  if (!rest_tells || named_at === null || answered_at === null) return by_event;
  return Math.min(by_event, Math.max(named_at, answered_at) + REST_MS);
}

/** The longest that a callee heard nothing after a moment, until the room, ms. */
function silentAfter({ joined_at, ended_at, seen_until, heard }: LegRecord, since: number): number {
  const until = joined_at ?? ended_at ?? seen_until;
  let quiet_from = since;
  let longest = 0;
  for (const { from, to } of heard.toSorted((a, b) => a.from - b.from)) {
    longest = Math.max(longest, Math.min(from, until) - quiet_from);
    quiet_from = Math.max(quiet_from, to);
  }
  return Math.max(longest, until - quiet_from);
}

/**
 * Taken and forgotten or never made; or a callee who answered is given up, or was sent off without a word and without having
 * hung up.
 */
function isLost({ taken, state, connected, legs }: DialRecord): boolean {
  if (!taken) return false;
  if (state === null) return true;
  // A command that nobody answered may ring yet.
  if (legs.length === 0)
    return !NOT_MADE.has(state) && state !== "sending" && (connected || state !== "queued");
  return legs.some(
    ({ named_at, answered_at, joined_at, hung_up_at, ended_at, heard }) =>
      named_at !== null &&
      answered_at !== null &&
      joined_at === null &&
      hung_up_at === null &&
      (NOT_ANSWERED.has(state) ||
        (ended_at !== null && !heard.some(({ detail }) => detail.includes(APOLOGY)))),
  );
}

/** The dials of a run, told from the carrier and from the API's last word. */
export function dialRecordsOf({ dialled, projects, plan, ended_at }: DialsPlayed): DialRecord[] {
  return dialled.map(({ planned, taken, state, connected, legs, hung_up }) => {
    const project = projects[planned.project];
    const entries = project ? entriesOf(project) : [];
    const { named, told } = toldOfLegs(entries);
    const records = legs.map((call): LegRecord => {
      const became = (state: string) =>
        entries.find(
          (one) => one.kind === "call" && one["call_id"] === call.call_id && one["state"] === state,
        )?.at ?? null;
      return {
        call_id: call.call_id,
        named_at: named.get(call.call_id) ?? null,
        answered_at: became("answered"),
        told_at: told.get(call.call_id) ?? null,
        joined_at: call.joins[0]?.at ?? null,
        hung_up_at: hung_up.get(call.call_id) ?? null,
        ended_at: became("ended"),
        seen_until: ended_at,
        heard: call.ear
          .report()
          .heard.filter(({ sound }) => sound !== "silence")
          .map(({ from_ms, to_ms, detail }) => ({
            from: call.began_at + from_ms,
            to: to_ms === null ? Number.POSITIVE_INFINITY : call.began_at + to_ms,
            detail,
          })),
      };
    });
    const readings = plan.projects[planned.project]?.readings;
    const canTell = readings?.call_status_known === "all" || readings?.voice_logs !== "absent";
    const [from, to] = [records[0]?.answered_at ?? 0, records[0]?.ended_at ?? ended_at];
    const hasFailed = entries.filter(isRestFailure).some(({ at }) => at >= from && at <= to);
    const { project: index, id, at_ms } = planned;
    return {
      planned: { project: index, id, at_ms },
      taken,
      state,
      connected,
      legs: records,
      rest_tells: canTell && !hasFailed,
    };
  });
}

/** When the client first acknowledged an event that names a call, and one that says that it was answered, by call id. */
function toldOfLegs(entries: readonly JournalEntry[]): Record<"named" | "told", Map<string, number>> {
  const [named, told] = [new Map<string, number>(), new Map<string, number>()];
  const sent = new Map<string, { call_id: string; isAnswer: boolean }>();
  for (const entry of entries) {
    if (entry.kind !== "frame_in" && entry.kind !== "frame_out") continue;
    const { id = "", method, params } = (entry["frame"] ?? {}) as EventFrame; // As the carrier has journaled it.
    const { call_state, dial_state, call } = params?.params ?? {};
    const call_id = params?.params?.call_id ?? call?.call_id;
    if (entry.kind === "frame_out") {
      const isAnswer = call_state === "answered" || dial_state === "answered";
      if (params?.event_type !== undefined && call_id !== undefined) sent.set(id, { call_id, isAnswer });
      continue;
    }
    const heard = method === undefined ? sent.get(id) : undefined;
    for (const times of heard ? [named, ...(heard.isAnswer ? [told] : [])] : [])
      if (heard && !times.has(heard.call_id)) times.set(heard.call_id, entry.at);
  }
  return { named, told };
}

interface EventFrame {
  id?: string;
  method?: string;
  params?: {
    event_type?: string;
    params?: { call_id?: string; call_state?: string; dial_state?: string; call?: { call_id?: string } };
  };
}
