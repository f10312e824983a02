import type { Context } from "hono";
import type { Call, Ingress, Webhook } from "../../shared/call.ts";
import type { Rendered } from "../../shared/documents/render.ts";
import type { Step } from "../../shared/documents/step.ts";
import { withoutSecrets } from "../../shared/documents/without-secrets.ts";
import { readResume } from "../../shared/resume-url.ts";
import { rejectByDefault } from "../../shared/rules/compile/refusal.ts";
import { answerUnusable } from "../call-flow/answer-call.ts";
import { historyEntryOf, POLL, type RequestContext, type Resolution } from "../call-flow/call-context.ts";
import { fallbackOf, noCall } from "../call-flow/fallback.ts";
import { lastStep } from "../call-flow/join-steps.ts";
import { apology, reportResolution, resolveCall } from "../call-flow/resolve-call.ts";
import { describeError, log } from "../log.ts";
import { isOverLimit, refuse } from "../refusals.ts";
import { RpcSession } from "../session-client.ts";
import { findTenant } from "../tenants/directory.ts";
import { publicUrl, type Tenant } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import { bodyLimit, readBody } from "./read-body.ts";
import { type Authentication, isSigned, type Signer } from "./signature.ts";

/** KV and everything after share this much; SignalWire reads for 5 s. */
const BUDGET_MS = 4_000;
/** A poll's caller hears nothing meanwhile. */
const POLL_BUDGET_MS = 1_500;
/** How far ahead `report_until` may lie. */
const REPORT_MS = 24 * 3_600_000;

/** In the query where a body is signed by its digest. */
const BODY_DIGEST = "bodySHA256";

/** What is a way's own: how its webhooks are signed, what they carry, and the language of what answers them. */
export interface WebhookIngress {
  via: Ingress;
  content_type: string;
  /** The body as it is verified and read; null where it can't be. Absent: as received. */
  unpack?(raw: Uint8Array, request: Request): Promise<Uint8Array | null>;
  authenticate(raw: Uint8Array, request: Request, signer: Signer): Promise<Authentication>;
  parse(raw: Uint8Array, request: Request): Webhook;
  /** @param call Null where the webhook named none. */
  write(next: Step, call: Call | null): Rendered;
}

/** SignalWire asks what to do with a call. An authentic request gets 200 and a valid document, whatever is in it. */
export async function answerWebhook(
  c: Context<{ Bindings: Env }, "/:tenant">,
  ingress: WebhookIngress,
): Promise<Response> {
  const received_at = Date.now();
  const id = c.req.param("tenant");
  const isPoll = isPollOf(c, ingress);
  const tenant = await withTimeout(
    isPoll ? POLL_BUDGET_MS : BUDGET_MS,
    findTenant(c.env, id, (work) => c.executionCtx.waitUntil(work)),
  ).catch((error: unknown) => {
    log("error", "directory.unreadable", { tenant: id, error: describeError(error) });
    return "unreadable" as const;
  });
  if (tenant === "unreadable") {
    // Whether it is authentic or not, the music goes on: nothing else is told, and nothing done.
    if (isPoll) return send(c, ingress, ingress.write({ does: "return", value: "stay" }, null).body);
    return c.text("Try the fallback URL.", 503);
  }
  if (!tenant) return await refuse(c, "webhook.refused", id, "unknown tenant");
  const reporting = isReporting(tenant, received_at);
  if (!reporting && !isSigned(c.req.raw.headers)) {
    return await refuse(c, "webhook.refused", id, "there is no signature");
  }
  const received = await readBody(c.req.raw, bodyLimit);
  if (received === "too large") return c.text("The body is over 256 KiB.", 413);
  const raw = ingress.unpack ? await ingress.unpack(received, c.req.raw) : received;
  if (raw === null) return c.text("The body's parts are no fields of a form.", 415);
  const public_url = publicUrl(c.env, tenant.record, c.req.url);
  const { url_fragment } = tenant.record;
  const authentication = await ingress.authenticate(raw, c.req.raw, {
    public_url,
    ...(url_fragment === undefined ? {} : { url_fragment }),
    signing_keys: tenant.project.signing_keys,
  });
  if (!authentication.authentic) {
    if (!reporting) return await refuse(c, "webhook.refused", id, "the signature is wrong");
    // A diagnosis takes about a hundred hashes, which a flood does not get; the call is served all the same.
    if (!(await isOverLimit(c))) {
      const { code, sentence } = await authentication.diagnose();
      log("warn", "webhook.would_refuse", { tenant: id, cause: code, why: sentence });
    }
  }
  return await serve(c, ingress, raw, {
    env: c.env,
    tenant,
    session: new RpcSession(c.env, tenant.project),
    base_url: public_url,
    received_at,
    ends_at: received_at + BUDGET_MS,
    authentic: authentication.authentic,
    ...resumedBy(c, ingress),
    ...queryOf(c, ingress),
  });
}

/** A SWML call that comes back without a sealed state; in cXML the query is the caller's. */
function resumedBy(c: Context, { via }: WebhookIngress): Pick<RequestContext, "resumed"> {
  const resumed = via === "swml" ? readResume(new URL(c.req.url).searchParams) : null;
  return resumed ? { resumed } : {};
}

/** What SignalWire's side wrote into the URL of a SWML webhook. */
function queryOf(c: Context, { via }: WebhookIngress): Pick<RequestContext, "query"> {
  if (via !== "swml") return {};
  const query = new URL(c.req.url).searchParams;
  for (const ours of [POLL, BODY_DIGEST]) query.delete(ours);
  return { query: query.toString() };
}

/** Whatever is in the request, and whatever breaks behind it. */
async function serve(
  c: Context,
  ingress: WebhookIngress,
  raw: Uint8Array,
  request: RequestContext,
): Promise<Response> {
  const { tenant } = request.tenant;
  const webhook = ingress.parse(raw, c.req.raw);
  let resolution: Resolution;
  if (webhook.ok) {
    const otherwise: Step = isPollOf(c, ingress) ? { does: "return", value: "stay" } : { does: "apologise" };
    resolution = await resolveCall(
      request,
      webhook.call,
      { sealed: webhook.partyline, otherwise },
      "webhook",
    );
  } else {
    const { path, message, call_id } = webhook;
    log("error", "webhook.unusable", {
      tenant,
      path,
      message,
      ...(call_id === undefined ? {} : { call: call_id }),
    });
    const note = {
      ...historyEntryOf({ from: "", to: "" }, request.received_at),
      purpose: "unusable" as const,
    };
    const said = webhook.ambiguous ? apology() : answerUnusable(request, ingress.via);
    resolution = { ...said, reason: `${path}: ${message}`, note };
  }
  const asked = webhook.ok ? webhook.call : noCall(ingress.via);
  if (!request.authentic) resolution = openAnswer(request, asked, resolution);
  const rendered = ingress.write(resolution.next, webhook.ok ? webhook.call : null);
  if (!rendered.ok) log("error", "document.refused", { tenant, path: rendered.path, why: rendered.why });
  reportResolution(
    request,
    resolution,
    {
      ingress: "webhook",
      call_id: webhook.ok ? webhook.call.call_id : webhook.call_id,
      since: request.received_at,
    },
    (work) => c.executionCtx.waitUntil(work),
  );
  return send(c, ingress, rendered.body);
}

/** Whether the document of a waiter asks. Those of cXML have none that could, and what is in their query is the caller's. */
function isPollOf(c: Context, { via }: WebhookIngress): boolean {
  return via === "swml" && c.req.query(POLL) === "1";
}

function send(c: Context, { content_type }: WebhookIngress, body: string): Response {
  return c.body(body, 200, { "content-type": content_type });
}

function isReporting({ record }: Tenant, now: number): boolean {
  const { report_until } = record;
  return report_until !== undefined && now < report_until && report_until <= now + REPORT_MS;
}

/** The answer to an unsigned request: nothing secret, and the tenant's fallback if nothing else is left. */
export function openAnswer(request: RequestContext, call: Call, resolution: Resolution): Resolution {
  const next = withoutSecrets(resolution.next, call.via);
  if (next) return { ...resolution, next };
  const fallback = fallbackOf(request, call);
  const openFallback = withoutSecrets(fallback.next, call.via);
  return {
    ...resolution,
    ...(openFallback
      ? { ...fallback, next: openFallback }
      : { outcome: "reject", room: null, next: lastStep({ call }, rejectByDefault()) }),
    reason: "not authentic: its document would show a secret",
  };
}
