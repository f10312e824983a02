import type { Call } from "../../shared/call.ts";
import { toHex } from "../../shared/encoding.ts";
import { addressCounted } from "../../shared/identity.ts";
import type { Answers } from "../../shared/rules/answers.ts";
import type { Decision, Question, Reject } from "../../shared/rules/decision.ts";
import type { PinAttempt, PinQuestion, PinsClosed } from "../session/contract/pins.ts";
import type { Tenant } from "../tenants/tenant.ts";
import type { Prepared } from "./ask-session.ts";

/** Every PIN is refused, even a correct one: what the caller hears, and why, for the log. */
export interface NoPin {
  action: Reject;
  reason: string;
}

/**
 * Why the decision may not be acted upon. Null: it may, since it involves no PIN, or the session has counted the try and allows
 * it. If the session is out of reach, no PIN is asked for and none is accepted.
 */
export function refusedPin({ pins }: Pick<Prepared, "pins">): NoPin | null {
  return !pins || pins.allowed ? null : { action: noPinWords[pins.closed], reason: pins.why };
}

/** The point of a call's flow at which a decision was made. */
export interface PinPoint {
  entry: string;
  step: number;
  answers: Answers;
}

/** What a caller hears whose PIN is not checked; it does not say whether the PIN is right. unchecked: the session is out of reach. */
export const noPinWords: Record<PinsClosed | "unchecked", Reject> = {
  caller: reject("We are sorry. There were too many wrong entries. Please call again later."),
  number: reject("We are sorry. PINs cannot be taken right now. Please call again later."),
  unchecked: reject("We are sorry. PINs cannot be taken right now. Please call again later."),
};

/** What the session is asked before the decision is acted upon; null if it involves no PIN. */
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
  // After any question: a PIN that was keyed earlier may be compared only now.
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
