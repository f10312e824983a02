import type { Call } from "./calls.ts";
import { cxmlOf, isXml } from "./cxml/fetching.ts";
import { runCxml } from "./cxml/runner.ts";
import { cxmlIo } from "./cxml-documents.ts";
import { askForDocument, type DocumentAnswer, takeSlot } from "./document-slot.ts";
import type { Project } from "./project.ts";
import { type DocumentIo, type Ending, runDocument } from "./swml/runner.ts";

export interface DocumentStart {
  readonly start: { url: string } | { document: unknown };
  readonly params?: Record<string, unknown>;
  /** The first fetch goes out so often, all at the same instant; the answer of the first one sent is used. */
  readonly duplicate_webhooks?: number;
}

/** Runs a SWML document on the call; where a cXML call is led to a URL that answers with cXML, that one. */
export function startDocument(project: Project, call: Call, { start, params, ...more }: DocumentStart): void {
  // The first document of a call is the one that it was not transferred to.
  const is_first = call.state === "created";
  let transferred = !is_first;
  if ("document" in start && !call.over) takeOutOfConference(project, call, transferred);
  takeSlot(call, async (signal): Promise<Ending> => {
    // An answer in cXML is none for the SWML runner: that one is stopped, and the other takes over.
    const foreign = new AbortController();
    const seen: { answer: DocumentAnswer | null } = { answer: null };
    let copies = more.duplicate_webhooks ?? 1;
    const { fallback_url } = call.facts;
    const io: DocumentIo = {
      fetch: async (url, body, fetching) => {
        const message = { kind: "document", url, body: withStateAsTold(project, body) } as const;
        const answer = await askForDocument(project, call, message, copies, fetching);
        copies = 1;
        // Only now does a document start.
        if (!fetching.aborted) takeOutOfConference(project, call, transferred);
        if (call.origin === "cxml" && isXml(answer.content_type)) {
          seen.answer = answer;
          foreign.abort(new Error("the answer is cXML"));
        }
        return answer;
      },
      ...(fallback_url === undefined ? {} : { fallback_url }),
      is_first,
      ledBy: (step) => {
        transferred = step === "transfer";
      },
      params: params ?? {},
      max_transfers: 32,
      get switches() {
        return project.switches;
      },
    };
    const ending = await runDocument(call, start, io, AbortSignal.any([signal, foreign.signal]));
    if (seen.answer === null || signal.aborted || !("url" in start)) return ending;
    const found = cxmlOf(call, { url: start.url, method: "POST" }, seen.answer);
    return await runCxml(call, { found }, cxmlIo(project, call, 1), signal);
  });
}

function withStateAsTold({ switches }: Project, body: Record<string, unknown>): Record<string, unknown> {
  if (switches.webhook_call_state === "current") return body;
  return { ...body, call: { ...Object(body["call"]), call_state: "created" } };
}

function takeOutOfConference({ switches }: Project, call: Call, transferred: boolean): void {
  const takes = switches.document_takes_call_out_of_conference;
  const by_this = switches.taken_out_at === "any_document" || transferred;
  if (takes && by_this && call.joined_by === "relay") call.conference?.leave(call.call_id);
}
