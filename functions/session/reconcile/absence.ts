import { LIST_LAG_MS } from "../../../shared/evidence.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Observations } from "../store/observations.ts";
import { dueBy, type Placement } from "../store/placement-row.ts";
import { kindOf } from "../store/suspicions.ts";

/**
 * Whether RELAY would have told by now, had its join put the call into its room: its events had no gap since, were seen to tell of joins
 * like this one, and had time to come.
 */
export function wouldHaveSeen(
  row: Placement,
  relayManager: Pick<RelayManager, "readySince">,
  observations: Pick<Observations, "has">,
  now: number,
): boolean {
  if (now - dueBy(row) <= LIST_LAG_MS) return false;
  if (relayManager.readySince === null || relayManager.readySince > row.created_at) return false;
  return observations.has("relay_tells_joins", `${kindOf(row).ingress} by relay`);
}

/**
 * A document of ours seems to have taken the call out, and another is about to put it back: it is in no room for a moment, and a list
 * that lags may show it there. When its lease is over, and a list shows it no more for that, it is looked for as any other.
 */
export function isBeingPutBack(
  row: Pick<Placement, "state" | "lease_until" | "deadline_at">,
  now: number,
): boolean {
  return row.state === "returning" && now - dueBy(row) <= LIST_LAG_MS;
}
