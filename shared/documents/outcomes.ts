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

/** RELAY took the join: hold the line until the join can be seen, then come back and be confirmed. */
export function acceptedDocument(back: WayBack, hold_ms: number): SwmlDocument {
  return document({ answer: {} }, { sleep: hold_ms }, comeBack(back));
}

/** The join was seen: the document has nothing more to do, and must not run out, for that would end the call. */
export function confirmedDocument(): SwmlDocument {
  return document({ sleep: -1 });
}

/** The caller's own document joins, with the same parameters as RELAY would; where that fails, it says so. */
export function inlineJoinDocument(name: string, join: JoinParameters): SwmlDocument {
  const notIn = apologySteps();
  return document(
    { answer: {} },
    {
      join_conference: {
        name,
        ...join,
        result: {
          variable: "join_conference_result",
          // Of the five results these two mean that the caller never got in and is still there.
          case: { failed: notIn, "no-answer": notIn },
          default: [{ hangup: {} }],
        },
      },
    },
  );
}

/** Nobody knows whether the join arrived: a ring, short enough for patience, then back to settle it. */
export function unknownDocument(back: WayBack): SwmlDocument {
  return document({ answer: {} }, { play: { url: "ring:2:us" } }, comeBack(back));
}
