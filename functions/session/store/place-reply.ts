import { withoutEnd } from "../../../shared/conference.ts";
import type { PlacementKey, PlaceReply } from "../contract/placement.ts";
import type { Placement } from "./placement-row.ts";

/** The answer that a placement's row stands for: the same for every repeat of its webhook. */
export function replyOf(row: Placement): PlaceReply {
  return {
    v: 1,
    outcome: outcomeOf(row),
    room: row.room,
    join: row.may_stand === 1 ? withoutEnd(row.join) : row.join,
    counted: true,
    ...(row.may_stand === 1 ? { may_stand: true as const } : {}),
    reason: row.reason,
  };
}

function outcomeOf(row: Placement): PlaceReply["outcome"] {
  if (row.turned_away !== null) return row.turned_away;
  switch (row.state) {
    case "accepted":
      return "accepted";
    case "joined":
      // The document that a repeat gets must be the one that its first got: the hold, and its way back.
      return row.joined_by === "document" ? "document" : "accepted";
    case "sending":
    case "unknown":
      return "unknown";
    case "waiting":
      return "waiting";
    case "planned":
    case "rejected":
    case "by_document":
    case "offered":
    case "returning":
      return "document";
    case "left":
    case "failed":
      return "over";
    default:
      return row.state satisfies never;
  }
}

/** The handle of a placement's join, from which its row is found when the frame goes out. */
export function joinCommandId({ call_id, entry, step }: PlacementKey): string {
  return JSON.stringify([call_id, entry, step]);
}
