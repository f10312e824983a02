import { isLive } from "../../../shared/placement.ts";
import type { PlaceRequest } from "../contract/placement.ts";
import type { Placement } from "../store/placement-row.ts";

/** SignalWire waits no longer for a webhook's answer: what comes later after the first is no repeat of it. */
const REPEAT_MS = 5_000;

/**
 * Whether a call that arrives just as it did for `row` is there anew, as after a `hand_over` that leads back to us, and does not repeat
 * the webhook of then.
 * @param request as it came, under the entry that its webhook tells.
 */
export function isNewEntry(
  row: Pick<Placement, "tenant" | "created_at" | "state" | "joined_by" | "joined_ts" | "entry">,
  { tenant, entry, answered }: Pick<PlaceRequest, "tenant" | "entry" | "answered">,
  arrived_at: number,
): boolean {
  if (row.tenant !== tenant || arrived_at <= row.created_at) return false;
  const isLater = arrived_at - row.created_at > REPEAT_MS;
  // A document that joined asks for another when it is done with the room, whether or not somebody told us of the leave.
  if (isLive(row.state)) return isLater && row.joined_by === "document" && row.joined_ts !== null;
  // A call's first webhook comes before it is answered, and so do its repeats.
  return isLater || (row.state === "left" && row.entry === entry && answered);
}
