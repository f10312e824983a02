import * as z from "zod";
import { describeError } from "./log.ts";
import { accountPath, RestBusy, readJson, requestOnce } from "./rest.ts";
import type { Project } from "./tenants/tenant.ts";

/** What SignalWire's REST API says of a control: taken; refused with its status; or no answer, and it may have been carried out. */
export type ControlOutcome =
  | { kind: "ok" }
  | { kind: "refused"; status: number }
  | { kind: "later"; retry_after_ms: number }
  | { kind: "unanswered"; reason: string };

/** A participant as REST has it. */
export interface ParticipantState {
  muted: boolean;
  held: boolean;
  /** The call that it coaches. */
  coaching: string | null;
}

const participantShape = z.object({
  status: z.string().nullish(),
  muted: z.boolean().catch(false),
  hold: z.boolean().catch(false),
  coaching: z.boolean().catch(false),
  call_sid_to_coach: z.string().nullish(),
});
const statusShape = z.object({ status: z.string() });
const sidShape = z.object({ sid: z.string().min(1) });

/** Null where REST knows no such participant. Throws where SignalWire does not answer. */
export async function participantState(
  project: Project,
  sid: string,
  call_id: string,
  signal: AbortSignal,
): Promise<ParticipantState | null> {
  const response = await requestOnce(project, participantPath(project, sid, call_id), signal);
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  return stateOf(participantShape.parse(await readJson(response)));
}

function stateOf(one: z.infer<typeof participantShape>): ParticipantState | null {
  if (one.status === "completed") return null;
  return { muted: one.muted, held: one.hold, coaching: one.coaching ? (one.call_sid_to_coach ?? "") : null };
}

/** The status of a conference or recording; null where REST knows none. Throws where SignalWire does not answer. */
export async function conferenceStatus(
  project: Project,
  sid: string,
  signal: AbortSignal,
): Promise<string | null> {
  return await statusAt(project, `${conferencePath(project, sid)}.json`, signal);
}

export async function recordingStatus(
  project: Project,
  sid: string,
  recording: string,
  signal: AbortSignal,
): Promise<string | null> {
  return await statusAt(project, recordingPath(project, sid, recording), signal);
}

async function statusAt(project: Project, path: string, signal: AbortSignal): Promise<string | null> {
  const response = await requestOnce(project, path, signal);
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  return statusShape.parse(await readJson(response)).status;
}

/** A recording of a call; null where REST knows none. Throws where SignalWire does not answer. */
export async function callRecordingStatus(
  project: Project,
  call_id: string,
  sid: string,
  signal: AbortSignal,
): Promise<string | null> {
  return await statusAt(project, callRecordingPath(project, call_id, sid), signal);
}

/** Records a call as long as it lasts, whatever pauses there are: the recording's sid, or what came of it. */
export async function recordCall(
  project: Project,
  call_id: string,
  signal: AbortSignal,
): Promise<{ kind: "made"; sid: string } | Exclude<ControlOutcome, { kind: "ok" }>> {
  const path = `${accountPath(project)}/Calls/${encodeURIComponent(call_id)}/Recordings`;
  try {
    const response = await requestOnce(
      project,
      path,
      signal,
      new URLSearchParams({ RecordingTrack: "both" }),
    );
    if (response.ok) return { kind: "made", sid: sidShape.parse(await readJson(response)).sid };
    await response.body?.cancel();
    return { kind: "refused", status: response.status };
  } catch (error) {
    return notAnswered(error);
  }
}

export async function updateCallRecording(
  project: Project,
  call_id: string,
  sid: string,
  form: Record<string, string>,
  signal: AbortSignal,
): Promise<ControlOutcome> {
  return await control(project, callRecordingPath(project, call_id, sid), form, signal);
}

export async function updateParticipant(
  project: Project,
  sid: string,
  call_id: string,
  form: Record<string, string>,
  signal: AbortSignal,
): Promise<ControlOutcome> {
  return await control(project, participantPath(project, sid, call_id), form, signal);
}

/** Takes a participant out of its conference; its call goes on. */
export async function takeOutParticipant(
  project: Project,
  sid: string,
  call_id: string,
  signal: AbortSignal,
): Promise<ControlOutcome> {
  return await control(project, participantPath(project, sid, call_id), undefined, signal, "DELETE");
}

export async function updateConference(
  project: Project,
  sid: string,
  form: Record<string, string>,
  signal: AbortSignal,
): Promise<ControlOutcome> {
  return await control(project, `${conferencePath(project, sid)}.json`, form, signal);
}

export async function updateRecording(
  project: Project,
  sid: string,
  recording: string,
  form: Record<string, string>,
  signal: AbortSignal,
): Promise<ControlOutcome> {
  return await control(project, recordingPath(project, sid, recording), form, signal);
}

async function control(
  project: Project,
  path: string,
  form: Record<string, string> | undefined,
  signal: AbortSignal,
  method = "POST",
): Promise<ControlOutcome> {
  try {
    const body = form && new URLSearchParams(form);
    const response = await requestOnce(project, path, signal, body, method);
    await response.body?.cancel();
    return response.ok ? { kind: "ok" } : { kind: "refused", status: response.status };
  } catch (error) {
    return notAnswered(error);
  }
}

function notAnswered(error: unknown): Extract<ControlOutcome, { kind: "later" | "unanswered" }> {
  if (error instanceof RestBusy) return { kind: "later", retry_after_ms: error.retry_after_ms };
  return { kind: "unanswered", reason: describeError(error) };
}

function conferencePath(project: Project, sid: string): string {
  return `${accountPath(project)}/Conferences/${encodeURIComponent(sid)}`;
}

function participantPath(project: Project, sid: string, call_id: string): string {
  return `${conferencePath(project, sid)}/Participants/${encodeURIComponent(call_id)}.json`;
}

function callRecordingPath(project: Project, call_id: string, sid: string): string {
  return `${accountPath(project)}/Calls/${encodeURIComponent(call_id)}/Recordings/${encodeURIComponent(sid)}.json`;
}

function recordingPath(project: Project, sid: string, recording: string): string {
  return `${conferencePath(project, sid)}/Recordings/${encodeURIComponent(recording)}.json`;
}
