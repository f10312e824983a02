import type { Call } from "../call.ts";
import { answerOf } from "./answers.ts";
import { headerValues, paramValue, varValue } from "./call-values.ts";
import type { Finding } from "./decision.ts";
import type { Expression } from "./expression.ts";
import { answersWanted, type Match, type TextWanted } from "./match-schema.ts";
import type { Schedule } from "./schedule.ts";
import type { Subject } from "./subject.ts";
import { type AddressesWanted, type AnswersWanted, holdsText, quoted, type WantedSets } from "./wanted.ts";

/** One condition of a match. */
export interface Condition {
  /** The answer that is right where this holds; absent for conditions on anything else. */
  readonly takes?: string;
  holds(subject: Subject): boolean;
  /** In words, why it held or did not. */
  find(subject: Subject, holds: boolean): Finding;
}

/** What matches name. */
export interface Named {
  sets: WantedSets;
  schedules: ReadonlyMap<string, Schedule>;
  /** The match's `when`, compiled. */
  expressionOf(match: Match): Expression | null;
}

/** The match as conditions, in the order in which they are looked at. */
export function readMatch(match: Match, named: Named): Condition[] {
  const { sets } = named;
  const conditions: Condition[] = [];
  for (const field of ["to", "from"] as const) {
    const wanted = match[field];
    if (wanted !== undefined) conditions.push(addressCondition(field, sets.address(wanted)));
  }
  for (const field of ["direction", "type"] as const) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    const none = `there is no ${field}`;
    conditions.push(textCondition(field, wanted, sets, (call) => [call[field]], none, none));
  }
  for (const [name, wanted] of entriesOf(match.headers)) {
    const header = name.toLowerCase();
    const none = `there is no header ${JSON.stringify(header)}`;
    const values = (call: Call) => headerValues(call, header);
    conditions.push(textCondition(`headers.${header}`, wanted, sets, values, none, none));
  }
  for (const [name, wanted] of entriesOf(match.params)) {
    const none = `there is no parameter ${JSON.stringify(name)}`;
    const values = (call: Call) => [paramValue(call, name)].filter((value) => value !== null);
    conditions.push(textCondition(`params.${name}`, wanted, sets, values, none, `${none} that is text`));
  }
  for (const [name, wanted] of entriesOf(match.vars)) {
    const none = `there is no variable ${JSON.stringify(name)}`;
    const values = (call: Call) => [varValue(call, name)].filter((value) => value !== null);
    conditions.push(textCondition(`vars.${name}`, wanted, sets, values, none, `${none} that is text`));
  }
  for (const [name, wanted] of answersWanted(match))
    conditions.push(answerCondition(name, sets.answer(wanted)));
  for (const field of ["during", "outside"] as const) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    const schedules = [wanted].flat().map((name) => named.schedules.get(name));
    conditions.push(
      scheduleCondition(
        field,
        schedules.filter((one) => one !== undefined),
      ),
    );
  }
  if (match.not !== undefined) conditions.push(notCondition(readMatch(match.not, named)));
  const expression = named.expressionOf(match);
  if (expression !== null) conditions.push(expressionCondition(expression));
  return conditions;
}

function entriesOf<Value>(named: Record<string, Value> | undefined): [string, Value][] {
  return named === undefined ? [] : Object.entries(named);
}

function addressCondition(field: "to" | "from", { keys: wanted, is, isNot }: AddressesWanted): Condition {
  return {
    holds: (subject) => subject.keys(field).some((key) => wanted.has(key)),
    find: ({ call }, holds) => ({ field, holds, why: `${quoted(call[field])} ${holds ? is : isNot}` }),
  };
}

/** `absent` says that there is nothing at all; `none` that there is nothing to compare with. */
function textCondition(
  field: string,
  wanted: TextWanted,
  sets: WantedSets,
  valuesOf: (call: Call) => readonly string[],
  absent: string,
  none: string,
): Condition {
  if (typeof wanted === "object" && "present" in wanted) {
    return {
      holds: ({ call }) => valuesOf(call).length > 0 === wanted.present,
      find({ call }, holds) {
        const [value] = valuesOf(call);
        return { field, holds, why: value === undefined ? absent : `it is there: ${quoted(value)}` };
      },
    };
  }
  const { texts, is, isNot } = sets.text(wanted);
  return {
    holds: ({ call }) => valuesOf(call).some((value) => holdsText(texts, value)),
    find({ call }, holds) {
      const sent = valuesOf(call);
      const value = holds ? sent.find((one) => holdsText(texts, one)) : sent[0];
      return { field, holds, why: value === undefined ? none : `${quoted(value)} ${holds ? is : isNot}` };
    },
  };
}

/** What was keyed is in no finding: it may be a secret. */
function answerCondition(name: string, { has, is, isNot }: AnswersWanted): Condition {
  const field = `answer.${name}`;
  return {
    takes: name,
    holds(subject) {
      const answer = answerOf(subject.answers, name);
      if (answer === undefined) return false;
      if (answer.hmac !== undefined) subject.compared.add(name);
      return has(answer);
    },
    find: ({ answers }, holds) => {
      const answer = answerOf(answers, name);
      if (answer === undefined) return { field, holds, why: "it was not asked" };
      if (answer.hmac === undefined && answer.value === undefined)
        return { field, holds, why: "nothing was keyed" };
      return { field, holds, why: `what was keyed ${holds ? is : isNot}` };
    },
  };
}

function scheduleCondition(field: "during" | "outside", schedules: readonly Schedule[]): Condition {
  const openOne = (subject: Subject) =>
    schedules.find((schedule) => schedule.isOpen(subject.wallTime(schedule.clock)));
  return {
    holds: (subject) => (openOne(subject) !== undefined) === (field === "during"),
    find(subject, holds) {
      const open = openOne(subject);
      const shown = open ?? schedules[0];
      if (shown === undefined) return { field, holds, why: "there is no such schedule" };
      const { clock } = shown;
      const said = `it is ${clock.inWords(subject.wallTime(clock))}`;
      const names = (open === undefined ? schedules : [open]).map(({ name }) => quoted(name)).join(", ");
      return { field, holds, why: `${said}: ${names} ${open === undefined ? "is closed" : "is open"}` };
    },
  };
}

function notCondition(conditions: readonly Condition[]): Condition {
  const failing = (subject: Subject) => conditions.find((condition) => !condition.holds(subject));
  return {
    holds: (subject) => failing(subject) !== undefined,
    find(subject, holds) {
      const failed = failing(subject);
      const inner = (
        failed === undefined
          ? conditions.map((one) => one.find(subject, true))
          : [failed.find(subject, false)]
      )
        .map(({ field, why }) => `${field}: ${why}`)
        .slice(0, 3)
        .join("; ");
      return { field: "not", holds, why: inner === "" ? "it matches every call" : inner };
    },
  };
}

function expressionCondition(expression: Expression): Condition {
  return {
    holds: ({ facts }) => expression.holds(facts),
    find({ facts }, holds) {
      const outcome = expression.evaluate(facts);
      const why =
        "error" in outcome
          ? `fails, so does not match: ${outcome.error}`
          : outcome.holds
            ? "is true"
            : "is false";
      return { field: "when", holds, why };
    },
  };
}
