import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { JoinSettings } from "./join-settings.ts";
import type { Leg } from "./leg.ts";
import type { Switches } from "./switches/index.ts";

export type JoinedBy = "relay" | "document";

export interface Participant {
  readonly leg: Leg;
  readonly node_id: string;
  readonly by: JoinedBy;
  readonly joined_at: number;
  readonly start_on_enter: boolean;
  readonly end_on_exit: boolean;
  muted: boolean;
  hold: boolean;
  /** The call that this one coaches. */
  coaching: string | null;
  /** Called once, when the participant has left for whatever reason. */
  readonly left: () => void;
}

export interface ConferenceHost {
  readonly clock: Clock;
  readonly switches: Switches;
  /** Every event of the conference, in order, in the inner form that RELAY and status callbacks share. */
  conferenceEvent(conference: Conference, status: string, params: Record<string, unknown>): void;
  conferenceOver(conference: Conference): void;
  recordingChanged(conference: Conference, status: "in-progress" | "completed" | "absent"): void;
}

interface Recording {
  readonly sid: string;
  readonly since: number;
  state: "in-progress" | "paused" | "stopped";
  duration_s: number;
}

/** A conference, from its first join to its end. */
export class Conference {
  readonly conference_id = randomUUID();
  readonly sid: string;
  readonly created_at: number;
  /** The first participant's: their callback settings, recording and region hold for everyone. */
  readonly settings: JoinSettings;
  readonly participants = new Map<string, Participant>();
  recording: Recording | null = null;
  state: "waiting" | "started" | "ended" = "waiting";
  /** Why it ended, and the call whose leave ended it, where one did. */
  ended: { readonly reason: string; readonly by_call: string | null } | null = null;
  readonly #host: ConferenceHost;
  readonly #sounds = new Map<string, { music: boolean; end: () => void }>();

  /** Whether the room as a whole hears music at the moment. */
  #music = true;
  readonly #node_id: string;
  readonly #segment_id = randomUUID();

  constructor(host: ConferenceHost, settings: JoinSettings, node_id: string) {
    this.#host = host;
    this.settings = settings;
    this.#node_id = node_id;
    this.sid = host.switches.conference_sid_is_conference_id ? this.conference_id : randomUUID();
    this.created_at = host.clock.now();
  }

  get name(): string {
    return this.settings.name;
  }

  /** Why `leg` may not join with these settings, or null where it may. */
  refusal(settings: JoinSettings): string | null {
    if (this.participants.size >= settings.max_participants) {
      return `conference ${this.name} is full: ${this.participants.size} of ${settings.max_participants}`;
    }
    if (settings.coach !== undefined && !this.participants.has(settings.coach)) {
      return `the call to be coached, ${settings.coach}, is not in conference ${this.name}`;
    }
    return null;
  }

  join(participant: Participant): void {
    this.participants.set(participant.leg.call_id, participant);
    this.#tell("participant-join", participant);
    if (this.state === "waiting" && this.#startable()) this.#start();
    this.#settleSounds(participant);
  }

  /** Nothing happens where the call is not in the conference. */
  leave(call_id: string): void {
    const participant = this.participants.get(call_id);
    if (participant === undefined || this.state === "ended") return;
    const has_hung_up = callStatus(participant) === "completed";
    this.#remove(participant, has_hung_up ? "participant_hung_up" : "participant_updated_via_api");
    if (participant.end_on_exit) this.end("participant-with-end-conference-on-exit-left", call_id);
    else if (this.participants.size === 0) this.end("last-participant-left", call_id);
    else this.#settleSounds();
  }

  /** Drops everyone. */
  end(reason_ended: string, call_id_ending_conf?: string): void {
    if (this.state === "ended") return;
    this.ended = { reason: reason_ended, by_call: call_id_ending_conf ?? null };
    const by_api = reason_ended === "conference-ended-via-api";
    for (const participant of [...this.participants.values()])
      this.#remove(participant, by_api ? "conference_ended_via_api" : "moderator_ended_conference");
    this.#stopRecording();
    const was_started = this.state === "started";
    this.state = "ended";
    if (this.settings.record === "record-from-start" && !was_started) {
      this.#host.recordingChanged(this, "absent");
    }
    this.#host.conferenceOver(this);
    this.#tell("conference-end", undefined, {
      reason_ended,
      ...(call_id_ending_conf === undefined
        ? {}
        : { call_id_ending_conf, call_ending_conference: call_id_ending_conf }),
      ...this.#recordingFacts(),
    });
  }

  modify(call_id: string, change: { muted?: boolean; hold?: boolean; coaching?: string | null }): void {
    const participant = this.participants.get(call_id);
    if (participant === undefined) return;
    if (change.muted !== undefined && change.muted !== participant.muted) {
      participant.muted = change.muted;
      this.#tell(change.muted ? "participant-mute" : "participant-unmute", participant);
    }
    if (change.hold !== undefined && change.hold !== participant.hold) {
      participant.hold = change.hold;
      this.#tell(change.hold ? "participant-hold" : "participant-unhold", participant);
    }
    if (change.coaching !== undefined && change.coaching !== participant.coaching) {
      participant.coaching = change.coaching;
      this.#tell("participant-modify", participant);
    }
    this.#settleSounds(participant);
  }

  record(state: "in-progress" | "paused" | "stopped"): void {
    if (this.recording === null || this.recording.state === "stopped" || this.recording.state === state)
      return;
    if (state === "stopped") {
      this.#stopRecording();
      return;
    }
    this.recording.state = state;
    this.#tell(state === "paused" ? "record-pause" : "record-resume");
  }

  recordingUrl(): string {
    return `https://files.example.com/recordings/${this.recording?.sid ?? ""}.wav`;
  }

  /** Someone alone starts nothing, unless the switch says that they do. */
  #startable(): boolean {
    const someone_starts = [...this.participants.values()].some((one) => one.start_on_enter);
    return someone_starts && (this.participants.size > 1 || !this.#host.switches.alone_hears_music);
  }

  #start(): void {
    this.state = "started";
    this.#tell("conference-start");
    if (this.settings.record !== "record-from-start") return;
    const since = this.#host.clock.now();
    this.recording = { sid: randomUUID(), since, state: "in-progress", duration_s: 0 };
    this.#tell("record-start");
    this.#host.recordingChanged(this, "in-progress");
  }

  #stopRecording(): void {
    if (this.recording === null || this.recording.state === "stopped") return;
    this.recording.state = "stopped";
    this.recording.duration_s = Math.round((this.#host.clock.now() - this.recording.since) / 1000);
    this.#tell("record-stop", undefined, this.#recordingFacts());
    this.#host.recordingChanged(this, "completed");
  }

  #recordingFacts(): Record<string, unknown> {
    if (this.recording === null) return {};
    return {
      recording_url: this.recordingUrl(),
      recording_duration: this.recording.duration_s,
      // 8 kHz, 16 bits, mono.
      recording_file_size: this.recording.duration_s * 16_000,
    };
  }

  #remove(participant: Participant, reason_participant_left: string): void {
    const { call_id } = participant.leg;
    this.participants.delete(call_id);
    this.#sounds.get(call_id)?.end();
    this.#sounds.delete(call_id);
    const participant_call_status = callStatus(participant);
    this.#tell("participant-leave", participant, { participant_call_status, reason_participant_left });
    participant.left();
  }

  /** Settles everyone's sound where the room's has changed, else that of `changed` alone: rooms may hold thousands. */
  #settleSounds(changed?: Participant): void {
    const alone = this.participants.size === 1 && this.#host.switches.alone_hears_music;
    const music = this.state === "waiting" || alone;
    const flipped = music !== this.#music;
    this.#music = music;
    if (flipped) for (const participant of this.participants.values()) this.#settleSound(participant);
    else if (changed !== undefined) this.#settleSound(changed);
  }

  /** The old sound ends before the new one begins. */
  #settleSound(participant: Participant): void {
    const { call_id } = participant.leg;
    const music = this.#music || participant.hold;
    const current = this.#sounds.get(call_id);
    if (current?.music === music) return;
    current?.end();
    const { wait_url } = this.settings;
    const detail = music && wait_url !== undefined ? `${this.name} ${wait_url}` : this.name;
    const end = participant.leg.hear(music ? "music" : "conference", detail);
    this.#sounds.set(call_id, { music, end });
  }

  #tell(status: string, participant?: Participant, more: Record<string, unknown> = {}): void {
    this.#host.conferenceEvent(this, status, {
      conference_id: this.conference_id,
      name: this.name,
      status,
      size: this.participants.size,
      region: this.settings.region,
      node_id: this.#node_id,
      segment_id: this.#segment_id,
      ...(participant === undefined ? {} : participantFacts(participant)),
      ...more,
    });
  }
}

function callStatus({ leg }: Participant): "completed" | "in-progress" {
  const { call_state } = leg.describe();
  return call_state === "ending" || call_state === "ended" ? "completed" : "in-progress";
}

/** Two of SignalWire's pages spell the settings differently: both are told. */
function participantFacts(participant: Participant): Record<string, unknown> {
  return {
    node_id: participant.node_id,
    call_id: participant.leg.call_id,
    muted: participant.muted,
    hold: participant.hold,
    start_on_join: participant.start_on_enter,
    end_on_leave: participant.end_on_exit,
    start_on_enter: participant.start_on_enter,
    end_on_exit: participant.end_on_exit,
    coaching: participant.coaching !== null,
  };
}
