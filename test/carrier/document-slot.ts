import type { Call } from "./calls.ts";
import { outgoing } from "./outgoing.ts";
import type { Project } from "./project.ts";
import type { Ending } from "./swml/runner.ts";
import type { WebhookMessage } from "./webhooks.ts";

export interface DocumentAnswer {
  readonly status: number;
  readonly content_type: string;
  readonly body: string;
}

/** Runs a document on the call, in place of the one that runs; when it has run out, or nothing can run, the call ends. */
export function takeSlot(call: Call, run: (signal: AbortSignal) => Promise<Ending>): void {
  call.document?.abort(new Error("another document took over"));
  if (call.over) return;
  const running = new AbortController();
  call.document = running;
  run(running.signal).then(
    (ending) => {
      if (call.document !== running || ending.over === "replaced") return;
      if (ending.over === "stranded") {
        call.stranded = true;
        call.note("document", { stranded: ending.reason ?? "no reason given" });
      }
      call.hangUp(ending.over === "stranded" ? "error" : "hangup");
    },
    (error: unknown) => {
      call.note("violation", { runner_failed: error instanceof Error ? (error.stack ?? "") : String(error) });
      call.hangUp("error");
    },
  );
}

/** Asks for a document so often, all at the same instant; the answer of the first one sent counts. */
export async function askForDocument(
  project: Project,
  call: Call,
  message: WebhookMessage,
  copies: number,
  signal: AbortSignal,
): Promise<DocumentAnswer> {
  const first = askOnce(project, call, message, signal);
  for (let copy = 1; copy < copies; copy += 1) {
    // A copy's fate is in the journal and changes nothing.
    askOnce(project, call, message, signal).catch(() => {});
  }
  call.ring();
  const answered = () => {
    if (call.webhook_in_flight === in_flight) call.webhook_in_flight = null;
  };
  const in_flight: Promise<void> = first.then(answered, answered);
  call.webhook_in_flight = in_flight;
  return await first;
}

async function askOnce(
  project: Project,
  call: Call,
  message: WebhookMessage,
  signal: AbortSignal,
): Promise<DocumentAnswer> {
  const facts = { call_id: call.call_id, to: call.facts.to };
  const sender = outgoing(project, "webhook", facts, (entry) => {
    const { at, ms, status = null, failed } = entry;
    call.webhooks.push({ url: entry.url, at, ms, status });
    const why = failed === undefined ? {} : { failed };
    project.journal.note("webhook", { ...facts, url: entry.url, sent_at: at, ms, status, ...why });
  });
  const outcome = await sender.send(message, signal);
  if (!outcome.ok) throw new Error(outcome.reason);
  const { status, headers, body } = outcome.response;
  return { status, content_type: headers["content-type"] ?? "", body };
}
