import type { Call } from "./calls.ts";
import { outgoing } from "./outgoing.ts";
import type { Project } from "./project.ts";
import { type DocumentIo, runDocument } from "./swml/runner.ts";

export interface DocumentStart {
  readonly start: { url: string } | { document: unknown };
  readonly params?: Record<string, unknown>;
  /** The first fetch goes out so often, all at the same instant; the answer of the first one sent is used. */
  readonly duplicate_webhooks?: number;
}

/** Runs a document on the call, in place of the one that it runs; when it has run out, or nothing can run, the call ends. */
export function startDocument(project: Project, call: Call, { start, params, ...more }: DocumentStart): void {
  call.document?.abort(new Error("another document took over"));
  if (call.over) return;
  const running = new AbortController();
  call.document = running;
  if ("document" in start) takeOutOfConference(project, call);
  let duplicates = more.duplicate_webhooks ?? 1;
  const { fallback_url } = call.facts;
  const io: DocumentIo = {
    fetch: async (url, body, signal) => {
      const copies = duplicates;
      duplicates = 1;
      const first = fetchOnce(project, call, url, body, signal);
      for (let copy = 1; copy < copies; copy += 1) {
        // A copy's fate is in the journal and changes nothing.
        fetchOnce(project, call, url, body, signal).catch(() => {});
      }
      call.ring();
      const answer = await first;
      // Only now does a document start.
      if (!signal.aborted) takeOutOfConference(project, call);
      return answer;
    },
    ...(fallback_url === undefined ? {} : { fallback_url }),
    params: params ?? {},
    max_transfers: 32,
  };
  runDocument(call, start, io, running.signal).then(
    (ending) => {
      if (call.document !== running) return;
      if (ending.over === "replaced") return;
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

async function fetchOnce(
  project: Project,
  call: Call,
  url: string,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const facts = { call_id: call.call_id, to: call.facts.to };
  const sender = outgoing(project, "webhook", facts, (entry) => {
    const { at, ms, status = null, failed } = entry;
    call.webhooks.push({ url: entry.url, at, ms, status });
    const why = failed === undefined ? {} : { failed };
    project.journal.note("webhook", { ...facts, url: entry.url, sent_at: at, ms, status, ...why });
  });
  const outcome = await sender.send({ kind: "document", url, body }, signal);
  if (!outcome.ok) throw new Error(outcome.reason);
  return { status: outcome.response.status, body: outcome.response.body };
}

function takeOutOfConference(project: Project, call: Call): void {
  if (project.switches.document_takes_call_out_of_conference && call.joined_by === "relay") {
    call.conference?.leave(call.call_id);
  }
}
