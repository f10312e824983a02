import type { Ingress } from "../../../shared/call.ts";
import type { Forwarding, ForwardTo } from "../../../shared/callbacks.ts";
import type { JoinParameters } from "../../../shared/conference.ts";
import type { Placing } from "../../../shared/placing.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Refusal, Spoken, WaitsFor } from "../../../shared/rules/decision.ts";
import type { WebhookNote } from "./history.ts";

/**
 * What the Worker and a project's session say to one another. The two may be of different versions during a deploy: a
 * session that does not know `v` answers `document`, and so does the Worker for an answer it does not know.
 */
export const CONTRACT_VERSION = 1;

/** Whether a tenant's rooms carry its prefix on the wire. */
export type Naming = "plain" | "prefixed";

/** Which of a call's placements: an entry is one fresh arrival of the call, a step one of our documents in it. */
export interface PlacementKey {
  call_id: string;
  /** Hash of the `vars` and `params` that the call came with; "" for none. */
  entry: string;
  step: number;
}

/**
 * A call that is to be placed: the placing decision itself, in the names of the wire, with what is to be known of the call. What the
 * decision gains is neither copied here nor anywhere else: `placingIn()` takes it out again, whole.
 */
export interface PlaceRequest extends PlacementKey, Omit<Placing, "action"> {
  v: 1;
  project_id: string;
  /** Of the project's record as the Worker knows it: another one makes the session read the record again. */
  project_version: string;
  tenant: string;
  node_id?: string;
  /** How the call came, and its newest segment; absent from a Worker of the version before. */
  ingress?: Ingress;
  segment_id?: string;
  /** Whether the call is answered already. */
  answered: boolean;
  /** When the call arrived afresh for this, ms; absent where it comes back from a wait or a hold of ours, and from a Worker of the version before. */
  arrived_at?: number;
  /** No document of ours starts after the join: the call is walked by commands. */
  by_commands?: true;
  /** Whom the roster shows, in canonical form; a coach may be looked for by it. */
  from: string;
  /** As it came, where that is another text: rows of the version before have it so. */
  from_before?: string;
  /** How the project's record says that the tenant's rooms are named; absent where it does not, and from a Worker of the version before. */
  naming?: Naming;
  /** The document of `after`, for a session of the version before; a Worker of that version gives no `after`. */
  after_url?: string;
  /** Where REST is to lead a call of cXML's that waits, when its turn has come. */
  fetch_url?: string;
  /** It comes from there. */
  fetched?: true;
  /** Its waiting document asks how it stands. */
  polled?: true;
  /** How long the seat is kept for a caller who drops, in seconds; what is decided then, by plain names, and the number that was called. */
  rejoin?: { s: number; to: string; placing: Placing };
  /** By room: what its recording callback's URL carries beside the room's name; absent from a Worker of the version before. */
  room_proofs?: Record<string, string>;
  /** Whom the rule itself wants told of the conference. */
  forwarding: Forwarding | null;
  join_via: "relay" | "document";
  /** Milliseconds since the epoch; nothing is sent after it, and the answer comes by then. */
  deadline_at: number;
  /** How long the session gives itself at most, by its own clock. */
  join_deadline_ms: number;
  /** For the journal: the webhook that this is for. */
  note?: WebhookNote;
}

/** Why a call is not let into any room. waited: as long as may be. declined: an operator did not admit it. */
export type TurnedAway = "full" | "absent" | "several" | "waited" | "declined";

/** How a placement went, with what its document needs. */
export interface PlaceReply {
  v: 1;
  /**
   * accepted: RELAY took the join. document: the document joins. unknown: sent and unanswered. over: the call has left
   * its room, nothing is left to do. waiting: it stands in a line, and asks again or is fetched. full, absent, several: it is
   * not let in, for want of a seat, or of the one to coach.
   */
  outcome: "accepted" | "document" | "unknown" | "over" | "waiting" | TurnedAway;
  /** The wire name of the room chosen. */
  room: string;
  join: JoinParameters;
  /** Whether a seat was counted for the call. */
  counted: boolean;
  /** The entry under which the call is placed, where another one was asked for that is over. */
  entry?: string;
  /** RELAY's join of the call may stand, though the document joins. */
  may_stand?: true;
  /** Where it waits: for what, and its place in the line, from 1. */
  waiting?: {
    for: WaitsFor;
    position: number;
    /** How often the call's documents have asked so far; absent from a session of the version before. */
    asked?: number;
    /** How long one piece of its music is, ms, once that is known. */
    music_ms?: number;
  };
  /** How it waits, where that is not what the rule says: the room is locked, and an operator lets callers in. A `Wait`, as JSON: it is deep. */
  wait?: string;
  /** What a caller is told who is not let into a locked room. */
  say?: Spoken;
  /** Why, in words for the log: never a secret. */
  reason: string;
}

/** Asked when a call comes back from a hold or a ring: where is it now? */
export interface LookRequest extends PlacementKey {
  v: 1;
  /** The step of the document that asks; its answer is kept, so that a repeat gets the same. */
  asking_step: number;
  /** As in `PlaceRequest`. */
  by_commands?: true;
  /** The call's newest segment, as the webhook that asks has it. */
  segment_id?: string;
  /** For the journal: the webhook that asks. */
  note?: WebhookNote;
  /** The Worker can hold the call once more: `hold` may be the answer. */
  may_hold?: true;
  /** The Worker has a waiting document for the call: `not_in` may come with `waits`. */
  may_wait?: true;
  /** What the call's own document says of the join that it made; the Worker then knows `not_in`, too. */
  document_said?: DocumentSaid;
  /** What REST said, where the Worker has asked it. */
  rest?: { said: "found" | "absent" | "busy" | "failed"; conference_sid?: string };
}

/** The `join_conference_result` of SWML. */
export const documentResults = ["completed", "answered", "no-answer", "failed", "canceled"] as const;
export type DocumentSaid = (typeof documentResults)[number];

/**
 * `unsettled`: not known yet; the Worker asks REST and then looks again with what it heard. `hold`: it may be in its room, and
 * its document's join would harm others there: it is held for 3 s and comes back.
 * `not_in`: the document could not join, and nothing says that RELAY's join stands.
 */
export type LookReply =
  /** `is_unknown`: the session has no such placement, so RELAY was never told to join the call. */
  | { v: 1; outcome: "unsettled"; reason: string; room?: string; is_unknown?: true }
  | {
      v: 1;
      outcome: "joined" | "document" | "over" | "hold" | "not_in";
      /** For a hold that is not the first: the caller has heard nothing for long enough. */
      again?: true;
      room: string;
      join: JoinParameters;
      reason: string;
      may_stand?: true;
      /** Seats are limited: the document asks, too, where its join failed. */
      limited?: true;
      /** A seat is kept for the caller who drops: the document asks, too, when its stay is over. */
      keeps_seat?: true;
      /** Of `not_in` where seats are limited: the call waits in its line again. */
      waits?: true;
      /** Of `not_in` where seats are limited: what the rule says to a caller who finds no seat. */
      word?: Refusal;
      /** Where the call goes whose own document is done with its room. */
      after_url?: string;
    };

/** A status callback that came to the Worker. */
export interface ConferenceEventRequest {
  v: 1;
  project_id: string;
  /** Whose token it came with; absent from a Worker of the version before. */
  tenant?: string;
  kind: "conference" | "recording";
  event: RelayEvent;
  /** Whether it was signed: one that is not ends no call without REST's word. */
  trusted: boolean;
  /** Whether `conference_id` is RELAY's; a form's `ConferenceSid` may be another. */
  ids_known: boolean;
  /** The Worker confirms what it told; absent from one of the version before. */
  confirms?: true;
}

export interface ConferenceEventReply {
  v: 1;
  /** Whom to tell in turn; nobody for a repeat whose first was told for certain. */
  forward: ForwardTo[];
  /** Our id of the recording whose end is told: the session is to hear when `forward` has taken it. */
  confirm?: string;
  /** It was acted upon, and there was no room to write it down: it is to come again. */
  unrecorded?: true;
}

/** What a call wants of a room. */
export type RoomRequest = Pick<
  PlaceRequest,
  | "tenant"
  | "rooms"
  | "rooms_before"
  | "naming"
  | "strategy"
  | "capacity"
  | "sticky_key"
  | "from_before"
  | "coach"
  | "join"
  | "room_proofs"
>;

/** A caller who may be one that dropped: the same numbers, in canonical form. */
export interface Returning {
  tenant: string;
  from: string;
  to: string;
  call_id: string;
  /** As they came: rows of the version before have them so. Absent from a Worker of the version before. */
  before?: { from: string; to: string };
}
