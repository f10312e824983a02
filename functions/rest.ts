import * as z from "zod";
import { evidenceOfStatus, type Listed } from "../shared/evidence.ts";
import { describeError } from "./log.ts";
import type { Urgency } from "./slots.ts";
import type { Project } from "./tenants/tenant.ts";

/** Runs a REST request when there is room for one more. It may wait `ms` for that, and its timeout of `ms` starts then. */
export type RunRest = <T>(
  urgency: Urgency,
  ms: number,
  work: (project: Project, signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/**
 * What SignalWire's REST API says of a call command: done; refused with a code that may say that the call is gone, or that REST
 * does not see it; later (429, not carried out); or no usable answer, with its status where there was one.
 */
export type RestOutcome =
  | { kind: "ok" }
  | { kind: "refused"; code: "404" | "410" }
  | { kind: "later"; retry_after_ms: number }
  | { kind: "failed"; reason: string; status?: number };

/** SignalWire asked us to come again later: nothing was carried out, and nothing is to be concluded. */
export class RestBusy extends Error {
  readonly retry_after_ms: number;

  constructor(retry_after_ms: number) {
    super("REST answered 429");
    this.retry_after_ms = retry_after_ms;
  }
}

/** Waits after a 429 that names none, and at most. */
const RETRY_AFTER_MS = 2_000;
const LONGEST_RETRY_AFTER_MS = 60_000;

/** Pages of one list that are read at most; a list with more is incomplete. */
export const MAX_PAGES = 20;
export const PAGE_SIZE = 1_000;
/** Conferences under one name whose participants are asked for; with more the answer is incomplete. */
const MAX_CONFERENCES = 10;

/** Of a conference that somebody may be in: `init` is one that waits, and when it ends to be that is not published. */
const LIVE_STATUSES = ["init", "in-progress"] as const;

const conferencesPage = z.object({
  conferences: z.array(z.object({ sid: z.string(), friendly_name: z.string() })),
  next_page_uri: z.string().nullish(),
});
const participantsPage = z.object({
  participants: z.array(z.object({ call_sid: z.string(), status: z.string().nullish() })),
  next_page_uri: z.string().nullish(),
});

/** A live conference as REST lists it. */
export interface ListedConference {
  sid: string;
  status: (typeof LIVE_STATUSES)[number];
  /** Without those whom REST lists as having left. */
  call_ids: ReadonlySet<string>;
}

/** The live conferences under one name, and who is in them. */
export interface RoomListing extends Listed {
  conferences: readonly ListedConference[];
  /** Why it is not complete; null where it is. */
  incomplete: string | null;
}

/** The sid of the conference in which a list has the call; null where it has it in none. */
export function sidListing({ conferences }: RoomListing, call_id: string): string | null {
  return conferences.find(({ call_ids }) => call_ids.has(call_id))?.sid ?? null;
}

/**
 * Lists the live conferences under a name. Throws where SignalWire does not answer, {@link RestBusy} among it.
 * @param room the wire name, at most 64 characters (the filter takes no more).
 */
export async function listRoom(project: Project, room: string, signal: AbortSignal): Promise<RoomListing> {
  const found = new Map<string, ListedConference>();
  let incomplete: string | null = null;
  // In this order: a conference that starts in between is in the second list.
  for (const status of LIVE_STATUSES) {
    const query = new URLSearchParams({ Status: status, FriendlyName: room });
    const list = await readPages(
      project,
      `${accountPath(project)}/Conferences.json?${query}`,
      conferencesPage,
      signal,
    );
    incomplete ??= list.incomplete;
    for (const { sid, friendly_name } of list.pages.flatMap(({ conferences }) => conferences)) {
      // A filter may match more than the very name, and the name may come back in another spelling.
      if (normalised(friendly_name) !== normalised(room) || found.has(sid)) continue;
      if (found.size === MAX_CONFERENCES) {
        incomplete ??= `more than ${MAX_CONFERENCES} conferences under one name`;
        continue;
      }
      const participants = await participantsOf(project, sid, signal);
      incomplete ??= participants.incomplete;
      found.set(sid, { sid, status, call_ids: participants.call_ids });
    }
  }
  if (found.size === 0) incomplete ??= "no conference is listed";
  return { complete: incomplete === null, incomplete, conferences: [...found.values()] };
}

/**
 * The `ConferenceSid` of the first of the rooms in which REST finds the call. Null says nothing: REST may not list what it has. Throws
 * where SignalWire does not answer.
 */
export async function findInRooms(
  project: Project,
  rooms: readonly string[],
  call_id: string,
  signal: AbortSignal,
): Promise<string | null> {
  for (const room of rooms) {
    const { conferences } = await listRoom(project, room, signal);
    const listed = conferences.find(({ call_ids }) => call_ids.has(call_id));
    if (listed) return listed.sid;
    for (const { sid } of conferences) if (await isParticipant(project, sid, call_id, signal)) return sid;
  }
  return null;
}

/** Asks for one participant by id: REST may know it there, and not list it. Throws as `listRoom` does. */
export async function isParticipant(
  project: Project,
  sid: string,
  call_id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `${accountPath(project)}/Conferences/${encodeURIComponent(sid)}/Participants/${encodeURIComponent(call_id)}.json`;
  const response = await request(project, path, signal);
  if (response.status === 404) {
    await response.body?.cancel();
    return false;
  }
  const { status } = participantSchema.parse(await readJson(response));
  return status !== "completed";
}

const participantSchema = z.object({ status: z.string().nullish() });

/** The commands that REST takes and we give. It has none that answers or joins: a transfer to a document that does is one. */
export type RestCommand = "calling.end" | "calling.play" | "calling.play.stop" | "calling.transfer";

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

function failureOf(error: unknown): Extract<RestOutcome, { kind: "later" | "failed" }> {
  if (error instanceof RestBusy) return { kind: "later", retry_after_ms: error.retry_after_ms };
  return { kind: "failed", reason: describeError(error) };
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

/** Plays a document of cXML to everybody in a conference. */
export async function announceIn(
  project: Project,
  sid: string,
  url: string,
  signal: AbortSignal,
): Promise<Exclude<RestOutcome, { kind: "refused" }>> {
  const path = `${accountPath(project)}/Conferences/${encodeURIComponent(sid)}.json`;
  const change = new URLSearchParams({ AnnounceUrl: url, AnnounceMethod: "POST" });
  try {
    const response = await request(project, path, signal, change);
    await response.body?.cancel();
    return response.ok ? { kind: "ok" } : { kind: "failed", reason: `REST answered ${response.status}` };
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

/** Whether SignalWire's REST API takes the project's credentials, for the doctor. */
export async function checkCredentials(project: Project, signal: AbortSignal): Promise<{ status: number }> {
  const response = await request(project, `${accountPath(project)}/Conferences.json?PageSize=1`, signal);
  await response.body?.cancel();
  return { status: response.status };
}

async function participantsOf(
  project: Project,
  sid: string,
  signal: AbortSignal,
): Promise<{ call_ids: ReadonlySet<string>; incomplete: string | null }> {
  const first = `${accountPath(project)}/Conferences/${encodeURIComponent(sid)}/Participants.json?PageSize=${PAGE_SIZE}`;
  const { pages, incomplete } = await readPages(project, first, participantsPage, signal);
  const there = pages
    .flatMap(({ participants }) => participants)
    .filter(({ status }) => status !== "completed");
  return {
    call_ids: new Set(there.map(({ call_sid }) => call_sid)),
    incomplete:
      incomplete ?? (there.length === 0 ? "a live conference is listed without participants" : null),
  };
}

/** Reads a list to its end. A page that is missing or comes again, and a list that is too long, make it incomplete, not short. */
async function readPages<S extends typeof conferencesPage | typeof participantsPage>(
  project: Project,
  first: string,
  schema: S,
  signal: AbortSignal,
): Promise<{ pages: z.infer<S>[]; incomplete: string | null }> {
  const pages: z.infer<S>[] = [];
  const seen = new Set<string>();
  for (let path: string | null | undefined = first; path; path = pages.at(-1)?.next_page_uri) {
    if (pages.length === MAX_PAGES) return { pages, incomplete: `more than ${MAX_PAGES} pages` };
    const response = await request(project, path, signal);
    if (response.status === 404) {
      await response.body?.cancel();
      return { pages, incomplete: "a page of a list is not there (404)" };
    }
    const text = await readText(response);
    if (seen.has(path) || seen.has(text)) return { pages, incomplete: "a page of a list came again" };
    seen.add(path).add(text);
    pages.push(schema.parse(JSON.parse(text)) as z.infer<S>); // Zod loses S through the union.
  }
  return { pages, incomplete: null };
}

async function readText(response: Response): Promise<string> {
  if (response.ok) return await response.text();
  await response.body?.cancel();
  throw new Error(`REST answered ${response.status}`);
}

export async function readJson(response: Response): Promise<unknown> {
  return JSON.parse(await readText(response));
}

export function normalised(name: string): string {
  return name.trim().toLowerCase();
}

function callPath(project: Project, call_sid: string): string {
  return `${accountPath(project)}/Calls/${encodeURIComponent(call_sid)}.json`;
}

export function accountPath(project: Project): string {
  return `/api/laml/2010-04-01/Accounts/${encodeURIComponent(project.project_id)}`;
}

/**
 * One request. What only asks is asked once more where REST fails for a moment: a list takes several requests, and a caller may hear
 * nothing meanwhile.
 */
export async function request(
  project: Project,
  path: string,
  signal: AbortSignal,
  body?: object | URLSearchParams,
): Promise<Response> {
  if (body) return await requestOnce(project, path, signal, body);
  try {
    const response = await requestOnce(project, path, signal);
    if (response.status < 500) return response;
    await response.body?.cancel();
  } catch (error) {
    if (error instanceof RestBusy || signal.aborted) throw error;
  }
  return await requestOnce(project, path, signal);
}

export async function requestOnce(
  project: Project,
  path: string,
  signal: AbortSignal,
  body?: object | URLSearchParams,
  method = body ? "POST" : "GET",
): Promise<Response> {
  const url = new URL(path, project.rest_url);
  // The page's link comes from outside: our credentials go to our project's host and nowhere else.
  if (url.origin !== new URL(project.rest_url).origin) throw new Error("REST pointed to another host");
  const isForm = body instanceof URLSearchParams;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Basic ${btoa(`${project.project_id}:${project.token}`)}`,
      accept: "application/json",
      // Of a form fetch says itself that it is one.
      ...(body && !isForm ? { "content-type": "application/json" } : {}),
    },
    ...(body ? { body: isForm ? body : JSON.stringify(body) } : {}),
    redirect: "manual",
    signal,
  });
  if (response.status !== 429) return response;
  await response.body?.cancel();
  throw new RestBusy(retryAfter(response.headers.get("retry-after")));
}

/** In seconds on the wire; an HTTP date is not worth reading for so short a wait. */
function retryAfter(header: string | null): number {
  const ms = Number(header ?? Number.NaN) * 1_000;
  return ms > 0 ? Math.min(ms, LONGEST_RETRY_AFTER_MS) : RETRY_AFTER_MS;
}
