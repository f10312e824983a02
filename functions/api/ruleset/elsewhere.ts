import type { ComparedCall, Landing } from "../../../shared/api/ruleset.ts";
import { canonicalJson } from "../../../shared/canonical-json.ts";
import { callOf, type KeptCall } from "../../../shared/kept-call.ts";
import type { CompiledRuleset } from "../../../shared/rules/compile/compiled-ruleset.ts";
import { decide, explain } from "../../../shared/rules/decide.ts";
import type { Decision, Finding, Look, Question } from "../../../shared/rules/decision.ts";
import type { KeptDecision } from "../../session/contract/history.ts";
import type { DecidedCall } from "../../session/operator/call-history.ts";
import { answersOf } from "../trace.ts";
import { maskSecrets } from "./secrets.ts";

/** A draft, and the rules that serve. */
export interface Compared {
  serving: CompiledRuleset;
  draft: CompiledRuleset;
  /** Ids of all rules of the draft. */
  draft_ids: ReadonlySet<string>;
}

/** Decides on the call again by both rulesets, webhook by webhook, up to the first where they part. */
export function compareCall(
  { call_id, at, from, to, decided }: DecidedCall,
  compared: Compared,
): ComparedCall | null {
  const left_out = new Set<string>();
  let decidedAny = false;
  let elsewhere: ComparedCall["elsewhere"] = null;
  for (const { step, decision, call, left_out: paths } of decided) {
    if (call === null) continue;
    decidedAny = true;
    const kept = JSON.parse(decision) as KeptDecision; // As the journal has it.
    const { answers, missing } = answersOf(kept);
    for (const path of [...paths, ...missing]) left_out.add(path);
    const asked = [callOf(JSON.parse(call) as KeptCall), kept.decided_at, answers] as const; // As the journal has it.
    const now = landingOf(decide(compared.serving, ...asked));
    const draft = landingOf(decide(compared.draft, ...asked));
    const changed = changedBetween(now, draft);
    if (changed.length === 0) continue;
    const why = now.rule === draft.rule ? [] : whyOf(now.rule, explain(compared.draft, ...asked), compared);
    elsewhere = { step, now, draft, changed, why };
    break;
  }
  if (!decidedAny) return null;
  return { call_id, at: new Date(at).toISOString(), from, to, left_out: [...left_out], elsewhere };
}

/** What the caller would notice, with the rule that says so. */
function landingOf(decision: Decision | Question): Landing {
  const {
    ruleset: _,
    decided_at: __,
    looked_at: ___,
    more_looked_at: ____,
    after_wrong: _____,
    ...landing
  } = decision;
  const copy = structuredClone(landing);
  maskSecrets(copy);
  return copy;
}

/** Another rule that does the same is no change. */
function changedBetween(now: Landing, draft: Landing): string[] {
  const [before, after] = [partsOf(now), partsOf(draft)];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}

function partsOf({ rule: _, join, ...landing }: Landing): Map<string, string> {
  const ofJoin = Object.entries((join ?? {}) as object).map(([key, value]) => [`join.${key}`, value]);
  return new Map(
    [...Object.entries(landing), ...ofJoin]
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [String(name), canonicalJson(value)]),
  );
}

/** Why the draft takes another rule than the one that serves. */
function whyOf(
  before: string | null,
  { rule, looked_at }: Decision | Question,
  { draft_ids }: Compared,
): string[] {
  const why: string[] = [];
  const old = looked_at.find((look) => look.rule === before);
  if (before !== null && before !== rule) {
    if (!draft_ids.has(before)) why.push(`The draft has no rule ${before}.`);
    else if (old === undefined) why.push(`Rule ${before} comes after rule ${rule} in the draft.`);
    else if (old.entered)
      why.push(`Rule ${before} leads to ${rule === null ? "no rule" : `rule ${rule}`} now.`);
    else why.push(`Rule ${before} no longer decides${said(old, (finding) => !finding.holds)}.`);
  }
  const winner = looked_at.find((look) => look.rule === rule);
  if (rule === null) why.push("No rule of the draft matches.");
  else if (winner !== undefined)
    why.push(`Rule ${rule} matches${said(winner, () => true) || " every call"}.`);
  return why;
}

/** Empty where there is nothing to say. */
function said({ findings }: Look, isTold: (finding: Finding) => boolean): string {
  const told = findings.filter(isTold).map(({ field, why }) => `${field}: ${why}`);
  return told.length === 0 ? "" : `: ${told.join("; ")}`;
}
