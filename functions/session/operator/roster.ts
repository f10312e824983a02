import type { Ingress } from "../../../shared/call.ts";
import { splitWireName } from "../../../shared/conference.ts";
import { type Waiter, waitersFor } from "../queue/waiters.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Speech } from "../seats/speech.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { RecordingState, Recordings } from "../store/recordings.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import type { Suspicions } from "../store/suspicions.ts";

/** A call in a conference, or on its way there. */
export interface Participant {
  call_id: string;
  from: string;
  role: string;
  rule: string | null;
  muted: boolean;
  held: boolean;
  /** The call that it coaches, as far as that is known. */
  coaching: string | null;
  /** null if nothing was told of speech in the room: its rule does not ask for that. */
  speaking: boolean | null;
  /** How the call came; null if an older version wrote it down. */
  via: Ingress | null;
  /** It came when the room was locked already: admitted, back to its seat, or sent before. */
  after_lock: boolean;
  /** Whether it was seen there; if not, it holds its seat for a while and may yet come. */
  confirmed: boolean;
  /** null: not known yet. */
  joined_by: "relay" | "document" | null;
  /** null if nothing told it yet. */
  conference_id: string | null;
  /** Its seat is not counted any more, though nothing says for sure that it left. */
  presumed_gone: boolean;
  /** Something speaks against its being there, and it was not confirmed since. */
  doubted: boolean;
  /** It came when its seat had gone and the room was full: SignalWire let it in all the same. */
  over_capacity: boolean;
  /** Since when it is there, or on its way; ms. */
  since: number;
}

interface RosterHost {
  occupancy: Occupancy;
  suspicions: Suspicions;
  policies: RoomPolicies;
  recordings: Recordings;
  speech: Speech;
}

/** A conference as the ledger has it: of those who were not placed there only the number is known. */
export interface Conference {
  /** On the wire. */
  name: string;
  /** As the tenant's rules spell it. */
  plain_name: string;
  /** null if nothing said it yet; of two under one name the one with more participants. */
  conference_id: string | null;
  /** Those that live under the name, and how many of the participants are in each. */
  conferences: { conference_id: string; participants: number }[];
  /** Since when its longest participant is there, or, in an empty room, its longest waiter waits; ms. */
  since: number;
  /** How many others SignalWire has in it, as of a moment ago: they take seats, too. */
  strangers: number;
  /** Whether a moderator is there. */
  moderator_present: boolean;
  /** `until` null: as long as the conference lives. */
  locked: { mode: "refuse" | "lobby"; since: number; until: number | null } | null;
  /** The roles that are not muted as they come in; null: no caller is muted by that. */
  muted_all: { except: string[] } | null;
  /** Of its conference that is live; null: none is known. */
  recording: { id: string; state: RecordingState; since: number } | null;
  participants: Participant[];
  /** Those who wait to be let in, the longest waiter first. */
  waiting: Waiter[];
}

export interface ConferenceSummary extends Omit<Conference, "participants" | "waiting" | "recording"> {
  waiting: number;
  confirmed: number;
  expected: number;
  /** Calls whose seats are not counted any more: confirmed ones, and such as were never seen. */
  presumed_gone: number;
  /** Of the confirmed ones. */
  doubted: number;
}

/** A room with the calls in it; null if it is empty for certain, and has no waiters. */
export function conferenceOf(host: RosterHost, tenant: string, room: string): Conference | null {
  const { occupancy, suspicions, recordings, speech } = host;
  const rows = placedIn(occupancy, tenant, room);
  const waiting = waitersFor(occupancy, tenant, room);
  if (rows.length + waiting.length === 0) return null;
  const head = headOf(host, tenant, room, rows);
  const recording = recordings
    .newestIn(tenant, room)
    .find(({ state, ended_at }) => ended_at === null && (state === "in-progress" || state === "paused"));
  const locked_at = head.locked?.since ?? Number.POSITIVE_INFINITY;
  return {
    ...head,
    recording: recording ? { id: recording.id, state: recording.state, since: recording.started_at } : null,
    since: Math.min(...(rows.length > 0 ? rows.map(sinceOf) : waiting.map(({ since }) => since))),
    participants: rows
      .map((row) => ({
        ...participantOf(row, occupancy, suspicions),
        speaking: row.state === "joined" ? speech.of(row) : null,
        after_lock: sinceOf(row) > locked_at,
      }))
      .sort((a, b) => a.since - b.since),
    waiting,
  };
}

export interface ConferencesQuery {
  /** From the page before. */
  after?: string;
  limit: number;
}

export interface ConferencesPage {
  conferences: ConferenceSummary[];
  /** What brings the next page; null if there is none. */
  next: string | null;
}

/** The tenant's conferences, by name. */
export function conferencesOf(
  host: RosterHost,
  tenant: string,
  { after = "", limit }: ConferencesQuery,
): ConferencesPage {
  const { occupancy, suspicions } = host;
  const names = occupancy.ofTenant(tenant, after, limit);
  const waiters = occupancy.waitersOf(tenant);
  const conferences = names.flatMap((room): ConferenceSummary[] => {
    const rows = placedIn(occupancy, tenant, room);
    const waiting = waiters.get(room) ?? { count: 0, since: 0 };
    if (rows.length + waiting.count === 0) return [];
    const confirmed = rows.filter(({ state }) => state === "joined");
    const since = rows.length > 0 ? Math.min(...rows.map(sinceOf)) : waiting.since;
    return [
      {
        ...headOf(host, tenant, room, rows),
        since,
        waiting: waiting.count,
        confirmed: confirmed.length,
        expected: rows.filter((row) => row.state !== "joined" && occupancy.isExpected(row)).length,
        presumed_gone: rows.filter((row) => !occupancy.holdsSeat(row)).length,
        doubted: confirmed.filter((row) => suspicions.since(row) !== null).length,
      },
    ];
  });
  return { conferences, next: names.length < limit ? null : (names.at(-1) ?? null) };
}

/** Those of the tenant's who are, or may be, in the room. */
function placedIn(occupancy: Occupancy, tenant: string, room: string): LivePlacement[] {
  return occupancy.around(room).filter((row) => row.tenant === tenant && row.state !== "waiting");
}

/** What is said of a conference wherever it is told of. */
function headOf(
  { occupancy, policies }: RosterHost,
  tenant: string,
  room: string,
  rows: readonly LivePlacement[],
): Omit<Conference, "since" | "participants" | "waiting" | "recording"> {
  const { tenant: owner, name } = splitWireName(room);
  const conferences = conferencesIn(rows);
  const lock = policies.lockOf(room);
  const muted_all = policies.muteAllOf(room);
  return {
    name: room,
    plain_name: owner === tenant ? name : room,
    conference_id: conferences[0]?.conference_id ?? null,
    conferences,
    strangers: occupancy.strangersIn(room),
    moderator_present: occupancy.isStaffed(room),
    locked: lock && { mode: lock.data.mode, since: lock.at, until: lock.until },
    muted_all: muted_all && { except: muted_all.data.except },
  };
}

/** By how many participants they have. */
function conferencesIn(rows: readonly LivePlacement[]): Conference["conferences"] {
  const counts = new Map<string, number>();
  for (const { state, conference_id } of rows) {
    if (state === "joined" && conference_id !== null)
      counts.set(conference_id, (counts.get(conference_id) ?? 0) + 1);
  }
  return [...counts]
    .map(([conference_id, participants]) => ({ conference_id, participants }))
    .sort((a, b) => b.participants - a.participants);
}

function participantOf(
  row: LivePlacement,
  occupancy: Occupancy,
  suspicions: Suspicions,
): Omit<Participant, "after_lock" | "speaking"> {
  const { call_id, from, role, rule, joined_by } = row;
  const confirmed = row.state === "joined";
  return {
    call_id,
    from,
    role,
    rule,
    muted: row.muted === 1,
    held: row.held === 1,
    coaching: row.coaching,
    via: row.ingress,
    confirmed,
    joined_by,
    conference_id: row.conference_id,
    presumed_gone: !occupancy.holdsSeat(row),
    doubted: confirmed && suspicions.since(row) !== null,
    over_capacity: row.over_capacity === 1,
    since: sinceOf(row),
  };
}

function sinceOf(row: LivePlacement): number {
  return row.state === "joined" && row.joined_ts !== null ? Math.round(row.joined_ts * 1000) : row.created_at;
}
