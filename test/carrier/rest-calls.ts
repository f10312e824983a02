import * as z from "zod";
import type { Call } from "./calls.ts";
import { startCxml } from "./cxml-documents.ts";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { describeIssues } from "./relay-methods.ts";

/** The form of the compatibility API's "update a call", as far as a conference router needs it. */
const updateSchema = z.strictObject({
  Url: z.url({ protocol: /^https?$/ }).optional(),
  Method: z.enum(["GET", "POST"]).default("POST"),
  Status: z.enum(["completed", "canceled"]).optional(),
});

/** `GET …/Calls/{CallSid}`: how a call is. `POST`: the compatibility API's way to lead a cXML call to another document, or to end it. */
export function serveCalls(project: Project, request: WebRequest): WebAnswer {
  const sid = (request.path[6] ?? "").replace(/\.json$/, "");
  const call = [...project.calls.values()].find((one) => one.sid === sid);
  // To be led elsewhere by form a call has to be cXML's; to be looked at, where the switch says so.
  const isCxmlOnly = request.method === "POST" || project.switches.call_status_known === "cxml_only";
  const isMissing = call === undefined || (isCxmlOnly && call.origin !== "cxml");
  if (isMissing || (call.origin === "cxml" && !project.switches.rest_drives_cxml_calls)) {
    return { status: 404, json: { code: 20404, message: "Not found", status: 404 } };
  }
  if (request.method === "POST") {
    const parsed = updateSchema.safeParse(Object.fromEntries(new URLSearchParams(request.body)));
    if (!parsed.success) {
      const issues = describeIssues(parsed.error);
      project.journal.note("violation", { reason: "malformed update of a call", issues });
      return { status: 400, json: { code: 21200, message: "Invalid params", issues } };
    }
    if (call.over)
      return { status: 400, json: { code: 21220, message: "Call is not in progress", status: 400 } };
    const { Url: url, Method: method, Status: status } = parsed.data;
    if (status !== undefined) call.hangUp(status === "canceled" ? "cancel" : "hangup");
    else if (url !== undefined) startCxml(project, call, { url, method });
  }
  return { status: 200, json: { sid, account_sid: project.project_id, status: compatibilityWord(call) } };
}

/** How a call is, in the compatibility API's words. */
export function compatibilityWord(call: Call): string {
  const unanswered: Record<string, string> = { busy: "busy", noAnswer: "no-answer", cancel: "canceled" };
  if (call.over) return unanswered[call.end_reason ?? ""] ?? "completed";
  return call.state === "answered" ? "in-progress" : "ringing";
}
