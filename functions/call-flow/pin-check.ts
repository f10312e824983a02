import type { Call } from "../../shared/call.ts";
import { toHex } from "../../shared/encoding.ts";
import { addressCounted } from "../../shared/identity.ts";
import type { Answers } from "../../shared/rules/answers.ts";
import type { Decision, Question, Reject } from "../../shared/rules/decision.ts";
import type { PinAttempt, PinQuestion, PinsClosed } from "../session/contract/pins.ts";
import type { Tenant } from "../tenants/tenant.ts";
import type { Prepared } from "./ask-session.ts";

/** No PIN is taken, be it right or wrong: what the caller hears, and why, for the log. */
export interface NoPin {
  action: Reject;
  reason: string;
}

/**
 * Whether what was decided may be done. Null: it may, for no PIN is in it, or the session has counted the try and lets it
 * through. The session out of reach: no PIN is asked for and none is taken.
 */
export function refusedPin({ pins }: Pick<Prepared, "pins">): NoPin | null {
  return !pins || pins.allowed ? null : { action: noPinWords[pins.closed], reason: pins.why };
}

/** Where in a call's way a decision was made. */
export interface PinPoint {
  entry: string;
  step: number;
  answers: Answers;
}

/** What a caller hears whose PIN is not looked at: nothing of whether it is right. unchecked: the session is out of reach. */
export const noPinWords: Record<PinsClosed | "unchecked", Reject> = {
  caller: reject("We are sorry. There were too many wrong entries. Please call again later."),
  number: reject("We are sorry. PINs cannot be taken right now. Please call again later."),
  unchecked: reject("We are sorry. PINs cannot be taken right now. Please call again later."),
};

/** What the session has to be asked before the decision is acted upon; null if no PIN is in it. */
export async function pinRequestOf(
  { tenant, record }: Pick<Tenant, "tenant" | "record">,
  call: Call,
  decision: Decision | Question,
  { entry, step, answers }: PinPoint,
): Promise<PinQuestion | PinAttempt | null> {
  const { from: from_before, to, call_id } = call;
  const from = addressCounted(call, record);
  const question: PinQuestion = { v: 1, tenant, from, from_before, to, call_id, limits: record.pin_limits };
  const wrong = decision.after_wrong !== undefined;
  // Whichever question the call comes back from: a PIN that was keyed before it may be compared only now.
  if (wrong || Object.values(answers).some(({ hmac }) => hmac !== undefined)) {
    const answer = await fingerprint(JSON.stringify([decision.decided_at, answers]));
    return { ...question, entry, step, answer, wrong };
  }
  return decision.action === "ask" && decision.ask[0].secret ? question : null;
}

async function fingerprint(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toHex(new Uint8Array(hash)).slice(0, 32);
}

function reject(say: string): Reject {
  return { action: "reject", say: { say } };
}
