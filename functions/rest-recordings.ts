import * as z from "zod";
import { accountPath, readJson, request, requestOnce } from "./rest.ts";
import { MAX_PAGES, normalised, PAGE_SIZE } from "./rest-conferences.ts";
import type { Project } from "./tenants/tenant.ts";

/** What both lists say of a recording: `in-progress` is each that may still end. */
export type ListedState = "in-progress" | "completed" | "absent" | "failed";

const ENDS: Readonly<Record<string, ListedState>> = {
  completed: "completed",
  // RELAY's word for it.
  finished: "completed",
  absent: "absent",
  failed: "failed",
};

/** A recording as one of SignalWire's lists has it. */
export interface ListedRecording {
  sid: string;
  state: ListedState;
  url: string | null;
  duration_s: number | null;
  size_bytes: number | null;
  /** ms. */
  started_at: number | null;
}

const amount = z.coerce.number().nonnegative().nullish().catch(null);

const compatibilityRecordings = z.object({
  recordings: z.array(
    z.object({
      sid: z.string(),
      status: z.string().nullish(),
      duration: amount,
      uri: z.string().nullish(),
      start_time: z.string().nullish(),
      date_created: z.string().nullish(),
    }),
  ),
});

const relayRecordings = z.object({
  links: z.object({ next: z.string().nullish() }).nullish(),
  data: z.array(
    z.object({
      id: z.string(),
      status: z.string().nullish(),
      url: z.string().nullish(),
      duration_in_seconds: amount,
      byte_size: amount,
      created_at: z.string().nullish(),
      relay_conference_id: z.string().nullish(),
    }),
  ),
});

/** Whose recordings are asked for. */
export interface RecordedConference {
  /** By which SignalWire may know the conference. */
  ids: readonly string[];
  /** The recording's own; null where it is not known. */
  sid: string | null;
  /** Wire name. */
  room: string;
  /** When the conference was live, ms. */
  live_at: number;
}

const namedPage = z.object({
  conferences: z.array(
    z.object({ sid: z.string(), friendly_name: z.string(), date_created: z.string().nullish() }),
  ),
});

/** SignalWire's clock and ours may differ by so much. */
const CLOCKS_MS = 60_000;
/** Conferences of one name whose recordings are asked for. */
const CONFERENCES = 5;

/**
 * The conference's recordings: by its ids from the compatibility API, then from RELAY's list of all, then of those that were live under the
 * name about then. None is no proof that there is none. Throws where SignalWire does not answer, {@link RestBusy} among it.
 */
export async function listRecordings(
  project: Project,
  conference: RecordedConference,
  signal: AbortSignal,
): Promise<ListedRecording[]> {
  const found = await recordingsById(project, conference, signal);
  if (found.length > 0) return found;
  const sids = await sidsUnder(project, conference, signal);
  const named = (await Promise.all(sids.map((sid) => recordingsOf(project, sid, signal)))).flat();
  return named.filter((one) => !wasOverBy(one, conference.live_at - CLOCKS_MS));
}

function wasOverBy({ started_at, duration_s }: ListedRecording, at: number): boolean {
  return started_at !== null && duration_s !== null && started_at + duration_s * 1_000 < at;
}

/** The recordings that SignalWire lists under the conference's own ids. Throws as {@link listRecordings} does. */
async function recordingsById(
  project: Project,
  conference: Pick<RecordedConference, "ids" | "sid">,
  signal: AbortSignal,
): Promise<ListedRecording[]> {
  for (const id of conference.ids) {
    const found = await recordingsOf(project, id, signal);
    if (found.length > 0) return found;
  }
  return await relayRecordingsOf(project, conference, signal);
}

/** A recording of which SignalWire's sid is looked for. */
export interface Identifiable {
  sid: string | null;
  conference_id: string | null;
  conference_sid: string | null;
  /** ms. */
  started_at: number;
  /** Of a single call's recording. */
  part?: { call_id: string } | null;
}

/**
 * The sid of the one recording that is meant for certain: it is known, or SignalWire lists one finished recording alone under the
 * conference's own ids, begun when this one was. Null otherwise: no other recording may be deleted or played in its place. Throws as
 * {@link listRecordings} does.
 */
export async function sidForCertain(
  project: Project,
  { sid, conference_id, conference_sid, started_at, part }: Identifiable,
  signal: AbortSignal,
): Promise<string | null> {
  if (sid !== null) return sid;
  const ids = [conference_sid, conference_id].filter((id) => id !== null);
  const [first, ...others] = part
    ? await callRecordings(project, part.call_id, signal)
    : await recordingsById(project, { ids, sid }, signal);
  if (!first || first.state === "in-progress" || others.length > 0 || first.started_at === null) return null;
  return Math.abs(first.started_at - started_at) <= CLOCKS_MS ? first.sid : null;
}

/** The recordings of one call, made by us or by others. Throws as {@link listRecordings} does. */
export async function callRecordings(
  project: Project,
  call_id: string,
  signal: AbortSignal,
): Promise<ListedRecording[]> {
  return await recordingsAt(project, `Calls/${encodeURIComponent(call_id)}`, signal);
}

async function recordingsOf(project: Project, sid: string, signal: AbortSignal): Promise<ListedRecording[]> {
  return await recordingsAt(project, `Conferences/${encodeURIComponent(sid)}`, signal);
}

async function recordingsAt(project: Project, of: string, signal: AbortSignal): Promise<ListedRecording[]> {
  const path = `${accountPath(project)}/${of}/Recordings.json`;
  const response = await request(project, path, signal);
  if (response.status === 404) {
    await response.body?.cancel();
    return [];
  }
  const { recordings } = compatibilityRecordings.parse(await readJson(response));
  return recordings.map((one) => ({
    sid: one.sid,
    state: stateOf(one.status),
    // Of the recording's own page: without its ending the path is that of the sound.
    url: one.uri ? new URL(one.uri.replace(/\.json$/, ""), project.rest_url).href : null,
    duration_s: one.duration ?? null,
    size_bytes: null,
    started_at: timeOf(one.start_time ?? one.date_created),
  }));
}

/**
 * The conferences under the name that may be meant: the last that was made before it was live for certain, and those since, since what is
 * not told by an id may be of any of them.
 */
async function sidsUnder(
  project: Project,
  { room, live_at }: RecordedConference,
  signal: AbortSignal,
): Promise<string[]> {
  const query = new URLSearchParams({ FriendlyName: room, PageSize: String(PAGE_SIZE) });
  const response = await request(project, `${accountPath(project)}/Conferences.json?${query}`, signal);
  const { conferences } = namedPage.parse(await readJson(response));
  const made = conferences
    .filter(({ friendly_name }) => normalised(friendly_name) === normalised(room))
    .map(({ sid, date_created }) => ({ sid, at: timeOf(date_created) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => a.at - b.at);
  const last = made.findLastIndex(({ at }) => at <= live_at - CLOCKS_MS);
  return made.slice(Math.max(0, last), Math.max(0, last) + CONFERENCES).map(({ sid }) => sid);
}

async function relayRecordingsOf(
  project: Project,
  { ids, sid }: Pick<RecordedConference, "ids" | "sid">,
  signal: AbortSignal,
): Promise<ListedRecording[]> {
  const seen = new Set<string>();
  let path: string | null | undefined = `/api/relay/rest/recordings?page_size=${PAGE_SIZE}`;
  while (path && !seen.has(path) && seen.size < MAX_PAGES) {
    seen.add(path);
    const response = await request(project, path, signal);
    const { data, links }: z.infer<typeof relayRecordings> = relayRecordings.parse(await readJson(response));
    const found = data.filter(
      (one) => one.id === sid || (one.relay_conference_id && ids.includes(one.relay_conference_id)),
    );
    if (found.length > 0)
      return found.map((one) => ({
        sid: one.id,
        state: stateOf(one.status),
        url: one.url ?? null,
        duration_s: one.duration_in_seconds ?? null,
        size_bytes: one.byte_size ?? null,
        started_at: timeOf(one.created_at),
      }));
    path = links?.next;
  }
  return [];
}

function stateOf(status: string | null | undefined): ListedState {
  return ENDS[status ?? ""] ?? "in-progress";
}

function timeOf(text: string | null | undefined): number | null {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : at;
}

/** Deletes a recording at SignalWire, by whichever of its APIs knows it; one that neither knows is gone. Throws where it refuses. */
export async function deleteRecording(project: Project, sid: string, signal: AbortSignal): Promise<void> {
  const id = encodeURIComponent(sid);
  for (const path of [`${accountPath(project)}/Recordings/${id}`, `/api/relay/rest/recordings/${id}`]) {
    const response = await requestOnce(project, path, signal, undefined, "DELETE");
    await response.body?.cancel();
    if (response.ok) return;
    if (response.status !== 404) throw new Error(`REST answered ${response.status}`);
  }
}
