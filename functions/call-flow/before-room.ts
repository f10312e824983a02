import type { Placing } from "../../shared/placing.ts";
import { withNumber } from "../../shared/rules/compile/interpolation.ts";
import type { Place, Spoken } from "../../shared/rules/decision.ts";
import { NUMBER } from "../../shared/rules/template.ts";
import { log } from "../log.ts";
import type { RoomRequest } from "../session/contract/placement.ts";
import { namingSaid } from "../tenants/room-naming.ts";
import { type CallContext, roomsBefore, wireNames } from "./call-context.ts";

/** What is asked to say the caller's number, and whether the room is recorded; null where nothing is said of either. */
export function seatAsked(context: CallContext, placing: Placing, { announce }: Place): RoomRequest | null {
  const isAsked = announce?.some(saysNumber) === true || placing.recording_notice !== undefined;
  return isAsked ? wantedOf(context, placing) : null;
}

/** The announcements with the caller's number in them. Where it is not known, those that say it are left out. */
export function withCallerNumber(
  { tenant, call }: CallContext,
  announce: NonNullable<Place["announce"]>,
  number: number | null,
): Spoken[] {
  if (!announce.some(saysNumber)) return announce;
  if (number !== null) return announce.map((words) => withNumber(words, NUMBER, number));
  log("info", "announcement.left_out", {
    tenant: tenant.tenant,
    call: call.call_id,
    why: "the caller's number in the room is not known",
  });
  return announce.filter((words) => !saysNumber(words));
}

/** What the session is asked about, to know in which room the caller would be. */
function wantedOf(context: CallContext, placing: Placing): RoomRequest {
  const { tenant, call } = context;
  const { rooms, strategy, capacity, sticky_key, join } = placing;
  return {
    tenant: tenant.tenant,
    rooms: wireNames(tenant, rooms),
    ...namingSaid(tenant),
    ...roomsBefore(context, placing),
    strategy,
    join,
    ...(capacity === undefined ? {} : { capacity }),
    ...(sticky_key === undefined ? {} : { sticky_key, from_before: call.from }),
  };
}

function saysNumber(words: Spoken): boolean {
  return "say" in words && words.say.includes(NUMBER);
}

/** The default notice where the caller's room is known to be recorded, and the placing that has no notice left to be heard then. */
export function noticeBefore(placing: Placing, isRecorded: boolean): { notice?: Spoken; placing: Placing } {
  const { recording_notice, ...told } = placing;
  if (recording_notice === undefined || !isRecorded) return { placing };
  return { notice: recording_notice, placing: told };
}
