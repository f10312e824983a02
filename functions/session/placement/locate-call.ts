import type { JoinParameters } from "../../../shared/conference.ts";
import { LIST_LAG_MS, mayShowWhoLeft } from "../../../shared/evidence.ts";
import { rejectByDefault } from "../../../shared/rules/compile/refusal.ts";
import type { DocumentSaid, LookReply, LookRequest } from "../contract/placement.ts";
import type { Joins } from "../events/confirm-join.ts";
import { type ConferenceMembers, sidsAreIds } from "../seats/conference-members.ts";
import type { FullRooms } from "../seats/full-rooms.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { Observations } from "../store/observations.ts";
import { dueBy, type Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RelayTrust } from "../store/relay-trust.ts";
import { inlineJoinOf } from "../store/resume-url-of.ts";

/** A call is put back so often by its own document, where nothing says that it is out or in. */
const MOST_REJOINS = 2;
/**
 * So long after it was first held, a call is held once more where REST fails. Each time takes 3 s, and may take as long again until it
 * is answered; in all of it the caller may be hearing nothing.
 */
const HELD_AGAIN_MS = 4_000;
/**
 * One whose join would end the conference for all is held so long, from the first time on, while nothing says where it is, and hears a
 * ring. One for whom nothing but an apology is left is held so long, and longer while no other call's join is told of: the apology might be
 * spoken into its room.
 */
const HELD_MS = 60_000;

/** A join of RELAY's that takes the call out of its document's is told of so long before that document comes back, at most. */
const SAME_END_MS = 1_000;

/** Answers by which a document starts that does not join. */
const STARTS: ReadonlySet<LookReply["outcome"]> = new Set(["joined", "hold"]);

/** What answering needs of the session. */
export interface LocateCallHost {
  placements: Placements;
  joins: Joins;
  trust: RelayTrust;
  circuitBreaker: CircuitBreaker;
  observations: Pick<Observations, "saw" | "has">;
  fullRooms: Pick<FullRooms, "unseen">;
  members: Pick<ConferenceMembers, "foundUnder" | "named">;
  /** Whether RELAY would have told of the placement's join by now, had there been one. */
  wouldHaveSeen(row: Placement): boolean;
  /** Whether the join of any call of the tenant's was told of since then, ms. */
  joinsWereToldSince(tenant: string, at: number): boolean;
  /** The row's document could not join where seats are limited. */
  refused(row: Placement, said: DocumentSaid): void;
  /** The row's call lives on outside of its room, where its own document had joined it. */
  removed(row: Placement): void;
  /** The row's call is in its room after all: what was to follow on its leave does not. */
  stays(row: Placement): void;
  /** Has a call whose join was refused wait in the line; false where it cannot. */
  backToQueue(row: Placement): boolean;
  now: number;
}

/**
 * Where a call is that came back to us: from a ring, because the session sent it, or since its own document's join was answered. What
 * is answered for good is kept: the same step asks again, the same answer. `unsettled` is not kept: the Worker asks REST, and looks
 * again with what it heard.
 */
export function locateCall(out: LocateCallHost, request: LookRequest): LookReply {
  const { placements, now } = out;
  const row = placements.findCurrent(request);
  if (!row) return unknownPlacement(request);
  // A repeat; a hold is the answer that is not kept.
  if (row.asking_step === request.asking_step) return row.answer ?? held(row, row.reason);
  // A join that only a token proves, after RELAY's 404: that the call comes back proves that it lives.
  if (row.state === "joined" && row.doubt !== "taken out") out.trust.callLives(row, now);
  if (request.segment_id !== undefined && request.segment_id !== row.segment_id) {
    if (row.segment_id !== null) out.observations.saw("segments", "one_per_document");
    placements.update(row, { segment_id: request.segment_id });
  }
  const answer =
    request.document_said === undefined ? settle(out, row, request) : settleSaid(out, row, request);
  if (answer.outcome === "over" && request.document_said === "completed") out.removed(row);
  if (answer.outcome === "unsettled") return { ...answer, room: row.room };
  if (answer.outcome === "document" && row.state === "returning")
    placements.move(row, "by_document", { reason: "it came for its document" });
  placements.update(row, {
    asking_step: request.asking_step,
    // A hold is the answer that is not kept: an older version that finds it, after a rollback, settles the call itself.
    answer: answer.outcome === "hold" ? null : answer,
    held_back_at: answer.outcome === "hold" ? (row.held_back_at ?? now) : null,
    // The document that is answered starts now, and may take it out of RELAY's join.
    ...(STARTS.has(answer.outcome) && !request.by_commands ? { stay_at: now } : {}),
    // From here on the end of the conference it was in is none of its business.
    ...(answer.outcome === "document" ? { conference_id: null } : {}),
  });
  return answer;
}

/** A row is kept before RELAY's join goes out: without one there was none, and the document's word is all that there is. */
function unknownPlacement({ document_said: said }: LookRequest): LookReply {
  const reason = "the session knows no such placement";
  if (said === undefined) return { v: 1, outcome: "unsettled", reason, is_unknown: true };
  const outcome = said === "answered" ? "joined" : said === "completed" ? "over" : "not_in";
  return { v: 1, outcome, room: "", join: {}, reason: `${reason}; its document's join: ${said}` };
}

function settle(out: LocateCallHost, row: Placement, request: LookRequest): LookReply {
  const { rest, may_hold } = request;
  const place = placeOf(row);
  switch (row.state) {
    case "left":
    case "failed":
      return { ...place, outcome: "over", reason: row.reason };
    case "waiting":
      return { v: 1, outcome: "unsettled", reason: "the call waits in a line" };
    case "planned":
    case "rejected":
    case "by_document":
    case "offered":
    case "returning":
      out.trust.callLives(row, out.now);
      return { ...place, outcome: "document", reason: row.reason };
    case "joined":
      // That REST does not list it, or that events may have been missed since, says nothing against it.
      return { ...place, outcome: "joined", reason: "it was seen to join, and nothing says that it left" };
    case "sending":
    case "accepted":
    case "unknown":
      break;
    default:
      return row.state satisfies never;
  }
  if (!rest) return { v: 1, outcome: "unsettled", reason: `${row.state}, and not seen in its room` };
  if (rest.said === "found") return found(out, row, rest);
  // Its document takes it out of RELAY's join, were it there, and so ends the conference for all, which cannot be undone.
  if (may_hold === true && row.join.end_on_exit === true && mayBeThere(out, row, rest.said))
    return held(row, "its join would end the conference, were it there already");
  if (may_hold === true && rest.said === "busy" && !wasHeld(row))
    return held(row, "REST has too much to do, and is asked again");
  if (row.state === "accepted" && rest.said === "absent") {
    out.circuitBreaker.failed("accepted, and never joined", out.now, row.tenant);
    out.fullRooms.unseen(row);
  }
  const reason =
    rest.said === "absent" ? "REST: the call is not in its room" : "it is not known where the call is";
  // REST may have missed it: then this document's join takes it out of RELAY's.
  return byDocument(out, row, reason);
}

/** What the document's own word means, for a call of which RELAY's join may stand. */
function settleSaid(out: LocateCallHost, row: Placement, request: LookRequest): LookReply {
  const { document_said: said, rest } = request;
  const { placements } = out;
  const place = placeOf(row);
  if (row.state === "left" || row.state === "failed") {
    // RELAY's join of the same call may come after the document's is over.
    const mayCome = row.may_stand === 1 && row.state === "left";
    if (mayCome && !wasHeld(row)) return held(row, row.reason);
    if (mayCome && !rest) return { v: 1, outcome: "unsettled", reason: `${row.reason}; RELAY's may stand` };
    if (mayCome && rest?.said === "found")
      return mayBeOfThen(out, row, rest)
        ? held(row, `${row.reason}; REST: found, and it may lag`)
        : found(out, row, rest);
    if (mayCome && mayHoldAgain(out, row, request)) return held(row, `${row.reason}; REST: ${rest?.said}`);
    return { ...place, outcome: "over", reason: row.reason };
  }
  if (said === "answered") {
    // The result came with the join and not with its end: this document does not end the call with its conference.
    // Where one did before, the conference that is known may be that one's.
    placements.update(row, row.lives_on === 1 ? { conference_id: null } : { lives_on: 1 });
    // The call itself says so: whatever it left before is older.
    const changes = {
      joined_by: "document",
      joined_ts: out.now / 1000,
      reason: "its document joined",
    } as const;
    out.joins.confirm(row, changes, out.now);
    out.observations.saw("join_result_at_join", "answered_at_once");
    return { ...place, outcome: "joined", reason: "its document joined" };
  }
  const isDone = said === "completed";
  if (isDone) out.joins.left(row);
  if (row.may_stand === 0) {
    const reason = `its document's join: ${said}`;
    return isDone ? { ...place, outcome: "over", reason } : notIn(out, row, request, reason);
  }
  // Seen to join, and the document's join was none: RELAY's is. Where the document's is over, a leave may be on its way.
  if (row.state === "joined" && !isDone) {
    out.observations.saw("join_where_you_are", "fails");
    return byRelay(out, row);
  }
  if (isDone) out.observations.saw("join_result_at_join", "at_end");
  const reason = `its document's join: ${said}; RELAY's may stand`;
  if (!wasHeld(row)) return held(row, reason);
  if (!rest) return { v: 1, outcome: "unsettled", reason: `its document's join: ${said}; RELAY's may stand` };
  if (rest.said === "found") {
    if (isDone ? mayShowWhoLeft((row.held_back_at ?? out.now) / 1000, out.now) : mayBeOfThen(out, row, rest))
      return held(row, `${reason}; REST: found, and it may lag`);
    return row.state === "joined" ? byRelay(out, row) : found(out, row, rest);
  }
  // A join in another conference was told of since: the document's is over, and RELAY's is that one.
  const isRelays = row.state === "joined" && row.joined_by === "relay";
  if (isRelays && (rest.said !== "absent" || cameAsItEnded(row))) return byRelay(out, row);
  if (isDone ? mayHoldAgain(out, row, request) : !isNotIn(out, row, rest.said))
    return held(row, `${reason}; REST: ${rest.said}`);
  if (!isDone) return notIn(out, row, request, `its document's join: ${said}`);
  if (row.rejoins >= MOST_REJOINS)
    return { ...place, outcome: "over", reason: "its document's join is over" };
  placements.update(row, { rejoins: row.rejoins + 1 });
  return byDocument(out, row, "its document's join is over, and nothing says that its conference is");
}

/** The document's join failed. If seats are limited, the room is taken to be full by SignalWire's own count. */
function notIn(
  out: LocateCallHost,
  row: Placement,
  { may_wait, document_said: said }: LookRequest,
  reason: string,
): LookReply {
  const reply = { ...placeOf(row), outcome: "not_in", reason } as const;
  const { capacity, when_full } = row.placing;
  if (capacity === undefined) return reply;
  const word = when_full ?? rejectByDefault();
  if (said !== undefined) out.refused(row, said);
  if (may_wait === true && (row.state === "waiting" || out.backToQueue(row)))
    return { ...reply, waits: true, word };
  out.placements.move(row, "failed", { turned_away: "full", reason });
  return { ...reply, word };
}

function held(row: Placement, reason: string): LookReply {
  return { ...placeOf(row), outcome: "hold", reason, ...(wasHeld(row) ? { again: true as const } : {}) };
}

/** Whether nothing says yet that the call is not in its room, where a document or last words of its own would do harm. */
function mayBeThere(
  out: LocateCallHost,
  row: Placement,
  said: NonNullable<LookRequest["rest"]>["said"],
): boolean {
  const { held_back_at } = row;
  if (held_back_at === null) return true;
  return !isShownAbsent(out, row, said) && out.now - held_back_at < HELD_MS;
}

/** A list that was never seen to show what RELAY joined says nothing by not showing it. */
function isShownAbsent(
  { now, observations, wouldHaveSeen }: LocateCallHost,
  row: Placement,
  said: NonNullable<LookRequest["rest"]>["said"],
): boolean {
  const isListed = now - dueBy(row) > LIST_LAG_MS && observations.has("rest_lists_relay_joins", true);
  return said === "absent" && (isListed || wouldHaveSeen(row));
}

/** For a minute nothing spoke of the call, though joins of the tenant's others were told of meanwhile: its own was none. */
function isNotIn(
  out: LocateCallHost,
  row: Placement,
  said: NonNullable<LookRequest["rest"]>["said"],
): boolean {
  const { held_back_at, tenant } = row;
  if (held_back_at === null) return false;
  const isUnheard = out.now - held_back_at >= HELD_MS && out.joinsWereToldSince(tenant, dueBy(row));
  return isUnheard || isShownAbsent(out, row, said);
}

/** Whether the newest answer was a hold. */
function wasHeld({ held_back_at }: Placement): boolean {
  return held_back_at !== null;
}

/** REST failed, and may not fail when it is asked once more: so long nobody concludes that the call is in no room. */
function mayHoldAgain({ now }: LocateCallHost, { held_back_at }: Placement, { rest }: LookRequest): boolean {
  if (rest?.said !== "failed" && rest?.said !== "busy") return false;
  return held_back_at !== null && now - held_back_at < HELD_AGAIN_MS;
}

function found(
  out: LocateCallHost,
  row: Placement,
  { conference_sid: sid }: { conference_sid?: string },
): LookReply {
  const reason = "REST found the call in its room";
  const id = sid === undefined ? {} : out.members.named(sid);
  out.joins.confirm(row, { joined_by: "relay", reason, ...id }, out.now);
  if (sid !== undefined) out.members.foundUnder(row, sid);
  out.stays(row);
  return { ...placeOf(row), outcome: "joined", reason };
}

/** Whether the join that was told of last came as the document's was over, or after that: no list says anything against it yet. */
function cameAsItEnded({ joined_ts, held_back_at }: Placement): boolean {
  return joined_ts !== null && held_back_at !== null && joined_ts * 1000 > held_back_at - SAME_END_MS;
}

/** Whether a list that shows the call may show it in the conference that it has left since. */
function mayBeOfThen(
  { now, observations }: LocateCallHost,
  { state, left_ts, conference_id }: Placement,
  { conference_sid: sid }: { conference_sid?: string },
): boolean {
  const isAnother =
    sid !== undefined && conference_id !== null && sid !== conference_id && sidsAreIds(observations);
  return state !== "joined" && !isAnother && mayShowWhoLeft(left_ts, now);
}

/** RELAY's join stands: when it is over, nothing of the call's own ends it. */
function byRelay({ placements }: LocateCallHost, row: Placement): LookReply {
  placements.update(row, { joined_by: "relay" });
  return { ...placeOf(row), outcome: "joined", reason: "RELAY's join stands" };
}

function byDocument({ placements, now }: LocateCallHost, row: Placement, reason: string): LookReply {
  const changes = { joined_by: "document", reason, stay_at: now, conference_id: null } as const;
  placements.move(row, "by_document", changes);
  return { ...placeOf(row), outcome: "document", reason };
}

/** Where the call belongs. */
function placeOf(row: Placement): {
  v: 1;
  room: string;
  join: JoinParameters;
  may_stand?: true;
  limited?: true;
  after_url?: string;
} {
  const { room, may_stand } = row;
  const { capacity, after } = row.placing;
  return {
    v: 1,
    room,
    join: inlineJoinOf(row),
    ...(capacity === undefined ? {} : { limited: true as const }),
    ...(may_stand === 1 ? { may_stand: true as const } : {}),
    ...(after?.swml === undefined ? {} : { after_url: after.swml }),
  };
}
