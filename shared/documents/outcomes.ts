import type { JoinParameters } from "../conference.ts";
import type { Spoken } from "../rules/decision.ts";
import { apologySteps } from "./fixed-words.ts";
import type { AsksUs, ResumeUrl, Staying } from "./step.ts";
import { document, playStep, type Step, type SwmlDocument, type TransferStep } from "./swml.ts";

/** Nothing more is known of the call than where it goes. */
const alone: Staying = { params: {} };

/** The step that brings the call back to us, with its params and our state. */
export function comeBack(back: ResumeUrl): TransferStep {
  return { transfer: toUs(back) };
}

/** Our URL, with the call's params and our state. */
export function toUs({ dest, params, sealed }: ResumeUrl): TransferStep["transfer"] {
  return { dest, params: { ...params, partyline: sealed } };
}

/** How long a call is held, and whether its caller hears a ring meanwhile. */
interface Holding {
  ms: number;
  ringing?: true;
}

/** Holds the line for what becomes of the join to be seen, then comes back. */
export function heldDocument(back: ResumeUrl, holding: Holding, staying: Staying = alone): SwmlDocument {
  return document(answer(staying), hold(holding), comeBack(back));
}

/** The same for a call that is answered already, and needs no sealed state. */
export function askAgainDocument(holding: Holding, asks: AsksUs): SwmlDocument {
  return document(hold(holding), askUs(asks));
}

/** A ring is heard in a room, too, by the caller alone: where it may be long, it is better than silence. */
function hold({ ms, ringing }: Holding): Step {
  return ringing ? { play: { url: `ring:${Math.ceil(ms / 1000)}:us` } } : { sleep: ms };
}

function askUs({ dest, params, sealed }: AsksUs): TransferStep {
  return { transfer: sealed === undefined ? { dest, params } : toUs({ dest, params, sealed }) };
}

/** Answers the call, and leaves the rest to commands. */
export function answeredDocument(): SwmlDocument {
  return document({ answer: {} }, { sleep: -1 });
}

/**
 * RELAY has the call, or the join was seen: the document must not run out, for that would end the call. It does not come back either:
 * a fetch that fails may end a call that is in its room.
 * @param staying for a call that may not be answered yet.
 */
export function stayDocument(staying?: Staying): SwmlDocument {
  return staying ? document(answer(staying), { sleep: -1 }) : document({ sleep: -1 });
}

/** The caller's own document joins, with the same parameters as RELAY would; where that fails, it says so. */
export function inlineJoinDocument(
  name: string,
  join: JoinParameters,
  staying: Staying = alone,
  asks?: AsksUs,
  before: readonly Spoken[] = [],
): SwmlDocument {
  const notIn = apologySteps();
  const { after, params } = staying;
  const over: Step = after?.swml === undefined ? { hangup: {} } : { transfer: { dest: after.swml, params } };
  // "answered" may come as soon as the call has joined: the document stays out of its way.
  const answered = [asks ? askUs(asks) : { sleep: -1 }];
  const failed = asks?.failed ? answered : notIn;
  const result = asks?.always
    ? { case: { failed: answered, "no-answer": answered, answered }, default: answered }
    : // Of the five results these two mean that the caller never got in and is still there.
      { case: { failed, "no-answer": failed, answered }, default: asks?.over ? answered : [over] };
  return document(answer(staying), ...before.map(playStep), {
    join_conference: { name, ...join, result: { variable: "join_conference_result", ...result } },
  });
}

/** How long a call that could not be moved rings, in seconds: meanwhile it is put back where it was. */
const PUT_BACK_S = 20;

/** Takes a call that an operator moves to its other room. If that fails the call rings until it is put back; it does not end. */
export function movedDocument(
  name: string,
  join: JoinParameters,
  { after, params }: Staying,
  asks: AsksUs | undefined,
): SwmlDocument {
  const ring: Step = { play: { url: `ring:${PUT_BACK_S}:us` } };
  const failed = asks ? [ring, askUs(asks)] : [ring, ...apologySteps()];
  const over: Step = after?.swml === undefined ? { hangup: {} } : { transfer: { dest: after.swml, params } };
  // As for a call whose own document joins: it asks us, or nothing would end it with its room.
  const answered = [asks ? askUs(asks) : { sleep: -1 }];
  const result = { case: { failed, "no-answer": failed, answered }, default: [over] };
  return document(
    { answer: {} },
    { join_conference: { name, ...join, result: { variable: "join_conference_result", ...result } } },
  );
}

/** Whether the join arrived is not known: a short ring, then back to settle it. */
export function unknownDocument(back: ResumeUrl, staying: Staying = alone): SwmlDocument {
  return document(answer(staying), { play: { url: "ring:2:us" } }, comeBack(back));
}

function answer({ max_duration_s }: Staying): Step {
  return { answer: max_duration_s === undefined ? {} : { max_duration: max_duration_s } };
}
