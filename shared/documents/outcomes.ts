import type { JoinParameters } from "../conference.ts";
import { apologySteps } from "./fixed-words.ts";
import { document, type Step, type SwmlDocument } from "./swml.ts";

/** How a call comes back to us from one of our documents. */
export interface WayBack {
  /** Our own URL, as SignalWire reaches it. */
  dest: string;
  /** The caller's own params, from `callerParams`. */
  params: Record<string, unknown>;
  /** Our sealed state. */
  sealed: string;
}

/** The step that brings the call back to us, with its params and our state. */
export function comeBack({ dest, params, sealed }: WayBack): Step {
  return { transfer: { dest, params: { ...params, partyline: sealed } } };
}

/** What holds for the call while it is in its room. */
export interface Staying {
  /** SignalWire ends the call after so many seconds. */
  max_duration_s?: number;
  /** Who takes the call when its conference is over; absent: it is hung up. */
  after?: { dest: string; params: Record<string, unknown> };
}

/** RELAY took the join: hold the line until the join can be seen, then come back and be confirmed. */
export function acceptedDocument(back: WayBack, hold_ms: number, staying: Staying = {}): SwmlDocument {
  return document(answer(staying), { sleep: hold_ms }, comeBack(back));
}

/** The join was seen: the document has nothing more to do, and must not run out, for that would end the call. */
export function confirmedDocument(): SwmlDocument {
  return document({ sleep: -1 });
}

/** The caller's own document joins, with the same parameters as RELAY would; where that fails, it says so. */
export function inlineJoinDocument(name: string, join: JoinParameters, staying: Staying = {}): SwmlDocument {
  const notIn = apologySteps();
  const { after } = staying;
  return document(answer(staying), {
    join_conference: {
      name,
      ...join,
      result: {
        variable: "join_conference_result",
        // Of the five results these two mean that the caller never got in and is still there.
        case: { failed: notIn, "no-answer": notIn },
        default: [after === undefined ? { hangup: {} } : { transfer: after }],
      },
    },
  });
}

/** Nobody knows whether the join arrived: a ring, short enough for patience, then back to settle it. */
export function unknownDocument(back: WayBack, staying: Staying = {}): SwmlDocument {
  return document(answer(staying), { play: { url: "ring:2:us" } }, comeBack(back));
}

function answer({ max_duration_s }: Staying): Step {
  return { answer: max_duration_s === undefined ? {} : { max_duration: max_duration_s } };
}
