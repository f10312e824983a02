import * as z from "zod";
import type { Listed } from "../shared/evidence.ts";
import { accountPath, failureOf, type RestOutcome, readJson, readText, request } from "./rest.ts";
import type { Project } from "./tenants/tenant.ts";

// SignalWire's conferences by REST: lists of them and of who is in one, and announcements into one.

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
    const query = new URLSearchParams({ Status: status, FriendlyName: room, PageSize: String(PAGE_SIZE) });
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

export function normalised(name: string): string {
  return name.trim().toLowerCase();
}
