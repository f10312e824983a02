import type { Call } from "../../shared/call.ts";
import type { Step } from "../../shared/documents/step.ts";
import type { Decision } from "../../shared/rules/decision.ts";
import { describeError, log } from "../log.ts";
import { areRecordsNews, handOverRecords } from "../tenants/last-good-records.ts";
import { handOver, isNews } from "../tenants/last-good-ruleset.ts";
import { answerCall, answerOutbound } from "./answer-call.ts";
import { tellLeft } from "./ask-session.ts";
import { historyEntryOf, type RequestContext, type Resolution } from "./call-context.ts";
import { recordWebhook } from "./record-history.ts";

/** Names of log events, for webhooks and for calls on RELAY contexts. */
const LOGGED = {
  webhook: { answered: "webhook.answered", broke: "webhook.broke" },
  relay: { answered: "call.answered", broke: "call.broke" },
} as const;

/** What came with a call. */
export interface Brought {
  /** Its own state, sealed; absent: the call is new. */
  sealed?: unknown;
  /** What an outbound call was made for. */
  made_for?: Decision;
  /** What it does if nothing can be decided; absent: it hears the apology. */
  otherwise?: Step;
}

/** What a call is to do next, however it came. Never rejects: if something breaks, the caller hears the apology. */
export async function resolveCall(
  request: RequestContext,
  call: Call,
  { sealed, made_for, otherwise }: Brought,
  ingress: keyof typeof LOGGED,
): Promise<Resolution> {
  try {
    return made_for !== undefined && sealed === undefined
      ? await answerOutbound(request, call, made_for)
      : await answerCall(request, call, sealed);
  } catch (error) {
    const { tenant } = request.tenant;
    log("error", LOGGED[ingress].broke, { tenant, call: call.call_id, error: describeError(error) });
    return { ...apology(otherwise), note: historyEntryOf(call, request.received_at) };
  }
}

/** The resolution of a request on which nothing can be decided. */
export function apology(next: Step = { does: "apologise" }): Resolution {
  return { next, rule: null, outcome: "apology", room: null, step: 0 };
}

/** Logs the answer, and afterwards tells the session what it does not know yet; nothing if the request is not authentic. */
export function reportResolution(
  request: RequestContext,
  resolution: Resolution,
  answered: { ingress: keyof typeof LOGGED; call_id: string | undefined; via?: Call["via"]; since: number },
  keepAlive: (work: Promise<unknown>) => void,
): void {
  const { session, tenant, authentic } = request;
  const { ingress, call_id, via, since } = answered;
  const { next: _, note, left, told: __, ...said } = resolution;
  log("info", LOGGED[ingress].answered, {
    tenant: tenant.tenant,
    ...(call_id === undefined ? {} : { call: call_id }),
    ...(via === undefined ? {} : { via }),
    ...said,
    ms: Date.now() - since,
  });
  if (!authentic) return;
  if (note && call_id !== undefined) keepAlive(recordWebhook(request, call_id, note, resolution));
  if (left) keepAlive(tellLeft(session, tenant, left));
  if (isNews(tenant)) keepAlive(handOver(session, tenant));
  if (areRecordsNews(tenant)) keepAlive(handOverRecords(request, tenant));
}
