import type { RoomListing } from "../../rest-conferences.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Observations } from "../store/observations.ts";
import { kindOf } from "../store/suspicions.ts";

/** A call this long in its room is in every list that shows its kind. */
const SETTLED_MS = 60_000;

/** Learns from a list what REST lists: which kinds of calls, under whose ids, and how it calls conferences that wait. */
export function observeListing(
  observations: Observations,
  { conferences, complete }: RoomListing,
  around: readonly LivePlacement[],
  now: number,
): void {
  const listed = new Set(conferences.flatMap(({ call_ids }) => [...call_ids]));
  const inRoom = around.filter(({ state, joined_ts }) => state === "joined" && joined_ts !== null);
  for (const { status, call_ids, sid } of conferences) {
    if (status === "init" && call_ids.size > 0) observations.saw("rest_status_while_waiting", "init");
    for (const { conference_id } of inRoom.filter(({ call_id }) => call_ids.has(call_id))) {
      if (conference_id !== null) observations.saw("conference_sid_is_conference_id", conference_id === sid);
    }
  }
  for (const row of inRoom) {
    const question = LISTED_KINDS[kindOf(row).ingress === "cxml" ? "cxml" : (row.joined_by ?? "relay")];
    if (listed.has(row.call_id)) {
      observations.saw(question, true);
      observations.saw("call_sid_is_call_id", true);
    } else if (complete && listed.size > 0 && (row.verified_at ?? row.created_at) < now - SETTLED_MS) {
      observations.saw(
        around.some(({ call_id }) => listed.has(call_id)) ? question : "call_sid_is_call_id",
        false,
      );
    }
  }
}

const LISTED_KINDS = {
  relay: "rest_lists_relay_joins",
  document: "rest_lists_swml_joins",
  cxml: "rest_lists_cxml_joins",
} as const;
