import type { Call } from "../../call.ts";
import { canonicalOf, isWithheld } from "../../identity.ts";
import { isSip } from "../../sip.ts";
import { answerOf } from "../answers.ts";
import { headerValues, paramValue, varValue } from "../call-values.ts";
import type { Finding } from "../decision.ts";
import { quoted } from "../quoted.ts";
import { answerRead, clockRead, fieldRead, headerRead, namedTextRead, type Read } from "../reads.ts";
import { answerMatchers, type Match, type TextMatcher } from "../schema/match-schema.ts";
import { type Cost, type CostOf, constantCost, costOfAll, type ReadTable } from "./cost.ts";
import type { EvaluationContext } from "./evaluation-context.ts";
import type { Expression, Outcome } from "./expression.ts";
import {
  type AddressMatcher,
  type AnswerMatcherValues,
  holdsAny,
  holdsText,
  type MatcherValues,
  type TextSet,
} from "./matcher-values.ts";
import { type Schedule, schedulesOf } from "./schedule.ts";
import type { TextsCompared } from "./texts-compared.ts";

/** What any condition takes. */
const CONDITION_STEPS = 4;

/** One condition of a match. */
export interface Condition {
  /** The answer that is right where this holds; absent for conditions on anything else. */
  readonly takes?: string;
  readonly cost: Cost;
  holds(context: EvaluationContext): boolean;
  /** In words, why it held or did not. */
  find(context: EvaluationContext, holds: boolean): Finding;
}

/** What matches name. */
export interface Named {
  sets: MatcherValues;
  schedules: ReadonlyMap<string, Schedule>;
  reads: ReadTable;
  /** The match's `when`, compiled. */
  expressionOf(match: Match): CostedExpression | null;
}

interface CostedExpression {
  expression: Expression;
  cost: CostOf;
  compared: TextsCompared;
}

/** A condition whose cost is to be made ready. */
interface Costed extends Omit<Condition, "cost"> {
  cost: CostOf;
}

/** The match as conditions, in the order in which they are looked at. */
export function readMatch(match: Match, named: Named): Condition[] {
  const { reads } = named;
  const others = readOthers(match, named).map(({ cost, ...condition }) => ({
    ...condition,
    cost: reads.cost(cost),
  }));
  const expression = named.expressionOf(match);
  const last =
    expression === null ? [] : [new ExpressionCondition(expression.expression, reads.cost(expression.cost))];
  return [...readAddresses(match, named.sets), ...others, ...last];
}

function readAddresses(match: Match, sets: MatcherValues): AddressCondition[] {
  return (["to", "from"] as const).flatMap((field) => {
    const wanted = match[field];
    return wanted === undefined ? [] : [new AddressCondition(field, sets.address(wanted))];
  });
}

/** The conditions of a match that must not hold. */
function readInner(match: Match, named: Named): Costed[] {
  const expression = named.expressionOf(match);
  return [
    ...readAddresses(match, named.sets).map((condition) => costed(condition, constantCost(0))),
    ...readOthers(match, named),
    ...(expression === null
      ? []
      : [costed(new ExpressionCondition(expression.expression, NO_COST), expression.cost)]),
  ];
}

function costed(condition: Condition, cost: CostOf): Costed {
  return {
    cost,
    holds: (context) => condition.holds(context),
    find: (context, holds) => condition.find(context, holds),
  };
}

/** All but addresses and expression. */
function readOthers(match: Match, named: Named): Costed[] {
  const { sets } = named;
  const conditions: Costed[] = [];
  for (const field of ["direction", "type"] as const) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    const none = `there is no ${field}`;
    const read = fieldRead(field);
    conditions.push(textCondition(field, wanted, sets, read, (call) => [call[field]], none, none));
  }
  for (const [name, wanted] of entriesOf(match.headers)) {
    const header = name.toLowerCase();
    const none = `there is no header ${JSON.stringify(header)}`;
    const values = (call: Call) => headerValues(call, header);
    conditions.push(textCondition(`headers.${header}`, wanted, sets, headerRead(header), values, none, none));
  }
  for (const [name, wanted] of entriesOf(match.params)) {
    const none = `there is no parameter ${JSON.stringify(name)}`;
    const values = (call: Call) => [paramValue(call, name)].filter((value) => value !== null);
    const read = namedTextRead("params", name);
    conditions.push(
      textCondition(`params.${name}`, wanted, sets, read, values, none, `${none} that is text`),
    );
  }
  for (const [name, wanted] of entriesOf(match.vars)) {
    const none = `there is no variable ${JSON.stringify(name)}`;
    const values = (call: Call) => [varValue(call, name)].filter((value) => value !== null);
    const read = namedTextRead("vars", name);
    conditions.push(textCondition(`vars.${name}`, wanted, sets, read, values, none, `${none} that is text`));
  }
  for (const [name, wanted] of answerMatchers(match))
    conditions.push(answerCondition(name, sets.answer(wanted)));
  for (const field of ["during", "outside"] as const) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    conditions.push(scheduleCondition(field, schedulesOf(wanted, named.schedules)));
  }
  if (match.not !== undefined) conditions.push(notCondition(readInner(match.not, named)));
  return conditions;
}

function entriesOf<Value>(named: Record<string, Value> | undefined): [string, Value][] {
  return named === undefined ? [] : Object.entries(named);
}

/** The index reads the address for all rules of a list at once, and knows before a rule is looked at whether it fits. */
const NO_COST: Cost = { reads: [], most: 0 };

/** A class, like the other that rulesets have by the thousand, which so share what they do. */
class AddressCondition implements Condition {
  readonly #field: "to" | "from";
  readonly #wanted: AddressMatcher;

  constructor(field: "to" | "from", wanted: AddressMatcher) {
    this.#field = field;
    this.#wanted = wanted;
  }

  get cost(): Cost {
    return NO_COST;
  }

  holds(context: EvaluationContext): boolean {
    return context.keys(this.#field).some((key) => this.#wanted.has(key));
  }

  find(context: EvaluationContext, holds: boolean): Finding {
    const field = this.#field;
    const hint = holds
      ? undefined
      : context.numbersIfKnown(field).find(({ keys }) => keys.some((key) => this.#wanted.has(key)));
    const { is, isNot } = this.#wanted.words;
    const why = `${readAs(context.call, field)} ${holds ? is : isNot}`;
    return {
      field,
      holds,
      why: hint === undefined ? why : `${why}; ${hintOf(context.call, field, hint.number)}`,
    };
  }
}

/** The address as it came, and what it was read as where that is something else. */
function readAs(call: Call, field: "to" | "from"): string {
  const written = call[field];
  if (isWithheld(written) && written.toLowerCase() !== "anonymous")
    return `${quoted(written)}, read as anonymous,`;
  const canonical = canonicalOf(call, field);
  return canonical === written ? quoted(written) : `${quoted(written)}, read as ${quoted(canonical)},`;
}

function hintOf(call: Call, field: "to" | "from", number: string): string {
  const setting = isSip(call[field]) ? 'its host in "sip_gateways"' : 'its "country"';
  return `as ${quoted(number)} it would be: name ${setting} in the tenant's record`;
}

/** `absent` says that there is nothing at all; `none` that there is nothing to compare with. */
function textCondition(
  field: string,
  wanted: TextMatcher,
  sets: MatcherValues,
  read: Read,
  valuesOf: (call: Call) => readonly string[],
  absent: string,
  none: string,
): Costed {
  if (typeof wanted === "object" && "present" in wanted) {
    return {
      cost: constantCost(CONDITION_STEPS),
      holds: ({ call }) => valuesOf(call).length > 0 === wanted.present,
      find({ call }, holds) {
        const [value] = valuesOf(call);
        return { field, holds, why: value === undefined ? absent : `it is there: ${quoted(value)}` };
      },
    };
  }
  const { texts, is, isNot } = sets.text(wanted);
  return {
    cost: costOfText(read, texts),
    holds: ({ call }) => holdsAny(texts, valuesOf(call)),
    find({ call }, holds) {
      const sent = valuesOf(call);
      const value = holds ? sent.find((one) => holdsText(texts, one)) : sent[0];
      return { field, holds, why: value === undefined ? none : `${quoted(value)} ${holds ? is : isNot}` };
    },
  };
}

function costOfText(read: Read, { steps, steps_per_char }: TextSet): CostOf {
  return {
    reads: [read],
    steps(sizeOf) {
      const { chars, items } = sizeOf(read);
      return CONDITION_STEPS + (1 + items / 2) * steps + chars * steps_per_char;
    },
  };
}

/** What was keyed is in no finding: it may be a secret. */
function answerCondition(name: string, { has, compares, is, isNot }: AnswerMatcherValues): Costed {
  const field = `answer.${name}`;
  return {
    takes: name,
    cost: constantCost(CONDITION_STEPS, [answerRead(name)]),
    holds(context) {
      const answer = answerOf(context.answers, name);
      if (answer === undefined) return false;
      if (compares && answer.hmac !== undefined) context.compared.add(name);
      return has(answer);
    },
    find: ({ answers }, holds) => {
      const answer = answerOf(answers, name);
      if (answer === undefined) return { field, holds, why: "it was not asked" };
      if (answer.hmac === undefined && answer.value === undefined)
        return { field, holds, why: holds ? "nothing was keyed, as wanted" : "nothing was keyed" };
      return { field, holds, why: `what was keyed ${holds ? is : isNot}` };
    },
  };
}

function scheduleCondition(field: "during" | "outside", schedules: readonly Schedule[]): Costed {
  const openOne = (context: EvaluationContext) =>
    schedules.find((schedule) => schedule.isOpen(context.wallTime(schedule.clock)));
  const steps = schedules.reduce((sum, schedule) => sum + schedule.steps, CONDITION_STEPS);
  return {
    cost: constantCost(
      steps,
      schedules.map(({ clock }) => clockRead(clock.timezone)),
    ),
    holds: (context) => (openOne(context) !== undefined) === (field === "during"),
    find(context, holds) {
      const open = openOne(context);
      const shown = open ?? schedules[0];
      if (shown === undefined) return { field, holds, why: "there is no such schedule" };
      const { clock } = shown;
      const said = `it is ${clock.inWords(context.wallTime(clock))}`;
      const names = (open === undefined ? schedules : [open]).map(({ name }) => quoted(name)).join(", ");
      return { field, holds, why: `${said}: ${names} ${open === undefined ? "is closed" : "is open"}` };
    },
  };
}

/** What is said of it looks at its conditions once more. */
function notCondition(conditions: readonly Costed[]): Costed {
  const failing = (context: EvaluationContext) => conditions.find((condition) => !condition.holds(context));
  return {
    cost: costOfAll(
      conditions.map(({ cost }) => cost),
      2,
    ),
    holds: (context) => failing(context) !== undefined,
    find(context, holds) {
      const failed = failing(context);
      const inner = (
        failed === undefined
          ? conditions.map((one) => one.find(context, true))
          : [failed.find(context, false)]
      )
        .map(({ field, why }) => `${field}: ${why}`)
        .slice(0, 3)
        .join("; ");
      return { field: "not", holds, why: inner === "" ? "it matches every call" : inner };
    },
  };
}

class ExpressionCondition implements Condition {
  readonly #expression: Expression;
  readonly cost: Cost;

  constructor(expression: Expression, cost: Cost) {
    this.#expression = expression;
    this.cost = cost;
  }

  holds({ facts }: EvaluationContext): boolean {
    return this.#expression.holds(facts);
  }

  find(context: EvaluationContext, holds: boolean): Finding {
    const outcome = this.#expression.evaluate(context.facts, (steps) => context.mayExplain(steps));
    return { field: "when", holds, why: whyOf(outcome) };
  }
}

function whyOf(outcome: Outcome): string {
  if ("holds" in outcome) return outcome.holds ? "is true" : "is false";
  return outcome.error === null ? "is not true" : `fails, so does not match: ${outcome.error}`;
}
