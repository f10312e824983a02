import { keepCall, showsLeftOut } from "../../shared/kept-call.ts";
import type { Answers } from "../../shared/rules/answers.ts";
import type { Decision, Look, Question } from "../../shared/rules/decision.ts";
import { describeError, log } from "../log.ts";
import type { KeptAnswer, KeptDecision, WebhookNote, WebhookSaid } from "../session/contract/history.ts";
import type { CallContext, RequestContext, Resolution } from "./call-context.ts";

/** Rules kept of those that were looked at, beside the winners; the others are counted, and can be computed again. */
const LOOKS = 12;
const NOT_SHOWN = "not kept: it shows something that is left out of the call";

/**
 * Adds the decision, and the call without its secrets, to the request's history entry. Logs if deciding would have taken too
 * many steps.
 */
export function recordDecision(context: CallContext, decision: Decision | Question, answers: Answers): void {
  const { call, left_out } = keepCall(context.call);
  const { action, rule, ruleset, decided_at, over_budget } = decision;
  if (over_budget) {
    const { tenant } = context.tenant;
    log("warn", "decide.over_budget", { tenant, call: context.call.call_id, ...over_budget });
  }
  const kept: KeptDecision = {
    action,
    rule,
    ruleset,
    decided_at,
    ...looks(context, decision, left_out),
    rooms: decision.action === "place" ? decision.rooms : [],
    role: decision.action === "place" ? decision.role : null,
    answers: keptAnswers(answers, context.tenant.rules_text ?? ""),
  };
  context.note = { ...context.note, decision: kept, call, left_out };
}

/** Tells the session of a webhook that it has not heard of. Never rejects: the call is answered already. */
export async function recordWebhook(
  request: RequestContext,
  call_id: string,
  note: WebhookNote,
  resolution: Resolution,
): Promise<void> {
  const { tenant, project } = request.tenant;
  const { outcome, rule, room, ruleset, reason } = resolution;
  const said: WebhookSaid = {
    outcome,
    rule,
    room,
    ...(ruleset === undefined ? {} : { ruleset }),
    ...(reason === undefined ? {} : { reason }),
    ms: Date.now() - request.received_at,
  };
  try {
    const { project_id } = project;
    await request.session.note({ v: 1, project_id, tenant, call_id, note, said });
  } catch (error) {
    log("warn", "webhook.not_journaled", { tenant, call: call_id, error: describeError(error) });
  }
}

function looks(
  { call }: CallContext,
  { looked_at, more_looked_at = 0, over_budget }: Decision | Question,
  left_out: readonly string[],
): Pick<KeptDecision, "looked_at" | "more_looked_at"> {
  const isTelling = (look: Look): boolean =>
    look.matched || look.entered === true || look.rule === over_budget?.rule;
  const first = new Set([...looked_at.filter(isTelling), ...looked_at].slice(0, LOOKS));
  const kept = looked_at
    .filter((look) => first.has(look))
    .map((look) => ({
      ...look,
      findings: look.findings.map((finding) =>
        showsLeftOut(`${finding.field} ${finding.why}`, call, left_out)
          ? { ...finding, why: NOT_SHOWN }
          : finding,
      ),
    }));
  return { looked_at: kept, more_looked_at: more_looked_at + looked_at.length - kept.length };
}

/** What a secret answer matched: an HMAC that the ruleset has anyway, or what KV holds. */
function keptAnswers(answers: Answers, ruleset: string): Record<string, KeptAnswer> {
  const kept = Object.entries(answers).map(([name, answer]): [string, KeptAnswer] => {
    const { value, hmac, pin, tries = 1 } = answer;
    if (value !== undefined) return [name, { tries, keyed: "open", value }];
    if (hmac === undefined) return [name, { tries, keyed: "nothing" }];
    const matched = ruleset.includes(hmac) ? { matched: hmac } : {};
    return [name, { tries, keyed: "secret", ...matched, ...(pin === undefined ? {} : { pin }) }];
  });
  return Object.fromEntries(kept);
}
