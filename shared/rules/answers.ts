import type { PinRecord } from "./schema/pin-record.ts";

/** What came of asking once or several times. Neither `value` nor `hmac`: nothing was keyed. */
export interface Answer {
  /** The digits keyed, of a question that is no secret. */
  value?: string;
  /** HMAC of the digits keyed, 64 hex digits, of a question that is one. */
  hmac?: string;
  /** What KV holds of the PIN that has this `hmac`; absent: no such PIN, or rules that compare no PINs of KV. */
  pin?: Pick<PinRecord, "room" | "role">;
  /** How often it was asked so far; 1 unless told. */
  tries?: number;
}

/** By the question's name. One that is not here was not asked yet. */
export type Answers = Readonly<Record<string, Answer>>;

/** The answer, asked of the object alone. */
export function answerOf(answers: Answers | undefined, name: string): Answer | undefined {
  return answers !== undefined && Object.hasOwn(answers, name) ? answers[name] : undefined;
}
