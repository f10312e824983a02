import type { Next } from "../../shared/documents/next.ts";
import type { PlacedState, Placing } from "../../shared/seal.ts";
import { lastNext, over } from "./joining.ts";
import { type Answered, type CallVisit, wireNames } from "./visit.ts";

/** A cXML call comes back from the room that its document dialled: it was there, or never got in. */
export function answerDialled(visit: CallVisit, state: PlacedState): Answered {
  const { call } = visit;
  const { placing, room = wireNames(visit.tenant, placing.rooms)[0] } = state;
  const { rule, ruleset } = placing;
  const status = call.details["DialCallStatus"];
  const isIn = status === "completed" || status === "answered";
  return {
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
    next: nextAfter(visit, state, status),
  };
}

function isSpent(
  { received_at }: CallVisit,
  { decided_at, max_duration_s = Number.POSITIVE_INFINITY }: Placing,
): boolean {
  return received_at - decided_at >= max_duration_s * 1000;
}

function nextAfter(visit: CallVisit, { placing }: PlacedState, status: unknown): Next {
  switch (status) {
    // The caller is still there, and in no room.
    case "failed":
    case "no-answer":
    case "busy":
      return { does: "apologise" };
    default:
      // The time that a call may last is over, and not its conference.
      // Who came back by another way than it was decided for may have no document to go to.
      return placing.after?.cxml && !isSpent(visit, placing) ? lastNext(visit, placing.after) : over;
  }
}
