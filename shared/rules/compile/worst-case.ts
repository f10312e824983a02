import { addressKey, prefixLength } from "../address.ts";
import { DECISION_STEPS } from "../limits.ts";
import type { Match } from "../schema/match-schema.ts";
import type { Rule } from "../schema/ruleset.ts";
import type { CompiledRule, CompiledRules } from "./compiled-ruleset.ts";

/**
 * At least the steps of the dearest decision by the rules: of rules that name different numbers, one call meets only some. What
 * all of them take together is near enough where that is within the budget.
 */
export function mostSteps(rules: readonly Rule[], compiled: CompiledRules): number {
  const all = sumOf(compiled);
  return all <= DECISION_STEPS ? all : dearest(rules, compiled);
}

function sumOf({ rules }: CompiledRules): number {
  return rules.reduce(
    (sum, rule) => sum + stepsOf(rule) + ("group" in rule.does ? sumOf(rule.does.group) : 0),
    0,
  );
}

/** What the rule itself takes. */
export function stepsOf({ conditions, does }: CompiledRule): number {
  return conditions.reduce((sum, { cost }) => sum + cost.most, does.cost.most);
}

interface Weighed {
  match: Match;
  steps: number;
}

function dearest(rules: readonly Rule[], compiled: CompiledRules): number {
  const weighed = rules.map((rule, position): Weighed => {
    const made = compiled.rules[position];
    if (made === undefined) return { match: rule.match, steps: 0 };
    const inner = rule.rules !== undefined && "group" in made.does ? dearest(rule.rules, made.does.group) : 0;
    return { match: rule.match, steps: stepsOf(made) + inner };
  });
  return dearestBy(weighed, ["to", "from"]);
}

/**
 * An address fits one number, one URI, one prefix of each length and one URI pattern of each kind. Lists may share values, so all
 * of them count.
 */
function dearestBy(rules: readonly Weighed[], fields: readonly ("to" | "from")[]): number {
  const [field, ...others] = fields;
  if (field === undefined) return rules.reduce((sum, { steps }) => sum + steps, 0);
  const always: Weighed[] = [];
  const byKey = new Map<string, Weighed[]>();
  for (const rule of rules) {
    const wanted = rule.match[field];
    if (wanted === undefined || (typeof wanted === "object" && "list" in wanted)) {
      always.push(rule);
      continue;
    }
    for (const key of new Set([wanted].flat().map(addressKey))) {
      if (key === null) continue;
      const several = byKey.get(key);
      if (several === undefined) byKey.set(key, [rule]);
      else several.push(rule);
    }
  }
  const dearestOfKind = new Map<string, number>();
  for (const [key, several] of byKey) {
    const kind = kindOf(key);
    dearestOfKind.set(kind, Math.max(dearestOfKind.get(kind) ?? 0, dearestBy(several, others)));
  }
  return [...dearestOfKind.values()].reduce((sum, steps) => sum + steps, dearestBy(always, others));
}

function kindOf(key: string): string {
  const length = prefixLength(key);
  if (length !== null) return `prefix ${length}`;
  if (key === "anonymous") return key;
  const [, user, host] = /^sip:(\*|.*)@(\*|.*)$/.exec(key) ?? [];
  // What a SIP URI names may be a number, too.
  return user === undefined ? "number" : `sip ${user === "*"} ${host === "*"}`;
}
