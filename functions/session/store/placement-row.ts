import type { Ingress } from "../../../shared/call.ts";
import type { Forwarding } from "../../../shared/callbacks.ts";
import type { JoinParameters } from "../../../shared/conference.ts";
import { isByDocument, type Membership, type PlacementState } from "../../../shared/placement.ts";
import type { Placing } from "../../../shared/placing.ts";
import type { LookReply, PlacementKey, PlaceRequest, TurnedAway } from "../contract/placement.ts";

/** A row of the ledger. */
export interface Placement extends PlacementKey, Membership {
  tenant: string;
  node_id: string | null;
  from: string;
  /** Set where the call was let into no room; its state is `failed`. */
  turned_away: TurnedAway | null;
  /** What the rules decided for the call, whole, in the names of the wire. */
  placing: Placing;
  /** Of the decision, for those who read many rows. */
  rule: string | null;
  role: string;
  /** By which its caller comes back to the room; null where none was decided, or the caller is not to come back. */
  sticky_key: string | null;
  /** As it goes on the wire for the room: for no room yet while the call waits. */
  join: JoinParameters;
  forwarding: Forwarding | null;
  reason: string;
  /** What speaks against RELAY, should the call be seen alive after; `told`: its tenant's token has said that it is. */
  doubt: "404" | "404, told" | "taken out" | null;
  created_at: number;
  /** By when its join was to be made, ms. */
  deadline_at: number;
  /** Until when it may be `offered` or `returning`, ms; null in other states. */
  lease_until: number | null;
  /** When REST last found the call in its room, ms. */
  verified_at: number | null;
  /** The step whose question was answered for good, and how: a repeat of it gets the same. */
  asking_step: number | null;
  answer: LookReply | null;
  /** What the placement went through; `trail.ts` reads it. */
  trail: string;
  /** As its conference's events have it, 0 or 1, and the newest of them, seconds. */
  muted: number;
  held: number;
  flags_ts: number | null;
  /** The call that it coaches; null: none, or it is not known whom. */
  coaching: string | null;
  /** How it stands in a line, or stood; null where it never had to. */
  wait: InLine | null;
  /** When a waiter was last known to be there, ms. */
  seen_at: number | null;
  /** Whether an operator let it in, 0 or 1. */
  admitted: number;
  /** 1: it joined after its seat had gone, and the room was full. */
  over_capacity: number;
  /** How the call came; null in rows that an older version wrote. */
  ingress: Ingress | null;
  /** The call's newest segment that is known, by which its voice log is found. */
  segment_id: string | null;
  /** Since when something speaks against its being in its room, ms; gaps in RELAY's events are known to `Doubts` alone. */
  doubted_at: number | null;
  /** Since when its seat is not counted, though nothing says for sure that it left, ms. */
  presumed_gone_at: number | null;
  /** When somebody unsigned said that it left, and when the first proved list since then was without it; ms. */
  unsigned_leave_at: number | null;
  missed_at: number | null;
  /** How often one of our documents put it back into its room without being asked to. */
  rejoins: number;
  /** 1: RELAY was told to join it, and nothing says that this join came to nothing or is over. */
  may_stand: number;
  /** Which side has taken a command for the call: RELAY under this `protocol`; REST, 0 or 1. */
  relay_took: string | null;
  rest_took: number;
  /** What the caller is to be told if the room is recorded, and has not been: a `Spoken`, as JSON. */
  untold: string | null;
  /** When the call was first told to come back once more, ms; null: the newest answer of all was another. */
  held_back_at: number | null;
}

/** What of a row changes after it was planned. */
export type Changes = Partial<
  Omit<Membership, "room"> &
    Pick<
      Placement,
      | "reason"
      | "verified_at"
      | "doubt"
      | "asking_step"
      | "answer"
      | "trail"
      | "muted"
      | "held"
      | "flags_ts"
      | "coaching"
      | "sticky_key"
      | "room"
      | "join"
      | "placing"
      | "deadline_at"
      | "lease_until"
      | "wait"
      | "turned_away"
      | "seen_at"
      | "admitted"
      | "over_capacity"
      | "segment_id"
      | "doubted_at"
      | "presumed_gone_at"
      | "unsigned_leave_at"
      | "missed_at"
      | "rejoins"
      | "may_stand"
      | "relay_took"
      | "rest_took"
      | "held_back_at"
      | "untold"
    >
>;

/** A call in a line, beside what was decided for it. */
export interface InLine extends Pick<PlaceRequest, "fetch_url" | "room_proofs"> {
  /** How often its documents have asked how it stands, and how long one piece of its music is, ms. */
  asked?: number;
  music_ms?: number;
}

/** How the call of this request is to stand in a line. */
export function standing({ fetch_url, room_proofs }: PlaceRequest): InLine {
  return {
    ...(fetch_url === undefined ? {} : { fetch_url }),
    ...(room_proofs === undefined ? {} : { room_proofs }),
  };
}

/** By when it is to be seen in its room, ms: past that it is looked for, and soon after its seat lapses. */
export function dueBy({ lease_until, deadline_at }: Pick<Placement, "lease_until" | "deadline_at">): number {
  return lease_until ?? deadline_at;
}

/** A state as its column has it: the version before has one name for three, and finds the lease among the deadlines. */
export function stateText(state: PlacementState): PlacementState {
  return isByDocument(state) ? "by_document" : state;
}

/** Which of the three it is. */
export function stateOf({
  state,
  lease_until,
  conference_id,
  joined_ts,
}: Pick<Placement, "state" | "lease_until" | "conference_id" | "joined_ts">): PlacementState {
  if (state !== "by_document") return state;
  // It was in that conference, and has not been told to join it again.
  if (conference_id !== null) return "returning";
  return lease_until !== null && joined_ts === null ? "offered" : state;
}

/** A placement moves a dozen times at most, but a document that joins and leaves for ever must not make its row grow. */
const TRAIL_LENGTH = 4_000;

/** One thing that a placement went through: a state that it moved to, or a command and what came of it. */
export interface Mark {
  at: number;
  what: string;
  why: string;
}

/** The trail with one more mark; kept in the placement's own row, so that it costs no row of its own. */
export function withMark(trail: string, at: number, what: string, why: string): string {
  const mark = JSON.stringify([at, what, why]);
  if (trail === "") return mark;
  return trail.length + mark.length > TRAIL_LENGTH ? trail : `${trail},${mark}`;
}

export function readTransitions(trail: string): Mark[] {
  const marks = JSON.parse(`[${trail}]`) as [number, string, string][]; // Written by withMark.
  return marks.map(([at, what, why]) => ({ at, what, why }));
}
