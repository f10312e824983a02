import type { Decision, Question } from "../../shared/rules/decision.ts";
import type { PrepareRequest } from "../session/contract/session-api.ts";
import { type Prepared, prepare } from "./ask-session.ts";
import { seatAsked } from "./before-room.ts";
import { type CallContext, untilFor } from "./call-context.ts";
import { placingOf } from "./join-steps.ts";
import { type PinPoint, pinRequestOf } from "./pin-check.ts";
import { returningAsked } from "./rejoin.ts";

/** The session is asked no longer than this: without its word a caller comes in as everybody does. */
const ASK_MS = 1_000;
/** Without its word no PIN is taken, so that it has longer for that. */
const PIN_MS = 1_500;

const nothing: Prepared = { returning: null, number: null, recorded: false };

/**
 * What the session says before it places a call on which this was decided, in one request; none is made where nothing is to be known.
 * @param is_fresh whether the call has just come: its caller may be one that dropped.
 */
export async function prepareCall(
  context: CallContext,
  decision: Decision | Question,
  point: PinPoint,
  is_fresh: boolean,
): Promise<Prepared> {
  const { session, tenant, call, authentic } = context;
  const pins = await pinRequestOf(tenant, call, decision, point);
  // A caller who can't be told from an attacker could try all the PINs there are.
  if (!authentic)
    return pins
      ? { ...nothing, pins: { allowed: false, closed: "unchecked", why: "not authentic" } }
      : nothing;
  const returning = is_fresh ? returningAsked(context) : null;
  const placing = decision.action === "place" ? placingOf(decision, point.answers) : null;
  const seat = decision.action === "place" && placing ? seatAsked(context, placing, decision) : null;
  if (!returning && !pins && !seat) return nothing;
  const request: PrepareRequest = {
    v: 1,
    ...(returning ? { returning } : {}),
    ...(pins ? { pins } : {}),
    ...(seat ? { seat } : {}),
    ...(seat && placing?.recording_notice !== undefined ? { hears_notice: call.call_id } : {}),
  };
  return await prepare(session, request, untilFor(context, pins ? PIN_MS : ASK_MS));
}
