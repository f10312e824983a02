import { document, type HangupStep, type PlayStep, type SwmlDocument } from "./swml.ts";

/** What a caller hears where something of ours broke. */
export const apology = "We are sorry. Your call cannot be connected right now. Please try again later.";

/** What a caller hears where nothing is meant for them. */
export const notTaken = "We are sorry. This number cannot take your call.";

/** What a caller hears in place of a recording notice that could not be played. */
export const mayBeRecorded = "This call may be recorded.";

/** Says that the call cannot be connected, and ends it. */
export function apologySteps(): [PlayStep, HangupStep] {
  return [{ play: { url: `say:${apology}` } }, { hangup: {} }];
}

/** Something broke on our side: the caller is told, never left in silence. */
export function apologyDocument(): SwmlDocument {
  return document({ answer: {} }, ...apologySteps());
}

/** Nothing matched, and the tenant names no fallback of its own. */
export function fallbackDocument(): SwmlDocument {
  return document({ answer: {} }, { play: { url: `say:${notTaken}` } }, { hangup: {} });
}
