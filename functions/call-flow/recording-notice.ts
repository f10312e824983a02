import type { Spoken } from "../../shared/rules/decision.ts";
import type { Placing } from "../../shared/seal.ts";
import { askRecorded } from "./ask-session.ts";
import { type CallContext, untilFor } from "./call-context.ts";
import { wantedOf } from "./caller-number.ts";

/** The session is asked no longer than this: who is not told before the room is told in it. */
const ASK_MS = 1_000;

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
