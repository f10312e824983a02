import { randomUUID } from "node:crypto";
import type { Switches } from "./switches/index.ts";

/** What RELAY's join does not take, under the readings that say so; null where it takes everything. */
export function refusedParameter(switches: Switches, params: Record<string, unknown>): string | null {
  const { max_participants_relay, relay_region_ch, relay_callback_type_laml } = switches;
  const {
    max_participants,
    region,
    status_callback_event_type: type,
    recording_status_callback_event_type: recording_type,
  } = params;
  if (typeof max_participants === "number" && max_participants > max_participants_relay) {
    return `max_participants: at most ${max_participants_relay}`;
  }
  if (region === "ch" && relay_region_ch === "refused") return "region: ch is not known";
  if ([type, recording_type].includes("laml") && relay_callback_type_laml === "refused") {
    return "an event type of laml is not known";
  }
  return null;
}

/**
 * The `conference_id` of a join's result; undefined where it has none. `known` is that of the conference that is there.
 * `made` has to be the id of the one that the join makes.
 */
export function resultConferenceId(
  { result_conference_id }: Switches,
  known: string | undefined,
): { told: string | undefined; made?: string } {
  switch (result_conference_id) {
    case "known_rooms":
      return { told: known };
    case "always": {
      const made = known ?? randomUUID();
      return { told: made, made };
    }
    case "never":
      return { told: undefined };
    case "another_id":
      return { told: randomUUID() };
  }
}
