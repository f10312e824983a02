import { type ForwardTo, isWanted } from "../../../shared/callbacks.ts";
import type { ConferenceEventRequest } from "../contract/placement.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Placements } from "../store/placements.ts";

/** Whom the rules of the tenant, to whom the event was told, want told of it beside us. */
export function whomToTell(
  placements: Placements,
  occupancy: Occupancy,
  { kind, event, tenant }: ConferenceEventRequest,
): ForwardTo[] {
  const { call_id, name, status } = event.params as Record<string, unknown>;
  const ofCall = typeof call_id === "string" ? placements.currentOf(call_id, tenant)[0] : undefined;
  const to =
    ofCall?.forwarding?.[kind] ??
    (typeof name === "string" ? occupancy.forwardingOf(name, kind, tenant) : null);
  return to && typeof status === "string" && isWanted(to, status, kind) ? [to] : [];
}
