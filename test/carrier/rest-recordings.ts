import type { Conference } from "./conferences.ts";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { type ListPages, logPage } from "./rest-pages.ts";

type Kept = NonNullable<Conference["recording"]>;

const missing: WebAnswer = { status: 404, json: { error: "Not Found" } };

/** `GET /api/relay/rest/recordings`, and GET and DELETE of one: the recordings of RELAY's conferences. */
export function serveRecordings(
  project: Project,
  { method, path, url }: WebRequest,
  pages: ListPages,
): WebAnswer {
  const [id, more] = path.slice(4);
  if (more !== undefined) return missing;
  const found = recorded(project).filter(({ conference }) => conference.type === "relay_conference");
  if (id === undefined) {
    if (method !== "GET") return missing;
    const data = found.map(({ conference, kept }) => relayView(project, conference, kept));
    return logPage(url, data, pages);
  }
  if (method === "DELETE" && deleteOfCall(project, id)) return { status: 204 };
  const one = found.find(({ kept }) => kept.sid === id);
  if (one === undefined) return missing;
  if (method === "DELETE") return deleteRecording(one.kept);
  return method === "GET" ? { status: 200, json: relayView(project, one.conference, one.kept) } : missing;
}

/** GET and DELETE of one recording, whatever conference it is of, by the compatibility API: its data as `.json`, else its sound. */
export function serveRecording(project: Project, { method, path, range }: WebRequest): WebAnswer {
  const [, sid, ending] = /^(.*?)(\.json|\.wav|\.mp3)?$/.exec(path[6] ?? "") ?? [];
  if (method === "DELETE" && deleteOfCall(project, sid ?? "")) return { status: 204 };
  const ofCall = [...project.calls.values()].flatMap(({ recordings }) => recordings);
  const single = ofCall.find((recording) => recording.sid === sid && !recording.deleted);
  if (single && !single.isOpen && ending !== ".json")
    return soundAnswer(Buffer.alloc(single.size, single.sid), ending, range);
  const one = recorded(project).find(({ kept }) => kept.sid === sid);
  if (one === undefined) return missing;
  if (method === "DELETE") return deleteRecording(one.kept);
  if (ending === ".json") return { status: 200, json: recordingView(project, one.conference, one.kept) };
  if (one.kept.state !== "stopped") return missing;
  return soundAnswer(Buffer.alloc(one.conference.recordingSize(), one.kept.sid), ending, range);
}

/** The sound, or the part of it that is asked for. */
function soundAnswer(sound: Buffer, ending: string | undefined, range: string | null): WebAnswer {
  const headers = {
    "content-type": ending === ".mp3" ? "audio/mpeg" : "audio/x-wav",
    "accept-ranges": "bytes",
  };
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range ?? "") ?? [];
  if (first === "" && last === "") return { status: 200, bytes: sound, headers };
  const begin = first === "" ? Math.max(0, sound.length - Number(last)) : Number(first);
  const end = Math.min(sound.length, first === "" || last === "" ? sound.length : Number(last) + 1);
  if (begin >= end)
    return {
      status: 416,
      headers: { ...headers, "content-range": `bytes */${sound.length}` },
      bytes: Buffer.alloc(0),
    };
  const content_range = `bytes ${begin}-${end - 1}/${sound.length}`;
  return {
    status: 206,
    bytes: sound.subarray(begin, end),
    headers: { ...headers, "content-range": content_range },
  };
}

/** Whether a recording of a single call has that id and was deleted now. */
function deleteOfCall(project: Project, sid: string): boolean {
  for (const { recordings } of project.calls.values()) {
    const one = recordings.find((recording) => recording.sid === sid && !recording.deleted);
    if (one === undefined) continue;
    one.deleted = true;
    return true;
  }
  return false;
}

export function keptRecording({ recording }: Conference): Kept | null {
  return recording === null || recording.deleted ? null : recording;
}

export function deleteRecording(kept: Kept): WebAnswer {
  kept.deleted = true;
  return { status: 204 };
}

export function recordingView(project: Project, conference: Conference, kept: Kept): Record<string, unknown> {
  const isDone = kept.state === "stopped";
  return {
    sid: kept.sid,
    account_sid: project.project_id,
    call_sid: null,
    conference_sid: conference.sid,
    status: isDone ? "completed" : kept.state,
    start_time: new Date(kept.since).toUTCString(),
    date_created: new Date(kept.since).toUTCString(),
    duration: isDone ? kept.duration_s : null,
    channels: 1,
    source: "Conference",
    uri: `/api/laml/2010-04-01/Accounts/${project.project_id}/Recordings/${kept.sid}.json`,
  };
}

const words = { "in-progress": "recording", paused: "paused", stopped: "finished" } as const;

function relayView(project: Project, conference: Conference, kept: Kept): Record<string, unknown> {
  const isDone = kept.state === "stopped";
  return {
    id: kept.sid,
    project_id: project.project_id,
    created_at: new Date(kept.since).toISOString(),
    updated_at: new Date(kept.since + kept.duration_s * 1000).toISOString(),
    duration_in_seconds: isDone ? kept.duration_s : null,
    error_code: null,
    status: words[kept.state],
    url: isDone ? conference.recordingUrl() : null,
    stereo: false,
    byte_size: isDone ? conference.recordingSize() : null,
    track: "both",
    relay_conference_id: conference.conference_id,
  };
}

function recorded(project: Project): { conference: Conference; kept: Kept }[] {
  return [...project.conferences.values(), ...project.past_conferences].flatMap((conference) => {
    const kept = keptRecording(conference);
    return kept === null ? [] : [{ conference, kept }];
  });
}
