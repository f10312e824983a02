import { costOfAction } from "../compile/action-cost.ts";
import { compileRuleset } from "../compile/compile.ts";
import type { CompiledRules, CompiledRuleset } from "../compile/compiled-ruleset.ts";
import type { CostOf } from "../compile/cost.ts";
import { compiledOf } from "../compile/expression.ts";
import { stepsOf } from "../compile/worst-case.ts";
import { DECISION_STEPS } from "../limits.ts";
import { type Path, type Problem, problem } from "../schema/problems.ts";
import type { ParseOptions, Rule, Ruleset } from "../schema/ruleset.ts";

/**
 * That a call whose values are no larger than rules may read can take longer to decide than a decision may, or null: such a
 * call would get the fallback. Named is what takes the most.
 */
export function budgetProblem(
  ruleset: Ruleset,
  { tenant = "x", plain = false }: ParseOptions,
): Problem | null {
  const compiled = compileRuleset(ruleset, { tenant, plain, hash: "" });
  const { most_steps } = compiled;
  if (most_steps <= DECISION_STEPS) return null;
  const { path, steps, advice } = dearestPart(ruleset, compiled);
  const shown = steps > DECISION_STEPS ? "" : `, of which this takes ${said(steps)}`;
  const message = `can make a decision take ${said(most_steps)} steps, and ${said(DECISION_STEPS)} are allowed${shown}: ${advice}`;
  return problem(path, message);
}

interface PartOfRule {
  path: Path;
  steps: number;
  advice: string;
}

function dearestPart(ruleset: Ruleset, compiled: CompiledRuleset): PartOfRule {
  const reading = { path: ["rules"], steps: compiled.reads.most_steps, advice: FILTERS };
  const parts = [...dearestParts(ruleset.rules, compiled, ["rules"])];
  return parts.reduce<PartOfRule>((most, part) => (part.steps > most.steps ? part : most), reading);
}

const FEWER =
  'let fewer rules be looked at for one call, by "to", by "from" or by groups, and keep texts with * between other text few';
const FILTERS = "put |digits and |lower to fewer different values of the call, and look at fewer time zones";
const SMALLER =
  'compare single values in place of whole lists and objects, ask has(x.y) before x.y within a loop, and let fewer such rules be looked at for one call, by "to", by "from" or by groups';

const FEWER_ACTIONS =
  'let fewer rules be looked at for one call, by "to", by "from" or by groups, and put fewer placeholders into words';

function* dearestParts(rules: readonly Rule[], compiled: CompiledRules, path: Path): Generator<PartOfRule> {
  for (const [position, rule] of rules.entries()) {
    const made = compiled.rules[position];
    if (made === undefined) continue;
    const here = [...path, position];
    const expression = compiledOf(rule.match);
    const when = expression?.ok === true ? mostOf(expression.cost) : 0;
    const does = rule.rules === undefined ? mostOf(costOfAction(rule)) : made.does.cost.most;
    yield { path: [...here, "match", "when"], steps: when, advice: SMALLER };
    yield { path: here, steps: does, advice: FEWER_ACTIONS };
    yield { path: [...here, "match"], steps: stepsOf(made) - when - does, advice: FEWER };
    if (rule.rules !== undefined && "group" in made.does)
      yield* dearestParts(rule.rules, made.does.group, [...here, "rules"]);
  }
}

function mostOf(cost: CostOf): number {
  return Math.ceil(cost.steps(({ largest }) => largest));
}

function said(steps: number): string {
  return steps === Number.POSITIVE_INFINITY ? "no end of" : Math.ceil(steps).toLocaleString("en");
}
