import type { Call } from "../call.ts";
import type { Answers } from "./answers.ts";
import type { Resolved } from "./compile/actions.ts";
import type { Asked } from "./compile/asking.ts";
import type {
  CompiledGroup,
  CompiledRule,
  CompiledRules,
  CompiledRuleset,
} from "./compile/compiled-ruleset.ts";
import { EvaluationContext } from "./compile/evaluation-context.ts";
import { rejectByDefault } from "./compile/refusal.ts";
import type { Action, Ask, Decision, Finding, Look, OverBudget, Question } from "./decision.ts";
import { READ_CHARS, READ_DEPTH, READ_ITEMS, READ_TEXT, READ_VALUES } from "./limits.ts";

/** So many rules that did not match are explained; the rest are counted, since a decision travels and is kept. */
const EXPLAINED = 50;

/**
 * What the ruleset says of a call: the first rule, in the order written, whose match holds and whose action can be filled in
 * from the call; else the fallback. The fallback speaks too if a rule reads a value that is too large, or looking at the rules
 * takes too many steps: later rules are not looked at, so that no caller gets past a rule by such a value. Pure, and throws for
 * no call whatever. The decision is plain JSON. Without `answers` nothing can be asked, and a group that asks is passed over;
 * with them, maybe empty, what comes may be a question.
 */
export function decide(compiled: CompiledRuleset, call: Call, now_ms: number): Decision;
export function decide(
  compiled: CompiledRuleset,
  call: Call,
  now_ms: number,
  answers: Answers,
): Decision | Question;
export function decide(
  compiled: CompiledRuleset,
  call: Call,
  now_ms: number,
  answers?: Answers,
): Decision | Question {
  return new Deciding(new EvaluationContext(call, now_ms, answers, compiled), false).by(compiled);
}

/**
 * The same decision, every rule looked at in order, those too that an index would have ruled out, and every look listed. Takes
 * time and space in proportion to the ruleset: for people who ask, not for calls that wait.
 */
export function explain(
  compiled: CompiledRuleset,
  call: Call,
  now_ms: number,
  answers?: Answers,
): Decision | Question {
  return new Deciding(new EvaluationContext(call, now_ms, answers, compiled), true).by(compiled);
}

/** No condition failed; the budget is passed. */
const NONE = -1;
const OVER = -2;

interface Found {
  action: Action | Ask;
  rule: string;
}

/** One decision in the making: what was looked at, down through the groups. */
class Deciding {
  readonly #looked_at: Look[] = [];
  #more = 0;
  #over: OverBudget | null = null;
  /** The answers that were right on the way to what was found. */
  readonly #taken = new Set<string>();
  readonly #context: EvaluationContext;
  /** Whether every rule is looked at, and every look listed. */
  readonly #isFull: boolean;

  constructor(context: EvaluationContext, isFull: boolean) {
    this.#context = context;
    this.#isFull = isFull;
  }

  by(compiled: CompiledRuleset): Decision | Question {
    const { now_ms } = this.#context;
    const found = this.#first(compiled);
    const [looked_at, more, after_wrong] = [this.#looked_at, this.#more, this.#afterWrong()];
    const over = this.#over;
    const fallback = found === null ? this.#fallback(compiled) : undefined;
    if (fallback?.action === null)
      looked_at.push({ rule: "fallback", matched: false, findings: fallback.findings });
    const action = found?.action ?? fallback?.action ?? rejectByDefault();
    const reasons = { rule: found?.rule ?? null, ruleset: compiled.hash, decided_at: now_ms, looked_at };
    const decision: Decision | Question = {
      ...action,
      ...reasons,
      ...(after_wrong === undefined ? {} : { after_wrong }),
      ...(more === 0 ? {} : { more_looked_at: more }),
    };
    if (over !== null) decision.over_budget = over;
    return decision;
  }

  /** The budget of the rules may be spent: what speaks in their stead has one of its own. */
  #fallback({ fallback, fallback_cost }: CompiledRuleset): Resolved | undefined {
    const context = this.#context;
    if (fallback === null) return undefined;
    context.renew();
    if (context.affords(fallback_cost)) return fallback(context.call, context.answers);
    return { action: null, findings: [overFinding(context.over ?? "steps")] };
  }

  /** A secret that was compared, and is not what let the call come this far. */
  #afterWrong(): string | undefined {
    for (const name of this.#context.compared) if (!this.#taken.has(name)) return name;
    return undefined;
  }

  /** What the first rule that matches does, or null where none does. */
  #first({ rules, index }: CompiledRules): Found | null {
    const context = this.#context;
    for (const { field, first } of index.named) {
      const rule = rules[first];
      if (rule !== undefined && !context.isReadable(field)) return this.#stopAt(rule);
    }
    for (const position of this.#isFull ? rules.keys() : index.candidates(context)) {
      const rule = rules[position];
      if (rule === undefined) continue;
      const failed = firstFailed(rule, context);
      if (failed === OVER) return this.#stopAt(rule);
      if (failed >= 0) {
        if (this.#isRoom()) this.#looked_at.push(lookAt(rule, context, failed, []));
        continue;
      }
      const found = "group" in rule.does ? this.#enter(rule, rule.does.group) : this.#act(rule);
      if (found === null) {
        if (this.#over !== null) return null;
        continue;
      }
      for (const { takes } of rule.conditions) if (takes !== undefined) this.#taken.add(takes);
      return found;
    }
    return null;
  }

  #affords(rule: CompiledRule): boolean {
    if (this.#context.affords(rule.does.cost)) return true;
    this.#stopAt(rule);
    return false;
  }

  /** Nothing more is looked at. */
  #stopAt({ id }: CompiledRule): null {
    const what = this.#context.over ?? "steps";
    this.#over = { rule: id, what };
    this.#looked_at.push({ rule: id, matched: false, findings: [overFinding(what)] });
    return null;
  }

  #act(rule: CompiledRule): Found | null {
    const { call, answers } = this.#context;
    if ("group" in rule.does || !this.#affords(rule)) return null;
    const { action, findings } = rule.does.resolve(call, answers);
    if (action === null) {
      if (this.#isRoom()) this.#looked_at.push(this.#explain(rule, findings));
      return null;
    }
    this.#looked_at.push({ ...this.#explain(rule, findings), matched: true });
    return { action, rule: rule.id };
  }

  /** A group that asks has the last word: it asks again, or says goodbye, and what comes after it is not looked at. */
  #enter(rule: CompiledRule, group: CompiledGroup): Found | null {
    const { call, answers } = this.#context;
    const { asking } = group;
    const findings: Finding[] = [];
    if (asking === null) {
      if (this.#isRoom()) this.#look(rule, findings);
      return this.#first(group);
    }
    if (answers === undefined) {
      if (this.#isRoom()) {
        const why = "this call cannot be asked anything";
        this.#looked_at.push(this.#explain(rule, [{ field: "ask", holds: false, why }]));
      }
      return null;
    }
    if (!this.#affords(rule)) return null;
    const before = asking.before(call, answers, findings);
    if (before?.next !== "rules") return this.#asked(rule, before, this.#look(rule, findings));
    const look = this.#look(rule, findings);
    const found = this.#first(group);
    if (found !== null || this.#over !== null) return found;
    const after = asking.afterNoRule(call, answers, look.findings);
    return this.#asked(rule, after, look);
  }

  #asked(rule: CompiledRule, asked: Asked | null, look: Look): Found | null {
    if (asked === null || asked.next === "rules") return null;
    look.matched = true;
    return { action: asked.action, rule: rule.id };
  }

  #look(rule: CompiledRule, findings: Finding[]): Look {
    const look: Look = { ...this.#explain(rule, findings), entered: true };
    this.#looked_at.push(look);
    return look;
  }

  #explain(rule: CompiledRule, findings: readonly Finding[]): Look {
    return lookAt(rule, this.#context, rule.conditions.length, findings);
  }

  #isRoom(): boolean {
    if (this.#isFull || this.#looked_at.length < EXPLAINED) return true;
    this.#more += 1;
    return false;
  }
}

/** The position of the first condition that does not hold, NONE, or OVER where the budget does not reach that far. */
function firstFailed({ conditions }: CompiledRule, context: EvaluationContext): number {
  for (let position = 0; position < conditions.length; position++) {
    const condition = conditions[position];
    if (condition === undefined) continue;
    if (!context.affords(condition.cost)) return OVER;
    if (!condition.holds(context)) return position;
  }
  return NONE;
}

function overFinding(what: string): Finding {
  const why =
    what === "steps"
      ? "looking at the rules would take too long for this call: the fallback speaks"
      : `is larger than a rule may read (${READ_TEXT} characters; lists and objects ${READ_ITEMS} items, ${READ_DEPTH} deep, ${READ_VALUES} values and ${READ_CHARS} characters in all): the fallback speaks`;
  return { field: what, holds: false, why };
}

/** The findings up to and with the condition that failed; those after it were not asked. Then those of the action. */
function lookAt(
  rule: CompiledRule,
  context: EvaluationContext,
  failed: number,
  findings: readonly Finding[],
): Look {
  const asked = rule.conditions.slice(0, failed + 1);
  const found = asked.map((condition, position) => condition.find(context, position < failed));
  return { rule: rule.id, matched: false, findings: [...found, ...findings] };
}
