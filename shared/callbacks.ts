import * as z from "zod";
import type { Ingress } from "./call.ts";
import { type CallbackBody, toRelay } from "./callback-body.ts";
import type { JoinParameters } from "./conference.ts";
import { nestsTooDeep } from "./depth.ts";
import { type RelayEvent, readEvent } from "./relay/events.ts";

/** Where our own callbacks go; the URLs carry the tenant's token and are secrets. */
export interface CallbackUrls {
  conference: string;
  /** Of whatever room; {@link withRoom} says which. */
  recording: string;
}

export type CallbackKind = "conference" | "recording";

/** @param hooks `https://…/hooks/<tenant>`. */
export function callbackUrlsAt(hooks: string, token: string): CallbackUrls {
  return {
    conference: `${hooks}/conference-status?token=${token}`,
    recording: `${hooks}/recording-status?token=${token}`,
  };
}

/** Whom the rule itself asked to be told: what is left of its settings once ours stand in their place. */
export interface Forwarding {
  conference?: ForwardTo;
  recording?: ForwardTo;
}

export interface ForwardTo {
  url: string;
  method: "GET" | "POST";
  /** SignalWire's words for the events wanted; absent: all of a conference's, and of a recording's its default. */
  events?: string[];
  /** A form as cXML has it, or RELAY's JSON. */
  as: "json" | "form";
}

/** The same on every join, since the first participant's settings hold for the whole conference. */
const CONFERENCE_EVENTS = "start end join leave mute hold modify speaker announcement";
const RECORDING_EVENTS = "in-progress completed absent";
/** What SignalWire tells of a recording without a list. */
const RECORDING_DEFAULT = {
  swml: ["completed"],
  relay: ["completed"],
  cxml: ["completed", "failed"],
} as const;

/** SignalWire's word for each status in `status_callback_event` and `recording_status_callback_event`. */
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
  "record-start": "in-progress",
  "record-pause": "in-progress",
  "record-resume": "in-progress",
  "record-stop": "completed",
  "recording-in-progress": "in-progress",
  "recording-completed": "completed",
  "recording-absent": "absent",
  // cXML's word for it.
  "recording-failed": "absent",
};

/** Set in the query of a recording callback's URL: the room, on the wire, and what proves that we wrote it there. */
export const ROOM = "room";
export const ROOM_PROOF = "proof";

/**
 * The join for one room: its recording callback says which room it is about, since its body may not.
 * @param proof absent where the room's callbacks go to nobody, or by a URL of the version before.
 */
export function withRoom(join: JoinParameters, room: string, proof: string | undefined): JoinParameters {
  const { recording_status_callback: told } = join;
  if (told === undefined || proof === undefined) return join;
  const url = new URL(told);
  url.searchParams.set(ROOM, room);
  url.searchParams.set(ROOM_PROOF, proof);
  return { ...join, recording_status_callback: url.href };
}

/**
 * The join as it goes on the wire: our callbacks in the place of the rule's.
 * @param speaking Whether operators are to be told who speaks.
 */
export function withCallbacks(join: JoinParameters, urls: CallbackUrls, speaking = false): JoinParameters {
  return {
    ...join,
    status_callback: urls.conference,
    // Speech starts and stops all the time: only where somebody wants to know.
    status_callback_event:
      speaking || wants(join.status_callback_event, "speaker")
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

/**
 * What the rule's own callbacks ask for; null where it asks for none.
 * @param via how the call came: SignalWire's defaults differ.
 */
export function forwardingOf(join: JoinParameters, via: Ingress): Forwarding | null {
  const conference = forwardTo(
    join.status_callback,
    join.status_callback_method,
    join.status_callback_event,
    join.status_callback_event_type,
  );
  const recording = forwardTo(
    join.recording_status_callback,
    join.recording_status_callback_method,
    join.recording_status_callback_event ?? RECORDING_DEFAULT[via].join(" "),
    join.recording_status_callback_event_type,
  );
  if (!conference && !recording) return null;
  return { ...(conference ? { conference } : {}), ...(recording ? { recording } : {}) };
}

/** Whether the rule asked to be told of this status. */
export function isWanted(to: ForwardTo, status: string, kind: CallbackKind): boolean {
  const wanted: readonly string[] | undefined =
    to.events ?? (kind === "recording" ? RECORDING_DEFAULT.swml : undefined);
  if (wanted === undefined) return true;
  const word = words[status] ?? status;
  return wanted.includes(word) || (word === "absent" && wanted.includes("failed"));
}

/** A callback as it came, and the event that RELAY would have sent in its place. */
export interface Callback {
  event: RelayEvent;
  body: CallbackBody;
}

const relayCallback = z.looseObject({
  event_type: z.string(),
  params: z.record(z.string(), z.unknown()),
});

/** Null where the body is no callback. */
export function readCallback(text: string, isForm: boolean): Callback | null {
  const body = isForm ? readForm(text) : readJson(text);
  if (body === null) return null;
  const event = readEvent(body.kind === "form" ? toRelay(body.fields) : body.body);
  return event && event.kind !== "authorization" ? { event, body } : null;
}

function readJson(text: string): CallbackBody | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (nestsTooDeep(json)) return null;
  // As it came: it goes out again.
  return relayCallback.safeParse(json).success
    ? { kind: "json", body: json as Record<string, unknown> } // That is what the schema saw.
    : null;
}

function readForm(text: string): CallbackBody {
  return { kind: "form", fields: [...new URLSearchParams(text)] };
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
