import * as z from "zod";
import { evidenceOfStatus } from "../shared/evidence.ts";
import { accountPath, failureOf, type RestOutcome, readJson, request } from "./rest.ts";
import type { Project } from "./tenants/tenant.ts";

// Single calls by REST: commands for one, and its status.

/** The commands that REST takes and we give. It has none that answers or joins: a transfer to a document that does is one. */
export type RestCommand =
  | "calling.end"
  | "calling.play"
  | "calling.play.stop"
  | "calling.record"
  | "calling.record.pause"
  | "calling.record.resume"
  | "calling.record.stop"
  | "calling.transfer";

/** A command for an active call by its id alone: the lever where RELAY is down or does not see the call. */
export async function commandCall(
  project: Project,
  call_id: string,
  command: RestCommand,
  params: Record<string, unknown>,
  signal: AbortSignal,
): Promise<RestOutcome> {
  try {
    const response = await request(project, "/api/calling/calls", signal, { command, id: call_id, params });
    await response.body?.cancel();
    if (response.ok) return { kind: "ok" };
    if (response.status === 404 || response.status === 410)
      return { kind: "refused", code: `${response.status}` };
    return failedWith(response);
  } catch (error) {
    return failureOf(error);
  }
}

function failedWith({ status }: Response): RestOutcome {
  return { kind: "failed", reason: `REST answered ${status}`, status };
}

/**
 * Moves a call that runs cXML to another document: the compatibility API's "update a call". What SignalWire answers for a call
 * that is over is not documented: a refusal says that it cannot be moved, and not that it is over.
 */
export async function redirectCall(
  project: Project,
  call_sid: string,
  url: string,
  signal: AbortSignal,
): Promise<RestOutcome> {
  return await updateCall(project, call_sid, { Url: url, Method: "POST" }, signal);
}

/** Ends a call by the compatibility API: the lever for a call of cXML's that the command API does not see. */
export async function hangUpCall(
  project: Project,
  call_sid: string,
  signal: AbortSignal,
): Promise<RestOutcome> {
  return await updateCall(project, call_sid, { Status: "completed" }, signal);
}

async function updateCall(
  project: Project,
  call_sid: string,
  change: Record<string, string>,
  signal: AbortSignal,
): Promise<RestOutcome> {
  try {
    const response = await request(project, callPath(project, call_sid), signal, new URLSearchParams(change));
    await response.body?.cancel();
    if (response.status === 404 || response.status === 410)
      return { kind: "refused", code: response.status === 404 ? "404" : "410" };
    return response.ok ? { kind: "ok" } : failedWith(response);
  } catch (error) {
    return failureOf(error);
  }
}

const statusSchema = z.object({ status: z.string() });

/** How a call is, by each of the two APIs that can say it; null where that one does not know the call. */
export interface CallStatuses {
  compatibility: string | null;
  /** Of the newest segment that we know: a finished segment before it is not a finished call. */
  voice_log: string | null;
}

/**
 * Asks for a call's own status: the compatibility API first, and, unless that says that the call lives, the voice log of its
 * segment. Throws where SignalWire does not answer.
 * @param segment_id the newest that is known; null: the voice log is not asked.
 */
export async function callStatuses(
  project: Project,
  call_sid: string,
  segment_id: string | null,
  signal: AbortSignal,
): Promise<CallStatuses> {
  const compatibility = await statusAt(project, callPath(project, call_sid), signal);
  if (evidenceOfStatus(compatibility) === "alive" || segment_id === null) {
    return { compatibility, voice_log: null };
  }
  const voice_log = await statusAt(project, `/api/voice/logs/${encodeURIComponent(segment_id)}`, signal);
  return { compatibility, voice_log };
}

/** What the two say together: a call is over only if one says so and the other does not say that it lives. */
export function evidenceOfStatuses({ compatibility, voice_log }: CallStatuses): "over" | "alive" | "nothing" {
  const said = [evidenceOfStatus(compatibility), evidenceOfStatus(voice_log)];
  if (said.includes("alive")) return "alive";
  return said.includes("over") ? "over" : "nothing";
}

async function statusAt(project: Project, path: string, signal: AbortSignal): Promise<string | null> {
  const response = await request(project, path, signal);
  if (response.status === 404) {
    await response.body?.cancel();
    return null;
  }
  return statusSchema.parse(await readJson(response)).status;
}

function callPath(project: Project, call_sid: string): string {
  return `${accountPath(project)}/Calls/${encodeURIComponent(call_sid)}.json`;
}
