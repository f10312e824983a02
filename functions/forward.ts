import { asForm, asJson, type CallbackBody } from "../shared/callback-body.ts";
import type { CallbackKind, ForwardTo } from "../shared/callbacks.ts";
import { describeError, log } from "./log.ts";

/** As SignalWire does: up to three tries, then it is lost; ours says so in the log. */
const PAUSES_MS = [0, 1_000, 2_000] as const;
const TIMEOUT_MS = 5_000;

/** What is to be told, and of which of a tenant's callbacks. */
export interface Told {
  kind: CallbackKind;
  /** As it came: it goes out whole, in the form that the rule wants. */
  body: CallbackBody;
  /** The project's id. */
  account: string;
}

/**
 * Sends the callback to the rule's own URL; false where it did not take it. Never rejects. URLs are not logged: they may carry
 * tokens. Redirects are not followed: the event, and the URL's token, are meant for the rule's own server.
 */
export async function forward(to: ForwardTo, told: Told, said: Record<string, unknown>): Promise<boolean> {
  let failure = "";
  for (const pause of PAUSES_MS) {
    if (pause > 0) await scheduler.wait(pause);
    const why = await tryForward(to, told);
    if (why === null) return true;
    failure = why;
  }
  notForwarded(failure, said);
  return false;
}

/** One try of it: null, or why the server did not take it. Never rejects. */
export async function tryForward(to: ForwardTo, told: Told): Promise<string | null> {
  try {
    const response = await send(to, told);
    await response.body?.cancel();
    return response.ok ? null : `answered ${response.status}`;
  } catch (error) {
    return describeError(error);
  }
}

/** Says in the log that it is not tried again. */
export function notForwarded(why: string, said: Record<string, unknown>): void {
  log("warn", "callback.not_forwarded", { ...said, why });
}

async function send(to: ForwardTo, { kind, body, account }: Told): Promise<Response> {
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "manual" } as const;
  if (to.method === "GET") {
    const url = new URL(to.url);
    // Appended as text: the rule's own query would be written anew.
    url.search = [url.search.slice(1), String(asForm(body, kind, account))].filter(Boolean).join("&");
    return await fetch(url, options);
  }
  if (to.as === "form")
    return await fetch(to.url, { ...options, method: "POST", body: asForm(body, kind, account) });
  return await fetch(to.url, {
    ...options,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ project_id: account, ...asJson(body) }),
  });
}
