import { splitWireName } from "../../shared/conference.ts";
import type { Placement } from "./placements.ts";
import type { Rooms } from "./rooms.ts";
import { type Waiter, waitersFor } from "./waiters.ts";

/** Rooms of one tenant that are listed at most. */
const ROOMS = 1_000;

/** A call in a conference, or on its way there. */
export interface Participant {
  call_id: string;
  from: string;
  role: string;
  rule: string | null;
  muted: boolean;
  held: boolean;
  /** Whether it was seen there; if not, it holds its seat for a while and may yet come. */
  confirmed: boolean;
  /** null: nobody knows yet. */
  joined_by: "relay" | "document" | null;
  /** It came when its seat had gone and the room was full: SignalWire let it in all the same. */
  over_capacity: boolean;
  /** Since when it is there, or on its way; ms. */
  since: number;
}

/** A conference as the ledger has it: of those who were not placed there only the number is known. */
export interface Conference {
  /** On the wire. */
  name: string;
  /** As the tenant's rules spell it. */
  plain_name: string;
  /** null where nothing said it yet. */
  conference_id: string | null;
  /** Since when its longest participant is there, or its longest waiter waits where nobody is; ms. */
  since: number;
  /** How many others SignalWire has in it, as of a moment ago: they take seats, too. */
  strangers: number;
  participants: Participant[];
  /** Those who wait to be let in, the longest waiter first. */
  waiting: Waiter[];
}

export interface ConferenceSummary extends Omit<Conference, "participants" | "waiting"> {
  waiting: number;
  confirmed: number;
  expected: number;
}

/** A room with the calls in it; null where nobody is, or may be, in it, and nobody waits. */
export function conferenceOf(
  rooms: Rooms,
  tenant: string,
  room: string,
  now = Date.now(),
): Conference | null {
  const rows = rooms.around(room).filter((row) => row.tenant === tenant && rooms.holdsSeat(row));
  const waiting = waitersFor(rooms, tenant, room, now);
  if (rows.length + waiting.length === 0) return null;
  const { tenant: owner, name } = splitWireName(room);
  return {
    name: room,
    plain_name: owner === tenant ? name : room,
    conference_id:
      rows.find((row) => row.state === "joined" && row.conference_id !== null)?.conference_id ?? null,
    since: Math.min(...(rows.length > 0 ? rows.map(sinceOf) : waiting.map(({ since }) => since))),
    strangers: rooms.strangersIn(room),
    participants: rows.map(participantOf).sort((a, b) => a.since - b.since),
    waiting,
  };
}

/** The tenant's conferences, by name. */
export function conferencesOf(rooms: Rooms, tenant: string): ConferenceSummary[] {
  return rooms.ofTenant(tenant, ROOMS).flatMap((room) => {
    const conference = conferenceOf(rooms, tenant, room);
    if (!conference) return [];
    const { participants, waiting, ...said } = conference;
    const confirmed = participants.filter((one) => one.confirmed).length;
    return [{ ...said, waiting: waiting.length, confirmed, expected: participants.length - confirmed }];
  });
}

function participantOf(row: Placement): Participant {
  const { call_id, from, role, rule, joined_by } = row;
  const confirmed = row.state === "joined";
  return {
    call_id,
    from,
    role,
    rule,
    muted: row.muted === 1,
    held: row.held === 1,
    confirmed,
    joined_by,
    over_capacity: row.over_capacity === 1,
    since: sinceOf(row),
  };
}

function sinceOf(row: Placement): number {
  return row.state === "joined" && row.joined_ts !== null ? Math.round(row.joined_ts * 1000) : row.created_at;
}
