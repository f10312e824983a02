import * as z from "zod";
import type { JoinParameters } from "./conference.ts";
import { nestsTooDeep } from "./depth.ts";
import { type RelayEvent, readEvent } from "./relay/events.ts";

/** Where our own callbacks go; the URLs carry the tenant's token and are secrets. */
export interface CallbackUrls {
  conference: string;
  recording: string;
}

/** Whom the rule itself asked to be told: what is left of its settings once ours stand in their place. */
export interface Forwarding {
  conference?: ForwardTo;
  recording?: ForwardTo;
}

export interface ForwardTo {
  url: string;
  method: "GET" | "POST";
  /** SignalWire's words for the events wanted; absent: all. */
  events?: string[];
  /** A form as cXML has it, or RELAY's JSON. */
  as: "json" | "form";
}

/** The same on every join, since the first participant's settings hold for the whole conference. */
const CONFERENCE_EVENTS = "start end join leave mute hold modify speaker announcement";
const RECORDING_EVENTS = "in-progress completed absent";

/** SignalWire's word for each status in `status_callback_event`. */
const words: Record<string, string> = {
  "conference-start": "start",
  "conference-end": "end",
  "participant-join": "join",
  "participant-leave": "leave",
  "participant-mute": "mute",
  "participant-unmute": "mute",
  "participant-hold": "hold",
  "participant-unhold": "hold",
  "participant-modify": "modify",
  "participant-speech-start": "speaker",
  "participant-speech-stop": "speaker",
};

/** The join as it goes on the wire: our callbacks in the place of the rule's. */
export function withCallbacks(join: JoinParameters, urls: CallbackUrls): JoinParameters {
  return {
    ...join,
    status_callback: urls.conference,
    // Speech starts and stops all the time: only where the rule wants to know.
    status_callback_event: wants(join.status_callback_event, "speaker")
      ? CONFERENCE_EVENTS
      : CONFERENCE_EVENTS.replace(" speaker", ""),
    status_callback_event_type: "relay",
    status_callback_method: "POST",
    recording_status_callback: urls.recording,
    recording_status_callback_event: RECORDING_EVENTS,
    recording_status_callback_event_type: "relay",
    recording_status_callback_method: "POST",
  };
}

/** What the rule's own callbacks ask for; null where it asks for none. */
export function forwardingOf(join: JoinParameters): Forwarding | null {
  const conference = forwardTo(
    join.status_callback,
    join.status_callback_method,
    join.status_callback_event,
    join.status_callback_event_type,
  );
  const recording = forwardTo(
    join.recording_status_callback,
    join.recording_status_callback_method,
    join.recording_status_callback_event,
    join.recording_status_callback_event_type,
  );
  if (!conference && !recording) return null;
  return { ...(conference ? { conference } : {}), ...(recording ? { recording } : {}) };
}

/** Whether the rule asked to be told of this status. */
export function isWanted(to: ForwardTo, status: string): boolean {
  return to.events === undefined || to.events.includes(words[status] ?? status);
}

const relayCallback = z.looseObject({
  event_type: z.string(),
  timestamp: z.number().optional().catch(undefined),
  params: z.record(z.string(), z.unknown()),
});

const formCallback = z.looseObject({
  ConferenceSid: z.string().optional(),
  FriendlyName: z.string().optional(),
  CallSid: z.string().optional(),
  StatusCallbackEvent: z.string().optional(),
  Timestamp: z.string().optional(),
  RecordingStatus: z.string().optional(),
});

/** A callback's body as the event that RELAY would have sent; null where it is none. */
export function readCallback(body: string, isForm: boolean): RelayEvent | null {
  const event = isForm ? readForm(body) : readJson(body);
  return event && event.kind !== "authorization" ? event : null;
}

function readJson(body: string) {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return null;
  }
  if (nestsTooDeep(json)) return null;
  const parsed = relayCallback.safeParse(json);
  return parsed.success ? readEvent(parsed.data) : null;
}

/** Whether `ConferenceSid` is the `conference_id` is not known: the name and the call carry the event, the id may differ. */
function readForm(body: string) {
  const parsed = formCallback.safeParse(Object.fromEntries(new URLSearchParams(body)));
  if (!parsed.success) return null;
  const { ConferenceSid, FriendlyName, CallSid, StatusCallbackEvent, RecordingStatus, Timestamp } =
    parsed.data;
  const status =
    StatusCallbackEvent ?? (RecordingStatus === undefined ? undefined : `recording-${RecordingStatus}`);
  const at = Timestamp === undefined ? Number.NaN : Date.parse(Timestamp);
  return readEvent({
    event_type: "calling.conference",
    ...(Number.isNaN(at) ? {} : { timestamp: at / 1000 }),
    params: { status, conference_id: ConferenceSid, name: FriendlyName, call_id: CallSid },
  });
}

function wants(events: string | undefined, word: string): boolean {
  return events?.split(" ").includes(word) ?? false;
}

function forwardTo(
  url: string | undefined,
  method: "GET" | "POST" | undefined,
  events: string | undefined,
  type: string | undefined,
): ForwardTo | null {
  if (url === undefined) return null;
  return {
    url,
    ...(events === undefined ? {} : { events: events.split(" ") }),
    // JSON is posted, whatever the rule says: SignalWire heeds the method for forms alone.
    ...(type === "cxml" || type === "laml"
      ? { as: "form", method: method ?? "POST" }
      : { as: "json", method: "POST" }),
  };
}

/** RELAY's event as the form that cXML's callbacks are. */
export function callbackForm(event: RelayEvent, account: string): URLSearchParams {
  const params: Record<string, unknown> = event.params;
  const form = new URLSearchParams({ AccountSid: account });
  const fields: [string, unknown][] = [
    ["ConferenceSid", params["conference_id"]],
    ["FriendlyName", params["name"]],
    ["CallSid", params["call_id"]],
    ["StatusCallbackEvent", params["status"]],
    ["Muted", params["muted"]],
    ["Hold", params["hold"]],
    ["StartConferenceOnEnter", params["start_on_join"]],
    ["EndConferenceOnExit", params["end_on_leave"]],
    ["RecordingUrl", params["recording_url"]],
    ["Duration", params["recording_duration"]],
    ["Timestamp", event.timestamp === undefined ? undefined : new Date(event.timestamp * 1000).toUTCString()],
  ];
  for (const [name, value] of fields) if (value !== undefined) form.set(name, String(value));
  return form;
}
