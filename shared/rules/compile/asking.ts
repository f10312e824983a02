import type { Call } from "../../call.ts";
import { type Answer, type Answers, answerOf } from "../answers.ts";
import type { Ask, Finding, Prompt, Reject, Spoken } from "../decision.ts";
import { type AskText, digitsOf, type QuestionText } from "../schema/ask-schema.ts";
import { readSpoken, type Speech, type SpokenOf } from "./interpolation.ts";

const TRIES = 3;
const NO_INPUT = "We did not hear anything.";
const WRONG = "That is not right.";
const GOODBYE = "We are sorry. Goodbye.";

interface Question {
  name: string;
  tries: number;
  say: SpokenOf;
  no_input: SpokenOf;
  wrong: SpokenOf;
  goodbye: SpokenOf;
  prompt: Pick<Prompt, "name" | "min_digits" | "max_digits" | "terminator" | "secret">;
}

/** Why a question is put: first of all, or because nothing or nothing of use was keyed. */
type Reason = "first" | "no_input" | "wrong";

/** What a group does about its questions: goes on to its rules, asks, or has asked often enough. */
export type Asked = { next: "rules" } | { next: "ask"; action: Ask } | { next: "end"; action: Reject };

/** A group's questions, their words read once. */
export class Asking {
  readonly #questions: readonly Question[];

  constructor(ask: AskText, speech: Speech) {
    this.#questions = Object.entries(ask).map(([name, text]) => readQuestion(name, text, speech));
  }

  /** What is to be done before the group's rules are looked at. Null: the words cannot be filled in for this call. */
  before(call: Call, answers: Answers, findings: Finding[]): Asked | null {
    const open = this.#questions.flatMap((question): [Question, Reason][] => {
      const reason = reasonToAsk(question, answerOf(answers, question.name));
      return reason === null ? [] : [[question, reason]];
    });
    return this.#ask(open, call, answers, findings);
  }

  /** What is to be done where none of the group's rules took the answers: whichever is wrong, all are asked again. */
  afterNoRule(call: Call, answers: Answers, findings: Finding[]): Asked | null {
    return this.#ask(
      this.#questions.map((question) => [question, reasonAfter(answerOf(answers, question.name))]),
      call,
      answers,
      findings,
    );
  }

  #ask(open: readonly [Question, Reason][], call: Call, answers: Answers, findings: Finding[]): Asked | null {
    for (const [{ name, tries, goodbye }, reason] of open) {
      const asked = triesOf(answerOf(answers, name));
      findings.push({ field: `ask.${name}`, holds: true, why: whyOf(reason, asked, tries) });
      if (asked < tries) continue;
      const say = goodbye(call, `ask.${name}.goodbye`, findings, answers);
      return say === null ? null : { next: "end", action: { action: "reject", say } };
    }
    const prompts: Prompt[] = [];
    for (const [question, reason] of open) {
      const words = wordsOf(question, reason, call, answers, findings);
      if (words === null) return null;
      prompts.push({ ...question.prompt, words, try: triesOf(answerOf(answers, question.name)) + 1 });
    }
    const [first, ...others] = prompts;
    return first === undefined
      ? { next: "rules" }
      : { next: "ask", action: { action: "ask", ask: [first, ...others] } };
  }
}

function readQuestion(name: string, text: QuestionText, speech: Speech): Question {
  const { language, voice, terminator = "#", secret = false, tries = TRIES } = text;
  const how = {
    ...speech,
    ...(language === undefined ? {} : { language }),
    ...(voice === undefined ? {} : { voice }),
  };
  const { min, max } = digitsOf(text.digits);
  return {
    name,
    tries,
    say: readSpoken(text.say, how),
    no_input: readSpoken(text.no_input ?? NO_INPUT, how),
    wrong: readSpoken(text.wrong ?? WRONG, how),
    goodbye: readSpoken(text.goodbye ?? GOODBYE, how),
    prompt: {
      name,
      min_digits: min,
      max_digits: max,
      ...(terminator === "none" ? {} : { terminator }),
      secret,
    },
  };
}

function reasonToAsk({ prompt }: Question, answer: Answer | undefined): Reason | null {
  if (answer === undefined) return "first";
  const { value, hmac } = answer;
  if (value === undefined) return hmac === undefined && prompt.min_digits > 0 ? "no_input" : null;
  const fits = value.length >= prompt.min_digits && value.length <= prompt.max_digits;
  return fits ? null : "wrong";
}

/** Why a question is put again that no rule took the answer to. */
function reasonAfter(answer: Answer | undefined): Reason {
  return answer?.value === undefined && answer?.hmac === undefined ? "no_input" : "wrong";
}

function triesOf(answer: Answer | undefined): number {
  return answer === undefined ? 0 : (answer.tries ?? 1);
}

function wordsOf(
  question: Question,
  reason: Reason,
  call: Call,
  answers: Answers,
  findings: Finding[],
): [Spoken, ...Spoken[]] | null {
  const field = `ask.${question.name}`;
  const say = question.say(call, `${field}.say`, findings, answers);
  if (say === null) return null;
  if (reason === "first") return [say];
  const before = question[reason](call, `${field}.${reason}`, findings, answers);
  return before === null ? null : [before, say];
}

function whyOf(reason: Reason, asked: number, tries: number): string {
  const times = `after try ${asked} of ${tries}`;
  switch (reason) {
    case "first":
      return "was not asked yet";
    case "no_input":
      return `nothing was keyed, ${times}`;
    case "wrong":
      return `what was keyed is not taken, ${times}`;
  }
}
