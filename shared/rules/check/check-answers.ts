import type { Fault } from "../compile/expression-words.ts";
import { nearest } from "../nearest.ts";
import { type AskText, digitsOf, type QuestionText } from "../schema/ask-schema.ts";
import {
  type AnswerMatcher,
  answerMatchers,
  type Hmac,
  type Match,
  wantsNone,
  wantsPins,
} from "../schema/match-schema.ts";
import { type Path, type Problem, problem, shown } from "../schema/problems.ts";
import type { Rule } from "../schema/ruleset.ts";
import { answersIn, NUMBER, POSITION } from "../template.ts";
import type { Found, ListUse } from "./list-use.ts";

/** The questions that were asked before a rule is looked at: its group's, and those of the groups around that. */
export type Asked = ReadonlyMap<string, QuestionText>;

/** The questions in view within a group. */
export function askedWithin(ask: AskText | undefined, asked: Asked, path: Path, found: Found): Asked {
  if (ask === undefined) return asked;
  const within = new Map(asked);
  for (const [name, question] of Object.entries(ask)) {
    if (within.has(name)) {
      const message = "was asked by a group around this one already: choose another name";
      found.errors.push(problem([...path, "ask", name], message));
    }
    within.set(name, question);
  }
  return within;
}

/** Answers that a match compares though nobody asked, or that can never be what it wants. */
export function checkAnswers(match: Match, path: Path, asked: Asked, lists: ListUse, found: Found): void {
  for (const [name, wanted] of answerMatchers(match)) {
    const here = [...path, `answer.${name}`];
    const question = asked.get(name);
    if (question === undefined) found.errors.push(notAsked(name, here, asked));
    else checkAnswer(wanted, question, here, lists, found);
  }
  if (match.not !== undefined) checkAnswers(match.not, [...path, "not"], asked, lists, found);
}

function checkAnswer(
  wanted: AnswerMatcher,
  question: QuestionText,
  path: Path,
  lists: ListUse,
  found: Found,
): void {
  if (wantsNone(wanted)) {
    const { min, max } = digitsOf(question.digits);
    if (min === 0) return;
    const message = `never holds: the question takes at least ${min} ${min === 1 ? "digit" : "digits"}, and asks again until it has them; write "digits": "0-${max}" where it is asked`;
    found.errors.push(problem([...path, "none"], message));
    return;
  }
  if (wantsPins(wanted)) {
    const message = 'PINs are secrets, and this question is none: write "secret": true where it is asked';
    if (!question.secret) found.errors.push(problem([...path, "pins"], message));
    return;
  }
  const kind = question.secret
    ? {
        fits: (value: string | Hmac) => typeof value !== "string",
        message: 'compared with a secret, so must be { "hmac": "…" }, as `npx partyline secret` makes it',
      }
    : {
        fits: (value: string | Hmac) => typeof value === "string",
        message: "compared with digits, so must be digits",
      };
  lists.use(wanted, path, kind);
  for (const value of valuesOf(wanted, lists)) {
    if (!isListed(wanted) && !kind.fits(value)) {
      // Digits that stand for a secret are not repeated.
      found.errors.push(
        problem(path, question.secret ? kind.message : `${kind.message}, or the question "secret"`),
      );
      return;
    }
    const { min, max } = digitsOf(question.digits);
    if (typeof value !== "string" || question.secret) continue;
    const { terminator = "#" } = question;
    if (value.includes(terminator)) {
      const meant = value.replaceAll(terminator, "");
      const message = `${shown(value)} is never keyed: ${terminator} ends the answer, and is no part of it`;
      const suggestion = meant.length >= min && meant.length <= max && meant !== "" ? meant : undefined;
      found.warnings.push(problem(path, message, suggestion));
      continue;
    }
    if (value.length >= min && value.length <= max) continue;
    const message = `${shown(value)} is never keyed: the question takes ${question.digits} digits`;
    found.warnings.push(problem(path, message));
  }
}

/** Answers in the placeholders of what a rule does, or of a question: only those that were asked, and no secrets. */
export function checkPlaceholders(texts: unknown, path: Path, asked: Asked, found: Found): void {
  if (typeof texts === "string") {
    for (const name of answersIn(texts)) {
      const question = asked.get(name);
      if (question === undefined) found.errors.push(notAsked(name, path, asked));
      else if (question.secret)
        found.errors.push(problem(path, `{answer.${name}} is a secret, and a secret goes nowhere`));
    }
  } else if (typeof texts === "object" && texts !== null && holdsPlaceholder(texts)) {
    for (const [key, part] of Object.entries(texts)) checkPlaceholders(part, [...path, key], asked, found);
  }
}

/** Whether a placeholder that a call may have no value for stands in any of its texts. */
export function holdsPlaceholder(texts: unknown): boolean {
  if (typeof texts === "string") return texts.replaceAll(NUMBER, "").replaceAll(POSITION, "").includes("{");
  return typeof texts === "object" && texts !== null && Object.values(texts).some(holdsPlaceholder);
}

/** Questions that take no digits, too, though every rule of the group wants some. */
export function checkNone(rule: Rule, path: Path, found: Found): void {
  for (const [name, { digits }] of Object.entries(rule.ask ?? {})) {
    const { min, max } = digitsOf(digits);
    if (min > 0 || takesNone(rule.rules ?? [], name)) continue;
    const message = `takes no digits, too, and no rule of the group says what then: write a rule with "answer.${name}": { "none": true }, or at least 1 digit`;
    found.errors.push(problem([...path, "ask", name, "digits"], message, `1-${max}`));
  }
}

/** Whether a rule may match where nothing was keyed. */
function takesNone(rules: readonly Rule[], name: string): boolean {
  return rules.some(({ match, rules: inner }) => {
    const wanted = answerMatchers(match).filter(([asked]) => asked === name);
    return wanted.every(([, one]) => wantsNone(one)) && (inner === undefined || takesNone(inner, name));
  });
}

/** Answers of which one begins with another, where no key says which is meant. */
export function warnOfPrefixes(rule: Rule, path: Path, lists: ListUse, found: Found): void {
  for (const [name, question] of Object.entries(rule.ask ?? {})) {
    if (question.terminator !== "none" || question.secret) continue;
    const values = [...new Set(wantedWithin(rule.rules ?? [], name).flatMap((one) => valuesOf(one, lists)))]
      .filter((value) => typeof value === "string")
      .sort();
    // Sorted, what begins with a value follows it.
    const longer = values.findIndex(
      (value, index) => index > 0 && value.startsWith(values[index - 1] ?? value),
    );
    if (longer < 1) continue;
    const message = `${shown(values[longer])} begins with ${shown(values[longer - 1])}, and no key ends an answer: the shorter is taken only after a pause; write "terminator": "#"`;
    found.warnings.push(problem([...path, "ask", name, "terminator"], message));
  }
}

function* matchesOf(rules: readonly Rule[]): Generator<Match> {
  for (const { match, rules: inner } of rules) {
    for (let one: Match | undefined = match; one !== undefined; one = one.not) yield one;
    if (inner !== undefined) yield* matchesOf(inner);
  }
}

function wantedWithin(rules: readonly Rule[], name: string): AnswerMatcher[] {
  return [...matchesOf(rules)].flatMap((match) =>
    answerMatchers(match).flatMap(([asked, wanted]) => (asked === name ? [wanted] : [])),
  );
}

function isListed(wanted: AnswerMatcher): wanted is { list: string } {
  return typeof wanted === "object" && "list" in wanted;
}

function valuesOf(wanted: AnswerMatcher, { lists }: ListUse): readonly (string | Hmac)[] {
  if (wantsPins(wanted) || wantsNone(wanted)) return [];
  if (!isListed(wanted)) return [wanted].flat();
  return Object.hasOwn(lists, wanted.list) ? (lists[wanted.list] ?? []) : [];
}

function notAsked(name: string, path: Path, asked: Asked): Problem {
  const { message, suggestion } = notAskedFault(name, asked);
  return problem(path, message, suggestion);
}

/** That nothing asks for an answer, and what is asked. */
export function notAskedFault(name: string, asked: Asked): Fault {
  const known = [...asked.keys()];
  const there =
    known.length === 0 ? "" : `; there ${known.length === 1 ? "is" : "are"} ${known.map(shown).join(", ")}`;
  const suggestion = nearest(name, known);
  return {
    message: `nothing asks for ${shown(name)} before this rule is looked at${there}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
