import { type ForwardTo, isWanted } from "../../shared/callbacks.ts";
import type { ConferenceEventRequest } from "./contract.ts";
import type { Placements } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/** Whom the rules want told of an event, beside us. */
export function whomToTell(
  placements: Placements,
  rooms: Rooms,
  { kind, event }: ConferenceEventRequest,
): ForwardTo[] {
  const { call_id, name, status } = event.params as Record<string, unknown>;
  const ofCall = typeof call_id === "string" ? placements.ofCall(call_id)[0] : undefined;
  const forwarding = ofCall?.forwarding ?? (typeof name === "string" ? rooms.forwardingOf(name) : null);
  const to = forwarding?.[kind];
  return to && typeof status === "string" && isWanted(to, status) ? [to] : [];
}
