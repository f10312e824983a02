import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Conference, RecordingStatus } from "./conferences.ts";
import type { Journal } from "./journal.ts";
import { type OutgoingHost, outgoing } from "./outgoing.ts";
import type { WebhookMessage } from "./webhooks.ts";

export interface CallbackHost extends OutgoingHost {
  readonly project_id: string;
  readonly space_id: string;
  readonly clock: Clock;
  readonly journal: Journal;
  callSid(call_id: string): string;
  /** In seconds. */
  timestamp(): number;
}

/** SignalWire tries a status callback up to three times; how long it waits in between is not published. */
const pauses_ms = [0, 1000, 2000];

/** Which word of `status_callback_event` asks for an event. Recording events go by the recording callback alone. */
const wordOf = new Map([
  ["conference-start", "start"],
  ["conference-end", "end"],
  ["participant-join", "join"],
  ["participant-leave", "leave"],
  ["participant-mute", "mute"],
  ["participant-unmute", "mute"],
  ["participant-hold", "hold"],
  ["participant-unhold", "hold"],
  ["participant-modify", "modify"],
  ["participant-speech-start", "speaker"],
  ["participant-speech-stop", "speaker"],
]);

/** Sends a project's conference and recording callbacks, in the form that the first participant asked for. */
export class StatusCallbacks {
  readonly #host: CallbackHost;

  constructor(host: CallbackHost) {
    this.#host = host;
  }

  conferenceEvent(conference: Conference, status: string, params: Record<string, unknown>): void {
    const { settings } = conference;
    const { event_callback_url } = settings;
    if (status === "conference-end" && event_callback_url !== undefined) {
      const fields = this.#conferenceForm(conference, status, params);
      const message = { kind: "form", url: event_callback_url, method: "POST", fields } as const;
      this.#deliver(conference, message, { event_type: "conference", status });
    }
    const word = wordOf.get(status);
    if (settings.status_callback === undefined || word === undefined) return;
    // No default is published: without a list, all are sent.
    const wanted = settings.status_callback_event?.split(" ") ?? [...wordOf.values()];
    if (!wanted.includes(word)) return;
    const url = settings.status_callback;
    const method = settings.status_callback_method === "GET" ? "GET" : "POST";
    const message: WebhookMessage =
      settings.status_callback_event_type === "relay"
        ? { kind: "json", url, body: this.#relayForm(conference, params) }
        : { kind: "form", url, method, fields: this.#conferenceForm(conference, status, params) };
    this.#deliver(conference, message, { event_type: "calling.conference", status, ...callIdOf(params) });
  }

  recordingChanged(
    conference: Conference,
    status: RecordingStatus,
    told: Record<string, unknown> | null,
  ): void {
    const { settings } = conference;
    if (settings.recording_status_callback === undefined) return;
    const wanted = settings.recording_status_callback_event?.split(" ") ?? ["completed"];
    const word = recordingWord(status, wanted);
    if (!wanted.includes(word)) return;
    const url = settings.recording_status_callback;
    const method = settings.recording_status_callback_method === "GET" ? "GET" : "POST";
    const facts = { event_type: "recording", status };
    if (settings.recording_status_callback_event_type === "relay") {
      // Of an absent recording no event is published.
      if (told === null) return;
      this.#deliver(conference, { kind: "json", url, body: this.#relayForm(conference, told) }, facts);
    } else if (status !== "paused" && status !== "resumed") {
      const fields = this.#recordingForm(conference, word);
      this.#deliver(conference, { kind: "form", url, method, fields }, facts);
    }
  }

  /** REST's schema has no call for a conference's recording, so `CallSid` is not to be relied on. */
  #recordingForm(conference: Conference, status: string): (readonly [string, string])[] {
    const { recording, sid } = conference;
    const { recording_form_has_conference_sid: has_conference, recording_form_call_sid: call_sid } =
      this.#host.switches;
    const isDone = status === "completed";
    return [
      ["AccountSid", this.#host.project_id],
      ...(call_sid === "missing" ? [] : [["CallSid", call_sid === "empty" ? "" : randomUUID()] as const]),
      ...(has_conference ? [["ConferenceSid", sid] as const] : []),
      ["RecordingSid", recording?.sid ?? ""],
      ["RecordingUrl", isDone ? conference.recordingUrl() : ""],
      ["RecordingStatus", status],
      ["RecordingDuration", String(recording?.duration_s ?? 0)],
      ["RecordingChannels", "1"],
      ["RecordingSource", "Conference"],
    ];
  }

  #relayForm(conference: Conference, params: Record<string, unknown>): Record<string, unknown> {
    return {
      event_type: "calling.conference",
      event_channel: `swml:${conference.conference_id}`,
      timestamp: this.#host.timestamp(),
      project_id: this.#host.project_id,
      space_id: this.#host.space_id,
      params,
    };
  }

  #conferenceForm(
    conference: Conference,
    status: string,
    params: Record<string, unknown>,
  ): (readonly [string, string])[] {
    const fields: (readonly [string, string])[] = [
      ["ConferenceSid", conference.sid],
      ["FriendlyName", conference.name],
      ["AccountSid", this.#host.project_id],
      ["StatusCallbackEvent", status],
      ["Timestamp", new Date(this.#host.timestamp() * 1000).toUTCString().replace("GMT", "+0000")],
    ];
    const call_id = params["call_id"];
    if (typeof call_id === "string") {
      fields.push(
        ["CallSid", this.#host.callSid(call_id)],
        ["Muted", String(params["muted"])],
        ["Hold", String(params["hold"])],
        ["StartConferenceOnEnter", String(params["start_on_join"])],
        ["EndConferenceOnExit", String(params["end_on_leave"])],
      );
    }
    if (params["recording_url"] !== undefined) {
      fields.push(
        ["RecordingUrl", String(params["recording_url"])],
        ["Duration", String(params["recording_duration"])],
        ["RecordingFileSize", String(params["recording_file_size"])],
      );
    }
    return fields;
  }

  #deliver(
    { conference_id, sid }: Conference,
    message: WebhookMessage,
    facts: { event_type: string; status: string; call_id?: string },
  ): void {
    if (this.#host.faults.fire("callback", facts)?.kind === "lose") return;
    const { call_id } = facts;
    const named_as_by_relay =
      message.kind === "json" ||
      (sid === conference_id && (call_id === undefined || this.#host.callSid(call_id) === call_id));
    const attempt = async (tries: number): Promise<void> => {
      const sender = outgoing(this.#host, "status_callback", facts, (entry) =>
        this.#host.journal.note("status_callback", {
          url: entry.url,
          ms: entry.ms,
          ...facts,
          conference_id,
          named_as_by_relay,
          form: message.kind !== "json",
          signed: this.#host.switches.status_callbacks_are_signed,
          try: tries + 1,
          http_status: entry.status ?? null,
          ...(entry.failed === undefined ? {} : { failed: entry.failed }),
        }),
      );
      const outcome = await sender.send(message);
      if (outcome.ok && outcome.response.status < 400) return;
      const pause_ms = pauses_ms[tries + 1];
      if (pause_ms !== undefined) this.#host.clock.after(pause_ms, () => void attempt(tries + 1));
    };
    void attempt(0);
  }
}

/** The word by which a recording's event is asked for. cXML's `<Conference>` has `failed` where the others have `absent`. */
function recordingWord(status: RecordingStatus, wanted: readonly string[]): string {
  if (status === "paused" || status === "resumed") return "in-progress";
  return status === "absent" && wanted.includes("failed") ? "failed" : status;
}

function callIdOf(params: Record<string, unknown>): { call_id?: string } {
  const call_id = params["call_id"];
  return typeof call_id === "string" ? { call_id } : {};
}
