import * as z from "zod";
import type { Project } from "./directory.ts";
import { describeError } from "./log.ts";

/** What SignalWire's REST API says of a call command: done, no such call (any more), or no usable answer. */
export type RestOutcome = { kind: "ok" } | { kind: "gone" } | { kind: "failed"; reason: string };

/** Pages of a list that we read at most: 50 participants each, and no room of ours is larger. */
const MAX_PAGES = 20;

const conferencesPage = z.object({
  conferences: z.array(z.object({ sid: z.string(), friendly_name: z.string() })),
  next_page_uri: z.string().nullish(),
});
const participantsPage = z.object({
  participants: z.array(z.object({ call_sid: z.string(), conference_sid: z.string().optional() })),
  next_page_uri: z.string().nullish(),
});

/** A conference in progress, and who is in it. */
export interface RoomListing {
  conference_id: string;
  call_ids: ReadonlySet<string>;
}

/**
 * The conferences in progress under a name. Throws where SignalWire does not say.
 * @param room the wire name, at most 64 characters (the filter takes no more).
 */
export async function listRoom(project: Project, room: string, signal: AbortSignal): Promise<RoomListing[]> {
  const query = new URLSearchParams({ Status: "in-progress", FriendlyName: room });
  const first = `${accountPath(project)}/Conferences.json?${query}`;
  const listings: RoomListing[] = [];
  for await (const { conferences } of pages(project, first, conferencesPage, signal)) {
    for (const { sid, friendly_name } of conferences) {
      // A filter may match more than the very name.
      if (friendly_name !== room) continue;
      listings.push({ conference_id: sid, call_ids: await participantsOf(project, sid, signal) });
    }
  }
  return listings;
}

/** Whether the call is in any of the rooms, by SignalWire's word. Throws where SignalWire does not say. */
export async function isInRooms(
  project: Project,
  rooms: readonly string[],
  call_id: string,
  signal: AbortSignal,
): Promise<boolean> {
  for (const room of rooms) {
    if ((await listRoom(project, room, signal)).some(({ call_ids }) => call_ids.has(call_id))) return true;
  }
  return false;
}

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
    if (response.status === 404 || response.status === 410) return { kind: "gone" };
    return { kind: "failed", reason: `REST answered ${response.status}` };
  } catch (error) {
    return { kind: "failed", reason: describeError(error) };
  }
}

/**
 * Leads a call that runs cXML to another document: the compatibility API's "update a call". `gone` is never said: what SignalWire
 * answers for a call that is over is not documented.
 */
export async function redirectCall(
  project: Project,
  call_sid: string,
  url: string,
  signal: AbortSignal,
): Promise<Exclude<RestOutcome, { kind: "gone" }>> {
  try {
    const form = new URLSearchParams({ Url: url, Method: "POST" });
    const response = await request(project, callPath(project, call_sid), signal, form);
    await response.body?.cancel();
    return response.ok ? { kind: "ok" } : { kind: "failed", reason: `REST answered ${response.status}` };
  } catch (error) {
    return { kind: "failed", reason: describeError(error) };
  }
}

const callSchema = z.object({ status: z.string() });
/** A call's `status` of the compatibility API when there is no call any more. */
const over = new Set(["completed", "busy", "failed", "no-answer", "canceled"]);

/** Whether a call of cXML's is over, by SignalWire's word. Throws as `callStatus` does. */
export async function isCallOver(project: Project, call_sid: string, signal: AbortSignal): Promise<boolean> {
  return over.has(await callStatus(project, call_sid, signal));
}

/** The compatibility API's word for how a call is. Throws where SignalWire does not say, be it that it knows no such call. */
export async function callStatus(project: Project, call_sid: string, signal: AbortSignal): Promise<string> {
  const response = await request(project, callPath(project, call_sid), signal);
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`REST answered ${response.status}`);
  }
  return callSchema.parse(await response.json()).status;
}

/** Whether SignalWire's REST API takes the project's credentials, for the doctor. */
export async function checkCredentials(project: Project, signal: AbortSignal): Promise<{ status: number }> {
  const response = await request(project, `${accountPath(project)}/Conferences.json?PageSize=1`, signal);
  await response.body?.cancel();
  return { status: response.status };
}

async function participantsOf(project: Project, sid: string, signal: AbortSignal): Promise<Set<string>> {
  const first = `${accountPath(project)}/Conferences/${encodeURIComponent(sid)}/Participants.json`;
  const call_ids = new Set<string>();
  for await (const { participants } of pages(project, first, participantsPage, signal)) {
    for (const { call_sid } of participants) call_ids.add(call_sid);
  }
  return call_ids;
}

async function* pages<S extends typeof conferencesPage | typeof participantsPage>(
  project: Project,
  first: string,
  schema: S,
  signal: AbortSignal,
): AsyncGenerator<z.infer<S>> {
  let path: string | null | undefined = first;
  for (let page = 0; path && page < MAX_PAGES; page += 1) {
    const response = await request(project, path, signal);
    if (response.status === 404) return;
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`REST answered ${response.status}`);
    }
    const read: z.infer<S> = schema.parse(await response.json()) as z.infer<S>; // Zod loses S through the union.
    yield read;
    path = read.next_page_uri;
  }
}

function callPath(project: Project, call_sid: string): string {
  return `${accountPath(project)}/Calls/${encodeURIComponent(call_sid)}.json`;
}

function accountPath(project: Project): string {
  return `/api/laml/2010-04-01/Accounts/${encodeURIComponent(project.project_id)}`;
}

async function request(
  project: Project,
  path: string,
  signal: AbortSignal,
  body?: object | URLSearchParams,
): Promise<Response> {
  const url = new URL(path, project.rest_url);
  // The page's link comes from outside: our credentials go to our project's host and nowhere else.
  if (url.origin !== new URL(project.rest_url).origin) throw new Error("REST pointed to another host");
  const isForm = body instanceof URLSearchParams;
  return await fetch(url, {
    method: body ? "POST" : "GET",
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
}
