import type { Decision, Question, Reject } from "../../shared/rules/decision.ts";
import { askPins } from "./ask-session.ts";
import { type CallContext, untilFor } from "./call-context.ts";
import { noPinWords, type PinPoint, pinRequestOf } from "./pin-request.ts";

/** Of the 4 s that a webhook has, the session may take so much to say whether a PIN is taken. */
const SESSION_MS = 1_500;

/** No PIN is taken, be it right or wrong: what the caller hears, and why, for the log. */
export interface NoPin {
  action: Reject;
  reason: string;
}

/**
 * Whether what was decided may be done. Null: it may, for no PIN is in it, or the session has counted the try and lets it
 * through. The session out of reach: no PIN is asked for and none is taken.
 */
export async function refusedPin(
  context: CallContext,
  decision: Decision | Question,
  point: PinPoint,
): Promise<NoPin | null> {
  const { session, tenant, call, authentic } = context;
  const request = await pinRequestOf(tenant, call, decision, point);
  if (request === null) return null;
  // A caller who can't be told from an attacker could try all there are.
  if (!authentic) return { action: noPinWords.unchecked, reason: "not authentic" };
  const answer = await askPins(session, request, untilFor(context, SESSION_MS));
  return answer.allowed ? null : { action: noPinWords[answer.closed], reason: answer.why };
}
