import type { Placement } from "./placements.ts";

/** A document of ours seems to have taken the call out, and another is about to put it back: it is in no room for a moment. */
export function isBeingPutBack(row: Pick<Placement, "state" | "conference_id">): boolean {
  return row.state === "by_document" && row.conference_id !== null;
}
