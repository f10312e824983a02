import type { Call } from "../call.ts";
import { rejectByDefault } from "./actions.ts";
import type { CompiledRule, CompiledRuleset } from "./compile.ts";
import { Subject } from "./conditions.ts";
import type { Action, Decision, Look } from "./decision.ts";

/** So many rules that did not match are explained; the rest are counted, since a decision travels and is kept. */
const EXPLAINED = 50;

/**
 * What the ruleset says of a call: the first rule, in the order written, whose match holds and whose action can be filled in
 * from the call; else the fallback. Pure, and throws for no call whatever. The decision is plain JSON.
 */
export function decide(compiled: CompiledRuleset, call: Call, now_ms: number): Decision {
  const subject = new Subject(call, compiled.prefixes);
  const looked_at: Look[] = [];
  let more = 0;
  for (const position of compiled.index.candidates(subject)) {
    const rule = compiled.rules[position];
    if (rule === undefined) continue;
    const failed = rule.conditions.findIndex((condition) => !condition.holds(subject));
    if (failed >= 0) {
      if (looked_at.length < EXPLAINED) looked_at.push(explain(rule, subject, failed));
      else more += 1;
      continue;
    }
    const { action, findings } = rule.actionOf(call);
    if (action === null && looked_at.length >= EXPLAINED) {
      more += 1;
      continue;
    }
    const look = explain(rule, subject, rule.conditions.length);
    look.matched = action !== null;
    look.findings.push(...findings);
    looked_at.push(look);
    if (action !== null) return decision(action, rule.id);
  }
  const fallback = compiled.fallback?.(call);
  if (fallback?.action === null)
    looked_at.push({ rule: "fallback", matched: false, findings: fallback.findings });
  return decision(fallback?.action ?? rejectByDefault(), null);

  function decision(action: Action, rule: string | null): Decision {
    const base = { rule, ruleset: compiled.hash, decided_at: now_ms, looked_at };
    return more === 0 ? { ...action, ...base } : { ...action, ...base, more_looked_at: more };
  }
}

/** The findings up to and with the condition that failed; those after it were not asked. */
function explain(rule: CompiledRule, subject: Subject, failed: number): Look {
  const asked = rule.conditions.slice(0, failed + 1);
  return {
    rule: rule.id,
    matched: false,
    findings: asked.map((condition, position) => condition.find(subject, position < failed)),
  };
}
