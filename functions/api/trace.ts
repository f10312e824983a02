import { callOf, type KeptCall } from "../../shared/kept-call.ts";
import type { Answer, Answers } from "../../shared/rules/answers.ts";
import { explain } from "../../shared/rules/decide.ts";
import type { Look } from "../../shared/rules/decision.ts";
import type { KeptDecision } from "../session/contract/history.ts";
import type { Decided } from "../session/operator/call-history.ts";
import { compileText } from "../tenants/directory.ts";
import type { Tenant } from "../tenants/tenant.ts";

/** A decision computed again, or why it could not be. */
export type Trace = { step: number } & (
  | {
      computed: true;
      action: string;
      rule: string | null;
      ruleset: string;
      decided_at: number;
      /** Every rule from the first to the one that won, in the order written. */
      looked_at: Look[];
      /** Whether the same rule won. If not: the record of the tenant has changed since, or what was left out mattered. */
      same: boolean;
      /** What could not be looked at again. */
      left_out: string[];
    }
  | { computed: false; why: string }
);

/** Decides once more, by the version of the rules and as of the moment of then. What is set in the tenant's record, and in lists of KV's, is today's. */
export async function traceOf(
  env: Env,
  tenant: Tenant,
  { step, decision, call, left_out, ruleset }: Decided,
): Promise<Trace> {
  const kept = JSON.parse(decision) as KeptDecision; // As the journal has it.
  if (call === null) return { step, computed: false, why: "the call was not kept" };
  if (ruleset === null) return { step, computed: false, why: "this version of the ruleset is not kept" };
  const compiled = await compileText(env, tenant, ruleset);
  if (!compiled.ok)
    return { step, computed: false, why: "this version of the ruleset can't be read any more" };
  const keptCall = JSON.parse(call) as KeptCall; // As the journal has it.
  const { answers, missing } = answersOf(kept);
  const again = explain(compiled.rules, callOf(keptCall), kept.decided_at, answers);
  return {
    step,
    computed: true,
    action: again.action,
    rule: again.rule,
    ruleset: again.ruleset,
    decided_at: again.decided_at,
    looked_at: again.looked_at,
    same: again.rule === kept.rule && again.action === kept.action,
    left_out: [...left_out, ...missing],
  };
}

/** The answers as far as they were kept: a secret one that was wrong is wrong again. */
export function answersOf({ answers }: KeptDecision): { answers: Answers; missing: string[] } {
  const made = Object.entries(answers).map(([name, { tries, keyed, matched, ...kept }]): [string, Answer] => [
    name,
    { tries, ...kept, ...(keyed === "secret" ? { hmac: matched ?? "0".repeat(64) } : {}) },
  ]);
  // Rows from before open answers were kept have none.
  const lost = Object.entries(answers).filter(
    ([, { keyed, value }]) => keyed === "open" && value === undefined,
  );
  return { answers: Object.fromEntries(made), missing: lost.map(([name]) => `answer.${name}`) };
}
