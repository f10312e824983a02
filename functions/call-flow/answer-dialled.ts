import type { Step } from "../../shared/documents/step.ts";
import type { Placing } from "../../shared/placing.ts";
import type { PlacedState } from "../../shared/seal.ts";
import type { DocumentSaid } from "../session/contract/placement.ts";
import { look } from "./ask-session.ts";
import { type CallContext, RENDER_MS, type Resolution, wireNames } from "./call-context.ts";
import { lastStep, over } from "./join-steps.ts";
import { placeCall } from "./place-call.ts";

/** The `DialCallStatus` of a caller who is still there and in no room. Which of them stands for a full conference is not published. */
const notInWords: Readonly<Partial<Record<string, DocumentSaid>>> = {
  failed: "failed",
  busy: "failed",
  "no-answer": "no-answer",
};

/** A cXML call comes back from the room that its document dialled: it was there, or never got in. */
export async function answerDialled(context: CallContext, state: PlacedState): Promise<Resolution> {
  const { call } = context;
  const { placing, room = wireNames(context.tenant, placing.rooms)[0] } = state;
  const { rule, ruleset } = placing;
  const status = call.details["DialCallStatus"];
  const isIn = status === "completed" || status === "answered";
  const document_said = typeof status === "string" ? notInWords[status] : undefined;
  const resolution: Resolution = {
    rule,
    ruleset,
    room,
    step: state.step,
    outcome: isIn ? "left" : "not_in",
    ...(isIn
      ? {}
      : { reason: `DialCallStatus: ${typeof status === "string" ? status.slice(0, 40) : "missing"}` }),
    left: {
      call_id: call.call_id,
      entry: state.entry,
      step: state.place_step,
      lives_on: isIn && call.call_state !== "ended",
    },
    next: nextAfter(context, state, document_said !== undefined),
  };
  return document_said !== undefined && placing.capacity !== undefined && context.authentic
    ? await withoutSeat(context, state, document_said, resolution)
    : resolution;
}

/** Where seats are limited the room was full, by SignalWire's own count: the call waits in its line, or hears what the rule says. */
async function withoutSeat(
  context: CallContext,
  { entry, place_step, placing, step }: PlacedState,
  document_said: DocumentSaid,
  resolution: Resolution,
): Promise<Resolution> {
  const { session, call, ends_at, note } = context;
  const mayWait = placing.wait !== undefined;
  const reply = await look(
    session,
    {
      v: 1,
      call_id: call.call_id,
      entry,
      step: place_step,
      asking_step: step,
      document_said,
      ...(mayWait ? { may_wait: true as const } : {}),
      note,
    },
    // Half of what is left: the session may be asked for a place in the line, too.
    Date.now() + (ends_at - RENDER_MS - Date.now()) / 2,
  );
  const isLost = reply.outcome === "unsettled" || reply.outcome === "over";
  if (mayWait && (isLost || (reply.outcome === "not_in" && reply.waits)))
    return await placeCall(context, entry, placing, place_step);
  return reply.outcome === "not_in" && reply.word
    ? { ...resolution, next: lastStep(context, reply.word) }
    : resolution;
}

function isSpent(
  { received_at }: CallContext,
  { decided_at, max_duration_s = Number.POSITIVE_INFINITY }: Placing,
): boolean {
  return received_at - decided_at >= max_duration_s * 1000;
}

function nextAfter(context: CallContext, { placing }: PlacedState, isNotIn: boolean): Step {
  if (isNotIn) return { does: "apologise" };
  // The time that a call may last is over, and not its conference.
  // Who came back by another way than it was decided for may have no document to go to.
  return placing.after?.cxml && !isSpent(context, placing) ? lastStep(context, placing.after) : over;
}
