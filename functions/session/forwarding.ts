import { type ForwardTo, isWanted } from "../../shared/callbacks.ts";
import type { ConferenceEventRequest } from "./contract.ts";
import type { Placements } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/** Whom the rules of the event's tenant want told of it, beside us: what brings a call's id may be another tenant's token. */
export function whomToTell(
  placements: Placements,
  rooms: Rooms,
  { tenant, kind, event }: ConferenceEventRequest,
): ForwardTo[] {
  const { call_id, name, status } = event.params as Record<string, unknown>;
  const ofCall =
    typeof call_id === "string"
      ? placements.ofCall(call_id).find((row) => tenant === undefined || row.tenant === tenant)
      : undefined;
  const forwarding = ofCall?.forwarding ?? (typeof name === "string" ? rooms.forwardingOf(name) : null);
  const to = forwarding?.[kind];
  return to && typeof status === "string" && isWanted(to, status) ? [to] : [];
}
