import type { Step } from "../../../shared/documents/step.ts";
import type { PlacementState } from "../../../shared/placement.ts";
import { inlineJoinOf } from "../store/inline-join.ts";
import type { Placement } from "../store/placement-row.ts";
import { asksUsOf } from "../store/resume-url-of.ts";

const SENT: readonly PlacementState[] = ["sending", "unknown", "accepted", "joined"];

/** What a walk that another incarnation left goes on with: something to do, what the call carries on, or nothing. */
export type Resumed = { next: Step } | { sealed: string } | "over";

/**
 * Where the join went out before we vanished the call may be in its room, though the walk was at what comes before: nobody is
 * told or asked anything there. The placement is settled instead, by whoever carries on, or by a look at the room.
 * @param keeps_seat Whether a seat is kept for the caller, should the call drop.
 */
export function resumedStep(next: Step, row: Placement | undefined, keeps_seat: boolean): Resumed {
  if (!row || !isUnderWay(row)) return { next };
  if (next.does !== "announce" && next.does !== "ask") return { next };
  if (row.state === "joined") return "over";
  if (next.does === "announce") return { sealed: next.back.sealed };
  const join = inlineJoinOf(row);
  const asks = asksUsOf(row, keeps_seat);
  return { next: { does: "join", room: row.room, join, staying: { params: {} }, ...(asks ? { asks } : {}) } };
}

/** A document that was to join it, when we vanished once more, may have been sent or not: RELAY's join may stand in either case. */
function isUnderWay({ state, may_stand }: Placement): boolean {
  return SENT.includes(state) || (state === "by_document" && may_stand === 1);
}
