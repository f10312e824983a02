import type { JoinParameters } from "../conference.ts";
import { apologySteps } from "./fixed-words.ts";
import type { Staying, WayBack } from "./next.ts";
import { document, type Step, type SwmlDocument, type TransferStep } from "./swml.ts";

/** Nothing more is known of the call than where it goes. */
const alone: Staying = { params: {} };

/** The step that brings the call back to us, with its params and our state. */
export function comeBack(back: WayBack): TransferStep {
  return { transfer: toUs(back) };
}

/** Our URL, with the call's params and our state. */
export function toUs({ dest, params, sealed }: WayBack): TransferStep["transfer"] {
  return { dest, params: { ...params, partyline: sealed } };
}

/** RELAY took the join: hold the line until the join can be seen, then come back and be confirmed. */
export function acceptedDocument(back: WayBack, hold_ms: number, staying: Staying = alone): SwmlDocument {
  return document(answer(staying), { sleep: hold_ms }, comeBack(back));
}

/** Answers the call, and leaves the rest to whoever commands it. */
export function answeredDocument(): SwmlDocument {
  return document({ answer: {} }, { sleep: -1 });
}

/** The join was seen: the document has nothing more to do, and must not run out, for that would end the call. */
export function confirmedDocument(): SwmlDocument {
  return document({ sleep: -1 });
}

/** The caller's own document joins, with the same parameters as RELAY would; where that fails, it says so. */
export function inlineJoinDocument(
  name: string,
  join: JoinParameters,
  staying: Staying = alone,
): SwmlDocument {
  const notIn = apologySteps();
  const { after, params } = staying;
  return document(answer(staying), {
    join_conference: {
      name,
      ...join,
      result: {
        variable: "join_conference_result",
        // Of the five results these two mean that the caller never got in and is still there.
        case: { failed: notIn, "no-answer": notIn },
        default: [after?.swml === undefined ? { hangup: {} } : { transfer: { dest: after.swml, params } }],
      },
    },
  });
}

/** Nobody knows whether the join arrived: a ring, short enough for patience, then back to settle it. */
export function unknownDocument(back: WayBack, staying: Staying = alone): SwmlDocument {
  return document(answer(staying), { play: { url: "ring:2:us" } }, comeBack(back));
}

function answer({ max_duration_s }: Staying): Step {
  return { answer: max_duration_s === undefined ? {} : { max_duration: max_duration_s } };
}
