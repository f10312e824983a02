import { jsonFault } from "../../json-fault.ts";
import { RULESET_LENGTH } from "../limits.ts";
import { boundsProblem, tooLong } from "../schema/bounds.ts";
import { type Problem, problem, problemsOf } from "../schema/problems.ts";
import { type ParseOptions, type Ruleset, rulesetSchema } from "../schema/ruleset.ts";
import { budgetProblem } from "./check-budget.ts";
import { checkRuleset } from "./check-ruleset.ts";

export type ParsedRuleset =
  | { ok: true; ruleset: Ruleset; warnings: Problem[] }
  | { ok: false; errors: [Problem, ...Problem[]]; warnings: Problem[] };

/**
 * Reads a ruleset, as JSON text of at most 4 MiB or as what YAML or JSON was read into. Errors stop it, warnings do not;
 * neither holds a secret.
 */
export function parseRuleset(source: unknown, options: ParseOptions = {}): ParsedRuleset {
  let raw = source;
  if (typeof source === "string") {
    if (source.length > RULESET_LENGTH) return refused(tooLong());
    try {
      raw = JSON.parse(source);
    } catch (error) {
      return refused(problem([], `is not JSON${jsonFault(error)}`));
    }
  }
  const bounds = boundsProblem(raw);
  if (bounds !== null) return refused(bounds);
  const parsed = rulesetSchema.safeParse(raw);
  const [first, ...others] = parsed.success ? [] : problemsOf(parsed.error.issues, raw);
  if (first !== undefined) return refused(first, ...others);
  if (!parsed.success) return refused(problem([], "is not a ruleset"));
  const { errors, warnings } = checkRuleset(parsed.data, options);
  const [wrong, ...more] = errors;
  if (wrong !== undefined) return { ok: false, errors: [wrong, ...more], warnings };
  const over = options.serving === true ? null : budgetProblem(parsed.data, options);
  if (over !== null) return { ok: false, errors: [over], warnings };
  return { ok: true, ruleset: parsed.data, warnings };
}

function refused(...errors: [Problem, ...Problem[]]): ParsedRuleset {
  return { ok: false, errors, warnings: [] };
}
