import type { Step } from "../../shared/documents/step.ts";
import { type Answer, type Answers, answerOf } from "../../shared/rules/answers.ts";
import type { Question } from "../../shared/rules/decision.ts";
import type { AskedState } from "../../shared/seal.ts";
import { type CallContext, LAST_STEP, RENDER_MS, resumeUrlFor } from "./call-context.ts";
import { keyedAnswer, PinsUnreadable } from "./keyed-answer.ts";

/**
 * Marks in a question's state that the answer before may have left a `#` behind. It stands in place of the question's own answer,
 * and has no `tries`, unlike every answer.
 */
const MAY_BE_LEFT_OVER: Answer = {};

/** Asks the first of the open questions; the others are asked when the call comes back. */
export async function askCall(
  context: CallContext,
  { ask: [prompt, ...others], decided_at }: Question,
  { entry, step, answers = {} }: { entry: string; step: number; answers?: Answers },
): Promise<Step> {
  // Asked more often, the call would run out of documents and hear nothing.
  if (context.call.via === "swml" && step >= LAST_STEP) return { does: "apologise" };
  const { name, min_digits, max_digits, secret } = prompt;
  // Asked again if this answer is of no use.
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
 * The answers so far and the new one, which counts only if its prompt took as many digits as were asked for.
 * Null: it is a PIN, and KV cannot be read.
 */
export async function answersOf(
  context: CallContext,
  { answers, question }: AskedState,
): Promise<Answers | null> {
  const { env, tenant, call, ends_at, authentic } = context;
  // A request that is not authentic may have made the digits up.
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

/** Whether nothing was keyed, or only the `#` of the answer before: no ingress tells that from silence. */
function isLeftOver(answers: Answers, name: string): boolean {
  const own = answerOf(answers, name);
  return own !== undefined && own.tries === undefined;
}

/** The answers as they were when it was asked: it is asked again without costing a try. */
function asBefore(answers: Answers, { name, try: tries }: AskedState["question"]): Answers {
  const others = Object.fromEntries(Object.entries(answers).filter(([other]) => other !== name));
  return tries === 1 ? others : { ...others, [name]: { tries: tries - 1 } };
}
