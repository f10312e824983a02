import type { Call } from "./calls.ts";
import type { Conference, ConferenceThen } from "./conferences.ts";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { compatibilityWord } from "./rest-calls.ts";
import { type ListPages, logPage } from "./rest-pages.ts";
import { compatibilityStatus, shownMoment } from "./rest-visibility.ts";

/** `GET /api/voice/logs/{id}`, where the id is a segment of a call of SWML or RELAY. */
export function serveVoiceLog(project: Project, { method, path }: WebRequest): WebAnswer {
  const [id = "", more] = path.slice(3);
  const call = [...project.calls.values()].find(
    ({ origin, segment_id, past_segment_ids }) =>
      origin !== "cxml" && (segment_id === id || past_segment_ids.includes(id)),
  );
  const absent = project.switches.voice_logs === "absent";
  if (call === undefined || absent || method !== "GET" || more !== undefined) {
    return { status: 404, json: { error: "Not Found" } };
  }
  return { status: 200, json: voiceLog(project, call, id) };
}

const voiceTypes = { phone: "relay_pstn_call", sip: "relay_sip_call", webrtc: "relay_webrtc_call" } as const;

function voiceLog(project: Project, call: Call, id: string): Record<string, unknown> {
  const { from, to, direction, type } = call.facts;
  const { start_time, answer_time, end_time } = call.times;
  const duration_ms = end_time === undefined ? null : end_time - (answer_time ?? end_time);
  return {
    id,
    from,
    to,
    direction,
    status: voiceStatus(project, call, id !== call.segment_id),
    source: "realtime_api",
    type: voiceTypes[type],
    url: null,
    created_at: new Date(start_time).toISOString(),
    duration: duration_ms === null ? null : Math.round(duration_ms / 1000),
    duration_ms,
    billing_ms: duration_ms,
    charge: 0,
    charge_details: [],
    parent_id: null,
  };
}

/** A segment that another document followed is over, whatever the call is. */
function voiceStatus({ switches }: Project, call: Call, is_past: boolean): string {
  const in_relay_words = switches.voice_logs === "present_in_relay_words";
  if (is_past) return in_relay_words ? "ended" : "completed";
  if (in_relay_words) return call.state;
  return call.state === "created" ? "initiated" : compatibilityWord(call);
}

/** `GET /api/logs/conferences`: every conference, whatever the compatibility lists hold. */
export function serveConferenceLogs(
  project: Project,
  { method, url }: WebRequest,
  pages: ListPages,
): WebAnswer {
  if (method !== "GET") return { status: 404, json: { error: "Not Found" } };
  const at = shownMoment(project, method);
  const found = [...project.conferences.values(), ...project.past_conferences].flatMap((conference) => {
    const then = conference.asOf(at);
    return then === null ? [] : conferenceLog(project, conference, then);
  });
  return logPage(url, found, pages);
}

function conferenceLog(
  project: Project,
  conference: Conference,
  then: ConferenceThen,
): Record<string, unknown> {
  const { type, name, settings, created_at, sid, conference_id } = conference;
  const is_relay = type === "relay_conference";
  return {
    id: is_relay ? conference_id : sid,
    name,
    type,
    status: is_relay ? relayStatus(project, then.state) : compatibilityStatus(project, then.state),
    current_participants: then.present.length,
    max_size: settings.max_participants,
    region: settings.region,
    project_id: project.project_id,
    created_at: new Date(created_at).toISOString(),
    updated_at: new Date(then.since).toISOString(),
  };
}

const relayWords = {
  /** The last event of the conference itself, as callbacks tell it; before its start there was none. */
  as_callbacks: { waiting: null, started: "conference-start", ended: "conference-end" },
  created_active_ended: { waiting: "created", started: "active", ended: "ended" },
} as const;

function relayStatus({ switches }: Project, state: Conference["state"]): string | null {
  return relayWords[switches.relay_conference_status_words][state];
}
