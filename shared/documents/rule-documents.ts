import type { Spoken } from "../rules/decision.ts";
import { comeBack } from "./outcomes.ts";
import type { ResumeUrl } from "./step.ts";
import { document, playStep, type SwmlDocument } from "./swml.ts";

/** The announcements are heard before anything is placed, so RELAY has no part in them. */
export function announceDocument(announcements: readonly Spoken[], back: ResumeUrl): SwmlDocument {
  return document({ answer: {} }, ...announcements.map(playStep), comeBack(back));
}

/** With words: they are spoken, then the call ends. Without: it ends unanswered, since speech would answer it. */
export function rejectDocument(say?: Spoken, reason?: "busy" | "decline" | "hangup"): SwmlDocument {
  const hangup = { hangup: reason === undefined ? {} : { reason } };
  return say === undefined ? document(hangup) : document({ answer: {} }, playStep(say), hangup);
}

/**
 * To the tenant's own SWML, with the caller's params (from `callerParams`) and nothing of ours: what comes back from
 * there is a fresh entry.
 */
export function handOverDocument(dest: string, params: Record<string, unknown>): SwmlDocument {
  return document({ transfer: { dest, params } });
}
