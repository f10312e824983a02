import { withNumber } from "../../shared/rules/compile/interpolation.ts";
import type { Place, Spoken } from "../../shared/rules/decision.ts";
import { NUMBER } from "../../shared/rules/template.ts";
import type { Placing } from "../../shared/seal.ts";
import { log } from "../log.ts";
import type { RoomRequest } from "../session/contract/placement.ts";
import { namingSaid } from "../tenants/room-naming.ts";
import { askNumber, askRecorded } from "./ask-session.ts";
import { type CallContext, roomsBefore, untilFor, wireNames } from "./call-context.ts";

/** The session is asked no longer than this: an announcement can do without, and a caller who is not told before the room is told in it. */
const ASK_MS = 1_000;

/** The announcements with the caller's number in them. Where it is not known, those that say it are left out. */
export async function withCallerNumber(
  context: CallContext,
  placing: Placing,
  announce: NonNullable<Place["announce"]>,
): Promise<Spoken[]> {
  if (!announce.some(saysNumber)) return announce;
  const { session, tenant, call, authentic } = context;
  const number = authentic
    ? await askNumber(session, wantedOf(context, placing), untilFor(context, ASK_MS))
    : null;
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
export async function noticeBefore(
  context: CallContext,
  placing: Placing,
): Promise<{ notice?: Spoken; placing: Placing }> {
  const { recording_notice, ...told } = placing;
  const { session, authentic } = context;
  if (recording_notice === undefined || !authentic) return { placing };
  const request = wantedOf(context, placing);
  const isRecorded = await askRecorded(session, request, untilFor(context, ASK_MS));
  return isRecorded ? { notice: recording_notice, placing: told } : { placing };
}
