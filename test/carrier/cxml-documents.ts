import type { Call } from "./calls.ts";
import type { CxmlIo, Source } from "./cxml/fetching.ts";
import { runCxml } from "./cxml/runner.ts";
import { askForDocument, takeSlot } from "./document-slot.ts";
import type { Project } from "./project.ts";

/** Fetches a cXML document and runs it on the call; the first fetch goes out `copies` times, all at the same instant. */
export function startCxml(project: Project, call: Call, start: Source, copies = 1): void {
  const io = cxmlIo(project, call, copies);
  takeSlot(call, (signal) => runCxml(call, start, io, signal));
}

/** How a call's cXML comes: as forms, or queries, with the usual fields of the call. */
export function cxmlIo(project: Project, call: Call, copies: number): CxmlIo {
  const { cxml_fallback_url, cxml_method } = call.facts;
  const is_first = call.document === null;
  let first_copies = copies;
  return {
    fetch: async ({ url, method }, more, signal) => {
      const fields = [...fieldsOf(project, call), ...more];
      const sent = first_copies;
      first_copies = 1;
      return await askForDocument(project, call, { kind: "cxml", url, method, fields }, sent, signal);
    },
    ...(cxml_fallback_url === undefined
      ? {}
      : { fallback: { url: cxml_fallback_url, method: cxml_method ?? "POST" } }),
    is_first,
    get switches() {
      return project.switches;
    },
    callIdOf: (sid) => [...project.calls.values()].find((one) => one.sid === sid)?.call_id,
  };
}

function fieldsOf(project: Project, call: Call): (readonly [string, string])[] {
  const { to, direction } = call.facts;
  return [
    ["CallSid", call.sid],
    ["AccountSid", project.project_id],
    ["ApiVersion", "2010-04-01"],
    ["From", call.caller],
    ["To", to],
    ["CallStatus", call.state === "answered" ? "in-progress" : "ringing"],
    ["Direction", direction === "inbound" ? "inbound" : "outbound-api"],
    ["CallerName", call.caller],
  ];
}
