import type { z } from "zod";
import { jsonFault } from "../../json-fault.ts";
import { RULESET_LENGTH } from "../limits.ts";
import { boundsProblem, tooLong } from "../schema/bounds.ts";
import { type Problem, problem, problemsOf } from "../schema/problems.ts";
import { type ParseOptions, type Ruleset, rulesetSchema } from "../schema/ruleset.ts";
import { budgetProblem } from "./check-budget.ts";
import { checkRuleset } from "./check-ruleset.ts";
import { salvage } from "./salvage.ts";

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
    } catch {
      return refused(problem([], `is not JSON${jsonFault(source)}`));
    }
  }
  const bounds = boundsProblem(raw);
  if (bounds !== null) return refused(bounds);
  if (raw === null) return refused(problem([], 'is empty: write at least { "rules": [] }'));
  if (Array.isArray(raw))
    return refused(problem([], 'must be an object, not a list: write { "rules": [ … ] }'));
  const parsed = rulesetSchema.safeParse(raw);
  if (!parsed.success) return misshapen(raw, parsed.error.issues, options);
  const { errors, warnings } = checkRuleset(parsed.data, options);
  const [wrong, ...more] = errors;
  if (wrong !== undefined) return { ok: false, errors: [wrong, ...more], warnings };
  const over = options.serving === true ? null : budgetProblem(parsed.data, options);
  if (over !== null) return { ok: false, errors: [over], warnings };
  return { ok: true, ruleset: parsed.data, warnings };
}

/** What is wrong with the shape, and where it is written with the meaning of the rest, so that all of it can be put right at once. */
function misshapen(
  raw: unknown,
  issues: readonly z.core.$ZodIssue[],
  options: ParseOptions,
): ParsedRuleset & { ok: false } {
  const [first = problem([], "is not a ruleset"), ...others] = problemsOf(issues, raw, options.written);
  const rest = options.serving === true ? null : salvage(raw, issues);
  if (rest === null) return refused(first, ...others);
  const meaning = checkRuleset(rest.ruleset, { ...options, isPartial: true });
  const [errors, warnings] = [meaning.errors, meaning.warnings].map((found) =>
    found.filter((one) => !rest.isDoubtful(one)),
  );
  return { ok: false, errors: [first, ...others, ...rest.more, ...(errors ?? [])], warnings: warnings ?? [] };
}

function refused(...errors: [Problem, ...Problem[]]): ParsedRuleset & { ok: false } {
  return { ok: false, errors, warnings: [] };
}
