import * as z from "zod";
import { announceTo } from "./announce.ts";
import type { Conference } from "./conferences.ts";
import type { WebAnswer, WebRequest } from "./http-server.ts";
import type { Project } from "./project.ts";
import { describeIssues } from "./relay-methods.ts";
import { compatibilityPage, type ListPages } from "./rest-pages.ts";
import { deleteRecording, keptRecording, recordingView } from "./rest-recordings.ts";
import {
  type ShownConference,
  type ShownParticipant,
  shownConference,
  shownMoment,
} from "./rest-visibility.ts";

const flag = z.enum(["true", "false"]);
const documentUrl = z.url({ protocol: /^https?$/ });

/** The form of the compatibility API's "update a participant". */
const participantUpdate = z.strictObject({
  Muted: flag.optional(),
  Hold: flag.optional(),
  HoldUrl: documentUrl.optional(),
  HoldMethod: z.enum(["GET", "POST"]).default("GET"),
  Coaching: flag.optional(),
  CallSidToCoach: z.string().min(1).optional(),
  AnnounceUrl: documentUrl.optional(),
  AnnounceMethod: z.enum(["GET", "POST"]).default("POST"),
});

/** Conferences, their participants and recordings, as the compatibility API has them. */
export function serveConferences(project: Project, request: WebRequest, pages: ListPages): WebAnswer {
  const [resource, sid, part, part_id] = request.path.slice(5);
  const at = shownMoment(project, request.method);
  const conferences = [...project.conferences.values(), ...project.past_conferences];
  if (resource === "Conferences.json" || (resource === "Conferences" && sid === undefined)) {
    const known = conferences.flatMap((one) => shownConference(project, one, at) ?? []);
    return listConferences(project, known, request, pages);
  }
  if (resource !== "Conferences") return missing;
  const conference = conferences.find((one) => one.sid === plain(sid ?? ""));
  const shown = conference === undefined ? null : shownConference(project, conference, at);
  if (conference === undefined || shown === null) return missing;
  const form = new URLSearchParams(request.body);
  switch (plain(part ?? "")) {
    case "":
      return oneConference(project, shown, request.method, form);
    case "Participants":
      if (shown.participants === null) return missing;
      return part_id === undefined
        ? listParticipants(project, conference, shown.participants, request, pages)
        : participant(project, conference, shown.participants, plain(part_id), request.method, form);
    case "Recordings":
      return recording(project, conference, part_id, request, pages);
    default:
      return missing;
  }
}

const missing: WebAnswer = { status: 404, json: { code: 20404, message: "Not found", status: 404 } };

function oneConference(
  project: Project,
  shown: ShownConference,
  method: string,
  form: URLSearchParams,
): WebAnswer {
  const { conference } = shown;
  const ends = method === "POST" && form.get("Status") === "completed";
  if (ends) conference.end("conference-ended-via-api");
  const announced = method === "POST" ? form.get("AnnounceUrl") : null;
  if (announced !== null) {
    const announce_method = form.get("AnnounceMethod") === "GET" ? "GET" : "POST";
    // Answered before it is heard.
    void announceTo(project, conference, { url: announced, method: announce_method });
  }
  const now: ShownConference = ends ? { ...shown, status: "completed" } : shown;
  return { status: 200, json: conferenceView(project, now) };
}

function listConferences(
  project: Project,
  known: readonly ShownConference[],
  { url }: WebRequest,
  pages: ListPages,
): WebAnswer {
  const name = url.searchParams.get("FriendlyName");
  if (name !== null && name.length > 64) {
    return {
      status: 400,
      json: { code: 20001, message: "FriendlyName: at most 64 characters", status: 400 },
    };
  }
  const status = url.searchParams.get("Status");
  const found = known
    .filter(({ conference }) => name === null || conference.name === name)
    .filter((one) => status === null || one.status === status)
    .map((one) => conferenceView(project, one));
  return compatibilityPage(url, "conferences", found, pages);
}

function listParticipants(
  project: Project,
  conference: Conference,
  listed: readonly ShownParticipant[],
  { url }: WebRequest,
  pages: ListPages,
): WebAnswer {
  const found = listed.map((one) => participantView(project, conference, one));
  return compatibilityPage(url, "participants", found, pages);
}

function participant(
  project: Project,
  conference: Conference,
  listed: readonly ShownParticipant[],
  call_sid: string,
  method: string,
  form: URLSearchParams,
): WebAnswer {
  const found = listed.find(({ participant: { leg } }) => project.callSid(leg.call_id) === call_sid);
  if (found === undefined || (method !== "GET" && found.status === "completed")) return missing;
  const { call_id } = found.participant.leg;
  if (method === "DELETE") {
    conference.leave(call_id);
    return { status: 204 };
  }
  if (method === "POST") {
    const parsed = participantUpdate.safeParse(Object.fromEntries(form));
    if (!parsed.success) {
      const issues = describeIssues(parsed.error);
      project.journal.note("violation", { reason: "malformed update of a participant", issues });
      return { status: 400, json: { code: 21200, message: "Invalid params", issues, status: 400 } };
    }
    const { Muted, Hold, HoldUrl, HoldMethod, Coaching, CallSidToCoach, AnnounceUrl, AnnounceMethod } =
      parsed.data;
    const of = [...conference.participants.keys()].find((id) => project.callSid(id) === CallSidToCoach);
    if ((CallSidToCoach !== undefined || Coaching === "true") && of === undefined) {
      return { status: 400, json: { message: "CallSidToCoach: no such participant", status: 400 } };
    }
    const coaching = Coaching === "false" ? null : of;
    conference.modify(call_id, {
      ...(Muted === undefined ? {} : { muted: Muted === "true" }),
      ...(Hold === undefined ? {} : { hold: Hold === "true" }),
      ...(HoldUrl === undefined ? {} : { hold_url: { url: HoldUrl, method: HoldMethod } }),
      ...(coaching === undefined ? {} : { coaching }),
    });
    if (AnnounceUrl !== undefined)
      void announceTo(project, conference, { url: AnnounceUrl, method: AnnounceMethod }, call_id);
  }
  return { status: 200, json: participantView(project, conference, found) };
}

function recording(
  project: Project,
  conference: Conference,
  sid: string | undefined,
  request: WebRequest,
  pages: ListPages,
): WebAnswer {
  const { method, body, url } = request;
  const kept = keptRecording(conference);
  if (sid === undefined) {
    const found = kept === null ? [] : [recordingView(project, conference, kept)];
    return compatibilityPage(url, "recordings", found, pages);
  }
  if (kept === null || plain(sid) !== kept.sid) return missing;
  if (method === "DELETE") return deleteRecording(kept);
  if (method === "POST") {
    const status = new URLSearchParams(body).get("Status");
    if (status !== "paused" && status !== "in-progress" && status !== "stopped") {
      return { status: 400, json: { message: "Status: paused, in-progress or stopped", status: 400 } };
    }
    conference.record(status);
  }
  return { status: 200, json: recordingView(project, conference, kept) };
}

function conferenceView(project: Project, { conference, status }: ShownConference): Record<string, unknown> {
  return {
    sid: conference.sid,
    account_sid: project.project_id,
    friendly_name: conference.name,
    status,
    region: conference.settings.region,
    date_created: new Date(conference.created_at).toUTCString(),
    api_version: "2010-04-01",
    uri: `${base(project)}/Conferences/${conference.sid}`,
  };
}

function participantView(
  project: Project,
  conference: Conference,
  { participant: one, status }: ShownParticipant,
): Record<string, unknown> {
  const call_sid = project.callSid(one.leg.call_id);
  return {
    call_sid,
    conference_sid: conference.sid,
    account_sid: project.project_id,
    status,
    muted: one.muted,
    hold: one.hold,
    coaching: one.coaching !== null,
    call_sid_to_coach: one.coaching === null ? null : project.callSid(one.coaching),
    start_conference_on_enter: one.start_on_enter,
    end_conference_on_exit: one.end_on_exit,
    date_created: new Date(one.joined_at).toUTCString(),
    uri: `${base(project)}/Conferences/${conference.sid}/Participants/${call_sid}`,
  };
}

function base(project: Project): string {
  return `/api/laml/2010-04-01/Accounts/${project.project_id}`;
}

/** Paths are seen with and without `.json`. */
export function plain(part: string): string {
  return part.replace(/\.json$/, "");
}
