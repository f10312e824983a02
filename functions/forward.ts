import { callbackForm, type ForwardTo } from "../shared/callbacks.ts";
import type { RelayEvent } from "../shared/relay/events.ts";
import { describeError, log } from "./log.ts";

/** As SignalWire does: up to three tries, then it is lost; ours says so in the log. */
const PAUSES_MS = [0, 1_000, 2_000] as const;
const TIMEOUT_MS = 5_000;

/**
 * Sends the event to the rule's own callback URL. Never rejects. URLs are not logged: they may carry tokens. Redirects are not
 * followed: the event, and the URL's token, are meant for the rule's own server.
 */
export async function forward(
  to: ForwardTo,
  event: RelayEvent,
  account: string,
  said: Record<string, unknown>,
): Promise<void> {
  let failure = "";
  for (const pause of PAUSES_MS) {
    if (pause > 0) await scheduler.wait(pause);
    try {
      const response = await send(to, event, account);
      await response.body?.cancel();
      if (response.ok) return;
      failure = `answered ${response.status}`;
    } catch (error) {
      failure = describeError(error);
    }
  }
  log("warn", "callback.not_forwarded", { ...said, why: failure });
}

async function send(to: ForwardTo, event: RelayEvent, account: string): Promise<Response> {
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "manual" } as const;
  if (to.method === "GET") {
    const url = new URL(to.url);
    for (const [name, value] of callbackForm(event, account)) url.searchParams.set(name, value);
    return await fetch(url, options);
  }
  if (to.as === "form")
    return await fetch(to.url, { ...options, method: "POST", body: callbackForm(event, account) });
  const { event_type, timestamp, params } = event;
  return await fetch(to.url, {
    ...options,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ event_type, timestamp, project_id: account, params }),
  });
}
