import type { Call } from "../../../shared/call.ts";
import type { Answers } from "../../../shared/rules/answers.ts";
import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import { compileRuleset } from "../../../shared/rules/compile/compile.ts";
import { decide } from "../../../shared/rules/decide.ts";
import type { Decision, Question } from "../../../shared/rules/decision.ts";
import type { ActionText } from "../../../shared/rules/schema/action-schema.ts";
import type { Ruleset } from "../../../shared/rules/schema/ruleset.ts";

export const acme = { tenant: "acme", plain: false };

/** A call by phone to acme's support number. */
export function callWith(changes: Partial<Call> = {}): Call {
  return {
    via: "swml",
    call_id: "c2d3e4f5-a6b7-4901-8def-234567890abc",
    direction: "inbound",
    type: "phone",
    from: "+15550100001",
    to: "+15550100100",
    headers: {},
    vars: {},
    params: {},
    details: {},
    ...changes,
  };
}

/** The ruleset, or the errors that were not expected. */
export function mustParse(source: unknown): Ruleset {
  const parsed = parseRuleset(source, acme);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.ruleset;
}

/** What acme's rules say of the call, at an instant of no meaning. */
export function decideFor(
  source: unknown,
  call: Call,
  options: { plain?: boolean; fallback?: ActionText } = {},
): Decision {
  return decide(
    compileRuleset(mustParse(source), { ...acme, hash: "5ha256", ...options }),
    call,
    1_700_000_000_000,
  );
}

/** Likewise, of a call that can be asked. */
export function askFor(source: unknown, call: Call, answers: Answers = {}): Decision | Question {
  return decide(
    compileRuleset(mustParse(source), { ...acme, hash: "5ha256" }),
    call,
    1_700_000_000_000,
    answers,
  );
}
