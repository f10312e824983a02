/**
 * The ledger's states of a placement, and the only moves between them.
 *
 * planned: chosen, nothing sent. sending: the join is on its way, or was when we stopped. accepted: RELAY took it.
 * joined: a participant-join said so, or REST. left: out of the conference. rejected: RELAY refused the join.
 * unknown: sent and unanswered. by_document: the caller's own document joins. failed: it came to nothing.
 */
const moves = {
  planned: ["sending", "by_document", "failed"],
  sending: ["accepted", "joined", "left", "rejected", "unknown", "by_document", "failed"],
  accepted: ["joined", "left", "unknown", "by_document"],
  rejected: ["by_document", "joined", "left", "failed"],
  unknown: ["joined", "left", "by_document", "failed"],
  // Back to the document: a leave that a document of ours caused.
  joined: ["left", "by_document"],
  by_document: ["joined", "left", "failed"],
  // Only where a document joins and its join is newer than the leave: that leave was of the join before.
  left: ["joined"],
  failed: [],
} as const satisfies Record<string, readonly string[]>;

export type PlacementState = keyof typeof moves;

/** Whether the ledger allows the move; staying where one is is no move. */
export function mayMove(from: PlacementState, to: PlacementState): boolean {
  return (moves[from] as readonly PlacementState[]).includes(to);
}

/** Whether the call is, or may yet be, in its room. */
export function isLive(state: PlacementState): boolean {
  return state !== "left" && state !== "failed";
}

/** How soon after one of our documents starts a leave is the document's doing and not the caller's. */
export const EARLY_LEAVE_MS = 3000;
/** How far SignalWire's clock and ours may lie apart for that. */
const CLOCK_SKEW_MS = 500;

/** What of a placement its conference's events bear on. */
export interface Membership {
  state: PlacementState;
  joined_by: "relay" | "document" | null;
  /** Wire name. */
  room: string;
  conference_id: string | null;
  /** Timestamps that SignalWire's events carried, seconds. */
  joined_ts: number | null;
  left_ts: number | null;
  /** When our documents for this placement started, ms: the hold after the join, and the one that stays. */
  hold_at: number | null;
  stay_at: number | null;
}

/** What a `calling.conference` event, from RELAY or from a status callback, says of one call. */
export interface MembershipEvent {
  happened: "joined" | "left" | "conference_ended";
  /** Whose leaving ended the conference, where the event says it. */
  ended_by: "this call" | "another call" | null;
  name: string;
  /** Null where it can't be told from the event. */
  conference_id: string | null;
  /** Seconds; null where the event carries none. */
  ts: number | null;
}

export interface MembershipChange {
  set: Partial<Omit<Membership, "room">>;
  /** end_call: the call is over for us and may live on. rejoin: a document of ours took it out; another puts it back. */
  follow: "nothing" | "end_call" | "rejoin";
}

/**
 * What an event changes. Null: nothing – a repeat, a late one, one of another room. Events come twice, late and in any
 * order; their own timestamps say which of a join and a leave is the newer.
 */
export function applyEvent(was: Membership, event: MembershipEvent, now_ms: number): MembershipChange | null {
  if (event.name !== was.room) return null;
  return event.happened === "joined" ? applyJoin(was, event) : applyLeave(was, event, now_ms);
}

function applyJoin(was: Membership, event: MembershipEvent): MembershipChange | null {
  if (!mayMove(was.state, "joined")) return null;
  if (was.left_ts !== null && (event.ts === null || event.ts <= was.left_ts)) return null;
  if (was.state === "left" && was.joined_by !== "document") return null;
  return {
    set: {
      state: "joined",
      joined_by: was.joined_by ?? "relay",
      conference_id: event.conference_id ?? was.conference_id,
      joined_ts: event.ts,
    },
    follow: "nothing",
  };
}

function applyLeave(was: Membership, event: MembershipEvent, now_ms: number): MembershipChange | null {
  if (!mayMove(was.state, "left")) return null;
  if (
    was.conference_id !== null &&
    event.conference_id !== null &&
    was.conference_id !== event.conference_id
  ) {
    return null;
  }
  if (event.happened === "conference_ended" && was.conference_id === null) return null;
  if (event.ts !== null && was.joined_ts !== null && event.ts < was.joined_ts) return null;
  if (event.ts !== null && was.left_ts !== null && event.ts <= was.left_ts) return null;
  const left_ts = event.ts ?? now_ms / 1000;
  if (was.joined_by === "document") return { set: { state: "left", left_ts }, follow: "nothing" };
  if (event.ended_by !== "another call" && isEarly(was, event, now_ms)) {
    return {
      set: { state: "by_document", joined_by: "document", conference_id: null, joined_ts: null, left_ts },
      follow: was.stay_at === null ? "nothing" : "rejoin",
    };
  }
  return { set: { state: "left", left_ts }, follow: "end_call" };
}

/** A leave within 3 s of a document's start, by arrival or by the event's own timestamp (it may have come late). */
function isEarly(was: Membership, event: MembershipEvent, now_ms: number): boolean {
  const at = event.ts === null ? now_ms : event.ts * 1000;
  return [was.hold_at, was.stay_at].some(
    (start) =>
      start !== null &&
      ((now_ms >= start && now_ms - start < EARLY_LEAVE_MS) ||
        (at > start - CLOCK_SKEW_MS && at - start < EARLY_LEAVE_MS)),
  );
}
