import * as z from "zod";
import { type CallRecording, throughout } from "./call-recordings.ts";
import type { Call } from "./calls.ts";
import { startCxml } from "./cxml-documents.ts";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { describeIssues } from "./relay-methods.ts";
import { compatibilityPage } from "./rest-pages.ts";

/** The form of the compatibility API's "update a call", as far as a conference router needs it. */
const updateSchema = z.strictObject({
  Url: z.url({ protocol: /^https?$/ }).optional(),
  Method: z.enum(["GET", "POST"]).default("POST"),
  Status: z.enum(["completed", "canceled"]).optional(),
});

/** That of "create a recording" and of "update a recording" of a call. */
const recordSchema = z.strictObject({
  RecordingTrack: z.enum(["inbound", "outbound", "both"]).default("both"),
  RecordingChannels: z.enum(["mono", "dual"]).default("mono"),
  RecordingStatusCallback: z.url({ protocol: /^https?$/ }).optional(),
  RecordingStatusCallbackMethod: z.enum(["GET", "POST"]).optional(),
  RecordingStatusCallbackEvent: z.string().optional(),
  Trim: z.enum(["trim-silence", "do-not-trim"]).optional(),
});
const recordingUpdateSchema = z.strictObject({
  Status: z.enum(["paused", "in-progress", "stopped"]),
  PauseBehavior: z.enum(["skip", "silence"]).default("silence"),
});

const missing: WebAnswer = { status: 404, json: { code: 20404, message: "Not found", status: 404 } };

/** `…/Calls/{CallSid}/Recordings`, and one of them: recordings of one call, made by any way. */
export function serveCallRecordings(project: Project, request: WebRequest): WebAnswer {
  const [call_sid = "", , recording_sid] = request.path.slice(6);
  const call = [...project.calls.values()].find((one) => one.sid === call_sid);
  if (call === undefined || !isKnown(project, call)) return missing;
  const { method, url } = request;
  const form = Object.fromEntries(new URLSearchParams(request.body));
  if (recording_sid === undefined && method === "POST") return record(project, call, form);
  const kept = call.recordings.filter(({ deleted }) => !deleted);
  if (recording_sid === undefined) {
    const found = kept.map((one) => callRecordingView(project, call, one));
    return compatibilityPage(url, "recordings", found, "whole");
  }
  const one = kept.find(({ sid }) => sid === recording_sid.replace(/\.json$/, ""));
  if (one === undefined) return missing;
  if (method === "DELETE") {
    one.deleted = true;
    return { status: 204 };
  }
  if (method === "POST") {
    const parsed = recordingUpdateSchema.safeParse(form);
    if (!parsed.success) return malformed(project, "malformed update of a call's recording", parsed.error);
    if (!one.isOpen)
      return { status: 400, json: { code: 21220, message: "Recording is not in progress", status: 400 } };
    if (parsed.data.Status === "paused") one.pause();
    else if (parsed.data.Status === "in-progress") one.resume();
    else one.stop();
  }
  return { status: 200, json: callRecordingView(project, call, one) };
}

/** Which calls the compatibility API knows is one question, whatever it is asked about them. */
function isKnown({ switches }: Project, call: Call): boolean {
  if (call.origin === "cxml") return switches.rest_drives_cxml_calls;
  return switches.call_status_known === "all";
}

function record(project: Project, call: Call, form: Record<string, string>): WebAnswer {
  const parsed = recordSchema.safeParse(form);
  if (!parsed.success) return malformed(project, "malformed recording of a call", parsed.error);
  if (call.over || call.state !== "answered")
    return { status: 400, json: { code: 21220, message: "Call is not in progress", status: 400 } };
  const direction = { inbound: "speak", outbound: "listen", both: "both" } as const;
  const asked = { direction: direction[parsed.data.RecordingTrack], control_id: null, terminators: "" };
  const recording = call.record({ ...throughout, ...asked });
  return { status: 201, json: callRecordingView(project, call, recording) };
}

function malformed(project: Project, reason: string, error: z.ZodError): WebAnswer {
  const issues = describeIssues(error);
  project.journal.note("violation", { reason, issues });
  return { status: 400, json: { code: 21200, message: "Invalid params", issues } };
}

export function callRecordingView(
  project: Project,
  call: Call,
  recording: CallRecording,
): Record<string, unknown> {
  const { sid, state, since, isOpen } = recording;
  const words = { recording: "in-progress", paused: "paused", finished: "completed", no_input: "absent" };
  return {
    sid,
    account_sid: project.project_id,
    call_sid: call.sid,
    conference_sid: null,
    status: words[state],
    start_time: new Date(since).toUTCString(),
    date_created: new Date(since).toUTCString(),
    duration: isOpen ? null : recording.duration_s,
    channels: 1,
    source: recording.control_id === null ? "StartCallRecordingAPI" : "RecordVerb",
    uri: `/api/laml/2010-04-01/Accounts/${project.project_id}/Recordings/${sid}.json`,
  };
}

/** `GET …/Calls/{CallSid}`: how a call is. `POST`: the compatibility API's way to lead a cXML call to another document, or to end it. */
export function serveCalls(project: Project, request: WebRequest): WebAnswer {
  const sid = (request.path[6] ?? "").replace(/\.json$/, "");
  const call = [...project.calls.values()].find((one) => one.sid === sid);
  // To be led elsewhere by form a call has to be cXML's; to be looked at, where the switch says so.
  const isCxmlOnly = request.method === "POST" || project.switches.call_status_known === "cxml_only";
  const isMissing = call === undefined || (isCxmlOnly && call.origin !== "cxml");
  if (isMissing || (call.origin === "cxml" && !project.switches.rest_drives_cxml_calls)) {
    return missing;
  }
  if (request.method === "POST") {
    const parsed = updateSchema.safeParse(Object.fromEntries(new URLSearchParams(request.body)));
    if (!parsed.success) return malformed(project, "malformed update of a call", parsed.error);
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
