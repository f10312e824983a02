import type { Next } from "../../shared/documents/next.ts";
import type { Answer, Answers } from "../../shared/rules/answers.ts";
import type { Question } from "../../shared/rules/decision.ts";
import type { AskedState } from "../../shared/seal.ts";
import { answerHmac } from "../../shared/secret-answer.ts";
import { type CallVisit, wayBack } from "./visit.ts";

/** Asks the first of the open questions; the others are asked when the call comes back. */
export async function askCall(
  visit: CallVisit,
  { ask: [prompt], decided_at }: Question,
  { entry, step, answers = {} }: { entry: string; step: number; answers?: Answers },
): Promise<Next> {
  const { name, min_digits, max_digits, secret } = prompt;
  const back = await wayBack(visit, {
    v: 1,
    purpose: "answer",
    entry,
    step: step + 1,
    decided_at,
    answers: { ...answers },
    question: { name, min_digits, max_digits, secret, try: prompt.try },
  });
  return back ? { does: "ask", prompt, back } : { does: "apologise" };
}

/** The answers so far, with the one that just came: it counts only where its prompt took digits, and as many as were asked. */
export async function answersOf(
  { env, tenant, call }: CallVisit,
  { answers, question }: AskedState,
): Promise<Answers> {
  const { name, min_digits, max_digits, secret, try: tries } = question;
  const digits = call.keyed?.result === "match_digits" ? call.keyed.digits : "";
  const answer: Answer = { tries };
  if (digits !== "" && !secret) answer.value = digits;
  if (digits !== "" && secret) {
    const isPlausible = /^\d+$/.test(digits) && digits.length >= min_digits && digits.length <= max_digits;
    // What no PIN can be is keyed wrong all the same; without the key no PIN can be told right.
    answer.hmac =
      isPlausible && env.CREDENTIALS_KEY
        ? await answerHmac(env.CREDENTIALS_KEY, tenant.tenant, digits)
        : "0".repeat(64);
  }
  return { ...answers, [name]: answer };
}
