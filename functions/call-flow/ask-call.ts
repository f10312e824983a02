import type { Step } from "../../shared/documents/step.ts";
import { type Answer, type Answers, answerOf } from "../../shared/rules/answers.ts";
import type { Question } from "../../shared/rules/decision.ts";
import type { AskedState } from "../../shared/seal.ts";
import { type CallContext, LAST_STEP, RENDER_MS, resumeUrlFor } from "./call-context.ts";
import { keyedAnswer, PinsUnreadable } from "./keyed-answer.ts";

/**
 * Stands in a question's state for its own answer, where the answer before may have a `#` left over. Without `tries`, which every
 * answer has; nothing else reads what stands there.
 */
const MAY_BE_LEFT_OVER: Answer = {};

/** Asks the first of the open questions; the others are asked when the call comes back. */
export async function askCall(
  context: CallContext,
  { ask: [prompt, ...others], decided_at }: Question,
  { entry, step, answers = {} }: { entry: string; step: number; answers?: Answers },
): Promise<Step> {
  // Asked any oftener, the call would be left without a document, and without a word.
  if (context.call.via === "swml" && step >= LAST_STEP) return { does: "apologise" };
  const { name, min_digits, max_digits, secret } = prompt;
  // What is asked again after this one was answered in vain.
  const open = new Set(others.map((other) => other.name));
  const back = await resumeUrlFor(context, {
    v: 1,
    purpose: "answer",
    entry,
    step: step + 1,
    decided_at,
    answers: {
      ...Object.fromEntries(Object.entries(answers).filter(([other]) => !open.has(other))),
      ...(context.filled ? { [name]: MAY_BE_LEFT_OVER } : {}),
    },
    question: { name, min_digits, max_digits, secret, try: prompt.try },
  });
  return back ? { does: "ask", prompt, back } : { does: "apologise" };
}

/**
 * The answers so far, with the one that just came: it counts only where its prompt took digits, and as many as were asked.
 * Null: it is a PIN, and it is not known whose.
 */
export async function answersOf(
  context: CallContext,
  { answers, question }: AskedState,
): Promise<Answers | null> {
  const { env, tenant, call, ends_at, authentic } = context;
  // Who is not authentic may have keyed nothing at all.
  const digits = authentic && call.keyed?.result === "match_digits" ? call.keyed.digits : "";
  if (digits.length >= question.max_digits) context.filled = true;
  if (digits === "" && isLeftOver(answers, question.name)) return asBefore(answers, question);
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

/** Whether nothing was keyed but, it may be, the `#` after the answer before: no way of a call tells that from silence. */
function isLeftOver(answers: Answers, name: string): boolean {
  const own = answerOf(answers, name);
  return own !== undefined && own.tries === undefined;
}

/** The answers as they were when it was asked: it is asked again, and that costs no try. */
function asBefore(answers: Answers, { name, try: tries }: AskedState["question"]): Answers {
  const others = Object.fromEntries(Object.entries(answers).filter(([other]) => other !== name));
  return tries === 1 ? others : { ...others, [name]: { tries: tries - 1 } };
}
