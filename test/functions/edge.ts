import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { cxmlHook } from "../../functions/webhooks/cxml.ts";
import { statusHooks } from "../../functions/webhooks/status-callbacks.ts";
import { swmlHook } from "../../functions/webhooks/swml.ts";
import { signForm } from "../../shared/form-signature.ts";
import { signJson } from "../../shared/signature.ts";
import type { Fixture } from "./fixture.ts";

const hooks = new Hono<{ Bindings: Env }>()
  .route("/hooks", swmlHook)
  .route("/hooks", cxmlHook)
  .route("/hooks", statusHooks);

/** The hooks in the test's own isolate, with bindings that the test has replaced. */
export async function atEdge(request: Request, bindings: Record<string, unknown> = {}): Promise<Response> {
  const ctx = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} };
  return await hooks.request(request, {}, { ...env, PUBLIC_URL: "https://partyline.test", ...bindings }, ctx);
}

/** Keys that were read of a KV that may be made to fail. */
export function watchedKv(): { DIRECTORY: Pick<KVNamespace, "get">; keys: string[]; fail: () => void } {
  const keys: string[] = [];
  let fails = false;
  const get = async (key: string) => {
    keys.push(key);
    if (fails) throw new Error("KV is down");
    return await env.DIRECTORY.get(key);
  };
  return {
    DIRECTORY: { get } as unknown as Pick<KVNamespace, "get">, // All of it that is called here.
    keys,
    fail: () => {
      fails = true;
    },
  };
}

/** A limiter that counts the keys it was asked for, and says of each that it is over its limit. */
export function exhaustedLimiter(): { REFUSALS: RateLimit; keys: string[] } {
  const keys: string[] = [];
  const limit = async ({ key }: RateLimitOptions) => {
    keys.push(key);
    return { success: false };
  };
  return { REFUSALS: { limit }, keys };
}

/** A body that counts how often it is read from. */
export function watchedBody(): { body: ReadableStream; pulls: () => number } {
  let pulls = 0;
  const pull = () => {
    pulls += 1;
  };
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), pulls: () => pulls };
}

/** A call's webhook as SignalWire would sign it for this tenant. */
export async function signedCall(
  home: Fixture,
  via: "swml" | "cxml",
  {
    from = "+15550100001",
    to = "+15550100100",
    headers = {},
    query,
  }: { from?: string; to?: string; headers?: Record<string, string>; query?: Record<string, string> } = {},
): Promise<Request> {
  const url = home.webhook_url.replace(/swml$/, via) + (query ? `?${new URLSearchParams(query)}` : "");
  const key = home.carrier.signing_key;
  if (via === "cxml") {
    const body = `${new URLSearchParams({ CallSid: crypto.randomUUID(), From: from, To: to })}`;
    const type = "application/x-www-form-urlencoded";
    const signature = await signForm(key, url, body);
    return new Request(url, {
      method: "POST",
      headers: { "content-type": type, "x-signalwire-signature": signature, ...headers },
      body,
    });
  }
  const call = { call_id: crypto.randomUUID(), node_id: "node-1@us-east", direction: "inbound", from, to };
  const body = JSON.stringify({ call, vars: {}, params: {} });
  const signature = await signJson("SHA-256", key, url, new TextEncoder().encode(body));
  return new Request(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-signalwire-sha256-signature": signature, ...headers },
    body,
  });
}
