import type { JoinParameters } from "../../shared/conference.ts";
import { confirmJoin } from "./confirming.ts";
import type { LookReply, LookRequest } from "./contract.ts";
import type { Counters } from "./counters.ts";
import type { Health } from "./health.ts";
import type { Placement, Placements } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/** What answering needs of the session. */
export interface Lookout {
  placements: Placements;
  rooms: Rooms;
  health: Health;
  counters: Counters;
  /** Since when RELAY's feed of events has had no gap, ms; null while it is down. */
  feed_since: number | null;
  now: number;
}

/**
 * Where a call is that came back from a hold or a ring. What is answered for good is kept: the same step asks again, the
 * same answer. `unsettled` is not kept: the Worker asks REST, and looks again with what it heard.
 */
export function look(out: Lookout, request: LookRequest): LookReply {
  const { placements, now } = out;
  const row = placements.find(request);
  if (!row) return { v: 1, outcome: "unsettled", reason: "the session knows no such placement" };
  if (row.asking_step === request.asking_step) {
    if (row.answer) return row.answer;
    if (request.may_hold === true) return heldAnswer(row);
  }
  if (request.segment_id !== undefined && request.segment_id !== row.segment_id)
    placements.update(row, { segment_id: request.segment_id });
  const answer = settle(out, row, request);
  if (answer.outcome === "unsettled") return answer;
  placements.update(row, {
    asking_step: request.asking_step,
    // A hold is the answer that is not kept: an older version that finds it, after a rollback, settles the call itself.
    answer: answer.outcome === "hold" ? null : answer,
    ...(answer.outcome === "joined" && !request.by_commands ? { stay_at: now } : {}),
    // From here on the end of the conference it was in is none of its business.
    ...(answer.outcome === "document" ? { conference_id: null } : {}),
  });
  return answer;
}

function settle(out: Lookout, row: Placement, { rest, may_hold }: LookRequest): LookReply {
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
      nowKnown(out, row);
      return { ...place, outcome: "document", reason: row.reason };
    case "joined":
      if (isSure(out, row) || rest?.said === "failed") {
        return { ...place, outcome: "joined", reason: "participant-join was seen" };
      }
      break;
    case "sending":
    case "accepted":
    case "unknown":
      break;
    default:
      return row.state satisfies never;
  }
  if (!rest) return { v: 1, outcome: "unsettled", reason: `${row.state}, and events may have been missed` };
  // Its join would end the conference for all, were RELAY's join in it: nobody can take that back, so it is looked for once more.
  const wasHeld = row.asking_step !== null && row.answer === null;
  const isHeldMore = may_hold === true && row.join.end_on_exit === true && !wasHeld;
  if (isHeldMore && rest.said !== "found") return heldAnswer(row);
  return settleByRest(out, row, rest);
}

function heldAnswer(row: Placement): LookReply {
  const reason = "its join would end the conference, were it there already";
  return { ...placeOf(row), outcome: "hold", reason };
}

/** Where the call belongs. While RELAY's join may stand, the document's does not carry what would end the conference for all. */
function placeOf({ room, join, may_stand }: Placement): { v: 1; room: string; join: JoinParameters } {
  if (may_stand === 0) return { v: 1, room, join };
  const { end_on_exit: _, ...harmless } = join;
  return { v: 1, room, join: harmless };
}

function settleByRest(out: Lookout, row: Placement, rest: NonNullable<LookRequest["rest"]>): LookReply {
  const { placements, health, now } = out;
  const place = placeOf(row);
  if (rest.said === "found") {
    // Whether REST's sid is RELAY's conference_id is not known: events tell it.
    const reason = "REST found the call in its room";
    confirmJoin(out, row, { joined_by: "relay", reason }, now);
    return { ...place, outcome: "joined", reason };
  }
  if (row.state === "accepted" && rest.said === "absent") health.failed("accepted, and never joined", now);
  const reason =
    rest.said === "absent" ? "REST: the call is not in its room" : "nobody could say where the call is";
  // REST may have missed it: then this document's join takes it out of RELAY's.
  placements.move(row, "by_document", { joined_by: "document", reason, stay_at: now });
  return { ...place, outcome: "document", reason };
}

/** A leave can't have been missed: RELAY's feed has had no gap since the join. */
function isSure({ feed_since }: Lookout, row: Placement): boolean {
  return feed_since !== null && feed_since <= (row.hold_at ?? row.created_at);
}

/** It came back, so it lives: what spoke against RELAY, if it did, now counts. */
function nowKnown({ placements, health, now }: Lookout, row: Placement): void {
  if (row.doubt === "taken out") health.failed("joined, and taken out by a document", now);
  if (row.doubt === "404") health.failed("404, and the call lived", now);
  if (row.doubt !== null) placements.update(row, { doubt: null });
}
