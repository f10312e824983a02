/**
 * The ledger's states of a placement, and the only moves between them.
 *
 * waiting: in a line, with no seat. offered: its turn has come, and a seat is kept while it is fetched out of the line, or asks by itself;
 * from there to its document, or back into the line. planned: chosen, nothing sent. sending: the join is on its way, or was when we
 * stopped. accepted: RELAY took it. joined: a participant-join said so, or REST. returning: a document of ours took it out, and another is
 * to put it back. left: out of the conference. rejected: RELAY refused the join. unknown: sent and unanswered. by_document: the caller's
 * own document joins. failed: it came to nothing.
 *
 * offered and returning have a lease: what is not seen in its room by its end is looked for, and its seat lapses.
 */
const moves = {
  // Joined: fetched after all, though nothing had told of it.
  waiting: ["planned", "offered", "joined", "failed"],
  offered: ["by_document", "joined", "left", "failed", "waiting"],
  planned: ["sending", "rejected", "by_document", "failed"],
  sending: ["accepted", "joined", "left", "rejected", "unknown", "by_document", "returning", "failed"],
  accepted: ["joined", "left", "unknown", "by_document", "returning"],
  rejected: ["by_document", "returning", "joined", "left", "failed"],
  unknown: ["joined", "left", "by_document", "returning", "failed"],
  // Returning: a leave that a document of ours caused.
  joined: ["left", "by_document", "returning"],
  // By its document: that was told to join, or came for it by itself.
  returning: ["by_document", "joined", "left", "failed", "waiting"],
  by_document: ["joined", "left", "failed", "waiting"],
  // Joined only where a document joins and its join is newer than the leave: that leave was of the join before. Waiting where the
  // join had come to nothing, and the call was told to wait.
  left: ["joined", "waiting"],
  failed: [],
} as const satisfies Record<string, readonly string[]>;

export type PlacementState = keyof typeof moves;

/** No call is longer: what is older than this says nothing of where anybody is. */
export const LONGEST_CALL_MS = 24 * 3_600_000;

/** Whether the ledger allows the move; staying where one is is no move. */
export function mayMove(from: PlacementState, to: PlacementState): boolean {
  return (moves[from] as readonly PlacementState[]).includes(to);
}

/** Whether the call is, or may yet be, in its room; in a line for it, too. */
export function isLive(state: PlacementState): boolean {
  return state !== "left" && state !== "failed";
}

/** Whether RELAY joins the call no more: its own document does, or is to. */
export function isByDocument(state: PlacementState): boolean {
  return state === "by_document" || state === "offered" || state === "returning";
}

/** How soon after one of our documents starts a leave is the document's doing and not the caller's. */
export const EARLY_LEAVE_MS = 3000;
/** A document takes a call out when it starts, or not at all: what leaves later than this may have had its own reasons. */
const BLAMED_MS = 1000;
/** How far SignalWire's clock and ours may lie apart for that. */
const CLOCK_SKEW_MS = 500;

/** The feeds tell of one join within this of one another; nobody leaves and joins again so fast. */
const SAME_JOIN_S = 0.5;

/** A document's join takes the call out of the join before in the same act: the leave may be told of as just as new, or newer. */
const SAME_ACT_S = 0.3;

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
  /** What the document was told that came back to us last; null: none did, or it was held. */
  answer: { outcome: string } | null;
  /** 1: the call's own document joined, and does not end it with its conference. */
  lives_on: number;
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
  set: Partial<Omit<Membership, "room" | "answer">>;
  /**
   * end_call: the call is over for us and may live on. rejoin: a document of ours seems to have taken it out; another puts
   * it back, unless the conference turns out to have ended.
   */
  follow: "nothing" | "end_call" | "rejoin";
  /** Whether the leave speaks against RELAY: it came with a document's start, and not some time after. */
  blames: boolean;
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
  if (was.state === "joined") return applyRejoin(was, event);
  if (!mayMove(was.state, "joined")) return null;
  if (was.left_ts !== null && (event.ts === null || event.ts <= latest(was.left_ts))) {
    if (!isOfTheAct(was, event) && !isOfTheActElsewhere(was, event)) return null;
  }
  return {
    set: {
      state: "joined",
      joined_by: was.state === "left" ? joinerOf(was, event.conference_id) : (was.joined_by ?? "relay"),
      conference_id: event.conference_id ?? was.conference_id,
      joined_ts: event.ts,
    },
    follow: "nothing",
    blames: false,
  };
}

/**
 * The leave that seemed the last was of the join before: this one came with it, told of as the same moment or a little before. One that
 * is known already is not meant, nor is one that may be the very join that was left.
 */
function isOfTheAct(was: Membership, { ts, conference_id }: MembershipEvent): boolean {
  if (was.left_ts === null || ts === null || !isSecondJoin(was) || ts <= was.left_ts - SAME_ACT_S)
    return false;
  const isKnown =
    was.joined_ts !== null &&
    (ts < was.joined_ts || (isSameMoment(ts, was.joined_ts) && !isElsewhere(was, conference_id)));
  if (isKnown) return false;
  // Back by a document that was not put there by a leave: the leave of RELAY's join came before this one's own join.
  if (was.state === "left" || was.conference_id === null) return true;
  // Taken out and not put back yet: it is a join after the known one, or of another conference than the one that was left.
  return was.joined_ts !== null || (conference_id !== null && conference_id !== was.conference_id);
}

/**
 * A document that the session was not asked for took the call out of RELAY's join, and into another conference of the name, in the same
 * act: then the call is not out.
 */
function isOfTheActElsewhere(was: Membership, { ts, conference_id }: MembershipEvent): boolean {
  if (was.state !== "left" || was.left_ts === null || ts === null) return false;
  return isElsewhere(was, conference_id) && ts > was.left_ts - SAME_ACT_S;
}

/** Callbacks tell whole seconds, so that what they tell may have happened up to a second later. */
function latest(ts: number): number {
  return Number.isInteger(ts) ? ts + 0.999 : ts;
}

/** Whether a participant was in its room before `ts`, seconds: it was seen to join, or else REST found it there. */
export function wasThereBefore(
  { joined_ts, verified_at }: { joined_ts: number | null; verified_at: number | null },
  ts: number,
): boolean {
  const since = joined_ts !== null ? latest(joined_ts) : verified_at !== null ? verified_at / 1000 : null;
  return since !== null && since < ts;
}

/** Whether a participant surely came after `ts`, seconds. */
export function cameAfter({ joined_ts }: { joined_ts: number | null }, ts: number): boolean {
  return joined_ts !== null && joined_ts > latest(ts);
}

function isSameMoment(a: number, b: number): boolean {
  const isWhole = Number.isInteger(a) || Number.isInteger(b);
  return Math.abs(a - b) < (isWhole ? 1 : SAME_JOIN_S);
}

/** Whether RELAY may have had the call in its room before the document that joins now. */
function isSecondJoin({ joined_by, hold_at, stay_at }: Membership): boolean {
  return joined_by === "document" && (hold_at !== null || stay_at !== null);
}

/** One join is of one conference: under another id it is another join, however soon it comes. */
function isElsewhere(was: Membership, conference_id: string | null): boolean {
  return conference_id !== null && was.conference_id !== null && conference_id !== was.conference_id;
}

/** Of two joins in two conferences one is the document's. Were it the newer one, the document itself would tell of its end. */
function joinerOf(was: Membership, conference_id: string | null): Membership["joined_by"] {
  return isSecondJoin(was) && isElsewhere(was, conference_id) ? "relay" : was.joined_by;
}

/** It left and joined anew, and the leave is late: when that comes it must be seen to be older. */
function applyRejoin(was: Membership, { ts, conference_id }: MembershipEvent): MembershipChange | null {
  const sinceJoin = ts === null || was.joined_ts === null ? null : ts - was.joined_ts;
  const isNew =
    sinceJoin !== null && (sinceJoin >= SAME_JOIN_S || (sinceJoin >= 0 && isElsewhere(was, conference_id)));
  if (!isNew) {
    // The join that is known, told of once more, and now with its conference, or with more than its second.
    const isOlder = ts !== null && was.left_ts !== null && ts <= was.left_ts;
    const isNews = was.conference_id === null && conference_id !== null && !isOlder;
    const isFiner = ts !== null && !Number.isInteger(ts) && Math.floor(ts) === was.joined_ts && !isOlder;
    const set = { ...(isNews ? { conference_id } : {}), ...(isFiner ? { joined_ts: ts } : {}) };
    return isNews || isFiner ? { set, follow: "nothing", blames: false } : null;
  }
  const set = {
    joined_ts: ts,
    conference_id: conference_id ?? was.conference_id,
    joined_by: joinerOf(was, conference_id),
  };
  return { set, follow: "nothing", blames: false };
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
  if (event.ts !== null && was.joined_ts !== null && latest(event.ts) < was.joined_ts) return null;
  if (event.ts !== null && was.left_ts !== null && event.ts <= latest(was.left_ts)) {
    // A conference's end and the leaves that it causes may be told of as one moment.
    if (event.happened === "left" || event.ts < was.left_ts) return null;
  }
  const left_ts = event.ts ?? now_ms / 1000;
  if (event.happened === "left" && isSecondJoin(was) && isOfJoinBefore(was, event, now_ms)) {
    // The join before is left once: the next leave is of the join that this document made, though nobody told of that.
    const isFirst = isByDocument(was.state) && was.left_ts === null;
    return isFirst ? { set: { left_ts }, follow: "nothing", blames: false } : null;
  }
  if (event.happened === "left" && isOfRelaysJoinToldLate(was, event, now_ms)) {
    // As it were, had the join not been told of: the document's own is on its way, or there.
    const set = { state: "by_document", conference_id: null, joined_ts: null, left_ts } as const;
    return { set, follow: "nothing", blames: false };
  }
  if (was.state === "returning" && was.conference_id !== null) {
    // Not yet put back: now it shows that the conference ended, and no call is to be put back.
    const isOver = event.happened === "conference_ended" && event.ended_by === "another call";
    return isOver ? { set: { state: "left", left_ts }, follow: "end_call", blames: false } : null;
  }
  if (was.joined_by === "document" && was.lives_on === 0)
    return { set: { state: "left", left_ts }, follow: "nothing", blames: false };
  if (event.ended_by !== "another call" && startsWithin(was, event, now_ms, EARLY_LEAVE_MS)) {
    return {
      set: {
        state: "returning",
        joined_by: "document",
        // Its end would tell that no call is to be put back.
        conference_id: was.conference_id ?? event.conference_id,
        left_ts,
      },
      follow: "rejoin",
      blames: startsWithin(was, event, now_ms, BLAMED_MS),
    };
  }
  // By which a join in another conference is known to be another one.
  const conference_id = was.conference_id ?? event.conference_id;
  return { set: { state: "left", left_ts, conference_id }, follow: "end_call", blames: false };
}

/**
 * Whether the leave is of RELAY's join, which the document's replaces: it comes as the document starts, with its join, or
 * was told of already.
 */
function isOfJoinBefore(was: Membership, event: MembershipEvent, now_ms: number): boolean {
  if (isByDocument(was.state) && was.left_ts === null) {
    return startsWithin(was, event, now_ms, EARLY_LEAVE_MS);
  }
  const known = isByDocument(was.state) ? was.left_ts : was.joined_ts;
  return event.ts !== null && known !== null && event.ts < known + SAME_ACT_S;
}

/**
 * Whether the join that is known is one from before the document that joins now, told of after that had started, and the leave comes with
 * the document's start.
 */
function isOfRelaysJoinToldLate(was: Membership, event: MembershipEvent, now_ms: number): boolean {
  const { state, joined_ts, stay_at, answer } = was;
  if (state !== "joined" || joined_ts === null || stay_at === null || answer?.outcome !== "document")
    return false;
  const isBefore = latest(joined_ts) * 1000 < stay_at;
  return isBefore && startsWithin({ hold_at: null, stay_at }, event, now_ms, EARLY_LEAVE_MS);
}

/** Whether a document of ours started at most so long before the leave, by its arrival or its own timestamp (it may be late). */
function startsWithin(
  was: Pick<Membership, "hold_at" | "stay_at">,
  event: MembershipEvent,
  now_ms: number,
  ms: number,
): boolean {
  const at = event.ts === null ? now_ms : event.ts * 1000;
  return [was.hold_at, was.stay_at].some(
    (start) =>
      start !== null &&
      ((now_ms >= start && now_ms - start < ms) || (at > start - CLOCK_SKEW_MS && at - start < ms)),
  );
}
