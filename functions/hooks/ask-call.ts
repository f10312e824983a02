import type { Next } from "../../shared/documents/next.ts";
import type { Answers } from "../../shared/rules/answers.ts";
import type { Question } from "../../shared/rules/decision.ts";
import type { AskedState } from "../../shared/seal.ts";
import { keyedAnswer, PinsUnreadable } from "../keyed-answer.ts";
import { type CallVisit, LAST_STEP, RENDER_MS, wayBack } from "./visit.ts";

/** Asks the first of the open questions; the others are asked when the call comes back. */
export async function askCall(
  visit: CallVisit,
  { ask: [prompt, ...others], decided_at }: Question,
  { entry, step, answers = {} }: { entry: string; step: number; answers?: Answers },
): Promise<Next> {
  // Asked any oftener, the call would be left without a document, and without a word.
  if (visit.call.via === "swml" && step >= LAST_STEP) return { does: "apologise" };
  const { name, min_digits, max_digits, secret } = prompt;
  // What is asked again after this one was answered in vain.
  const open = new Set(others.map((other) => other.name));
  const back = await wayBack(visit, {
    v: 1,
    purpose: "answer",
    entry,
    step: step + 1,
    decided_at,
    answers: Object.fromEntries(Object.entries(answers).filter(([other]) => !open.has(other))),
    question: { name, min_digits, max_digits, secret, try: prompt.try },
  });
  return back ? { does: "ask", prompt, back } : { does: "apologise" };
}

/**
 * The answers so far, with the one that just came: it counts only where its prompt took digits, and as many as were asked.
 * Null: it is a PIN, and nobody can say whose.
 */
export async function answersOf(
  { env, tenant, call, ends_at, authentic }: CallVisit,
  { answers, question }: AskedState,
): Promise<Answers | null> {
  // Who is not authentic may have keyed nothing at all.
  const digits = authentic && call.keyed?.result === "match_digits" ? call.keyed.digits : "";
  try {
    return {
      ...answers,
      [question.name]: await keyedAnswer(env, tenant, question, digits, ends_at - RENDER_MS),
    };
  } catch (error) {
    if (error instanceof PinsUnreadable) return null;
    throw error;
  }
}
