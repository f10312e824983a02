import { isXml } from "./cxml/fetching.ts";
import { validateCxml } from "./cxml/verbs.ts";
import type { Leg } from "./leg.ts";
import { type OutgoingHost, outgoing } from "./outgoing.ts";
import { validateDocument } from "./swml/grammar.ts";
import type { WebhookMessage, WebhookResponse } from "./webhooks.ts";

interface WaitUrlHost extends OutgoingHost {
  callSid(call_id: string): string;
}

/**
 * What someone who waits hears where `wait_url` is fetched for a document: music once the document is there, and nothing
 * where what comes is none. The returned function ends it.
 */
export function hearWaitUrl(host: WaitUrlHost, leg: Leg, url: string, detail: string): () => void {
  const { wait_url_is } = host.switches;
  const over = new AbortController();
  let end = () => {};
  const message: WebhookMessage =
    wait_url_is === "cxml"
      ? { kind: "cxml", url, method: "POST", fields: [["CallSid", host.callSid(leg.call_id)]] }
      : {
          kind: "document",
          url,
          body: { call: leg.describe(), vars: { ...leg.vars }, envs: {}, params: {} },
        };
  const sender = outgoing(host, "webhook", { call_id: leg.call_id }, () => {});
  // Sending never rejects.
  void sender.send(message, over.signal).then((outcome) => {
    if (over.signal.aborted) return;
    if (outcome.ok && isDocument(message, outcome.response)) {
      leg.note("document", { wait_url: url, status: outcome.response.status });
      end = leg.hear("music", detail);
    } else {
      leg.note("document", {
        wait_url: url,
        failed: outcome.ok ? "no document to wait with" : outcome.reason,
      });
    }
  });
  return () => {
    over.abort();
    end();
  };
}

function isDocument({ kind }: WebhookMessage, { status, headers, body }: WebhookResponse): boolean {
  if (status !== 200) return false;
  if (kind === "cxml") return isXml(headers["content-type"] ?? "") && validateCxml(body).ok;
  try {
    return validateDocument(JSON.parse(body)).ok;
  } catch {
    return false;
  }
}
