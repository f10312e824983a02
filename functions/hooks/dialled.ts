import type { Next } from "../../shared/documents/next.ts";
import type { PlacedState } from "../../shared/seal.ts";
import { lastNext, over } from "./joining.ts";
import { type Answered, type CallVisit, wireNames } from "./visit.ts";

/** A cXML call comes back from the room that its document dialled: it was there, or never got in. */
export function answerDialled(visit: CallVisit, state: PlacedState): Answered {
  const { placing, room = wireNames(visit.tenant, placing.rooms)[0] } = state;
  const { rule, ruleset } = placing;
  const status = visit.call.details["DialCallStatus"];
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
    next: nextAfter(visit, state, status),
  };
}

function nextAfter(visit: CallVisit, { placing }: PlacedState, status: unknown): Next {
  switch (status) {
    // The caller is still there, and in no room.
    case "failed":
    case "no-answer":
    case "busy":
      return { does: "apologise" };
    default:
      return placing.after ? lastNext(visit, placing.after) : over;
  }
}
