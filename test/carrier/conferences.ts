import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { JoinSettings } from "./join-settings.ts";
import type { Leg } from "./leg.ts";
import type { RelaySession } from "./relay-session.ts";
import type { Switches } from "./switches/index.ts";

/** A RELAY command, or a document in one of the two languages. */
export type JoinedVia = "relay" | "swml" | "cxml";
export type JoinedBy = "relay" | "document";

export function joinedBy(via: JoinedVia): JoinedBy {
  return via === "relay" ? "relay" : "document";
}

export interface CxmlSource {
  readonly url: string;
  readonly method: "GET" | "POST";
}

export interface Participant {
  readonly leg: Leg;
  readonly node_id: string;
  readonly via: JoinedVia;
  readonly joined_at: number;
  readonly start_on_enter: boolean;
  readonly end_on_exit: boolean;
  /** It asked for the conference to be recorded from the start. */
  readonly asks_to_record: boolean;
  muted: boolean;
  hold: boolean;
  /** The cXML that it hears while it is held; null: music. */
  hold_url: CxmlSource | null;
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
  /** @param told the event that says so, in its inner form; null where none does. */
  recordingChanged(
    conference: Conference,
    status: RecordingStatus,
    told: Record<string, unknown> | null,
  ): void;
  isInConference(call_id: string): boolean;
  /** Fetches what someone who waits hears; the returned function ends it. */
  hearWaitUrl(leg: Leg, url: string, detail: string): () => void;
  /** The same for someone who is held. */
  hearHoldUrl(conference: Conference, leg: Leg, source: CxmlSource): () => void;
}

/** As recording callbacks have it; `absent`: there was to be one, and there was nothing to record. */
export type RecordingStatus = "in-progress" | "paused" | "resumed" | "completed" | "absent";

interface Recording {
  readonly sid: string;
  readonly since: number;
  state: "in-progress" | "paused" | "stopped";
  duration_s: number;
  /** It was deleted by REST. */
  deleted?: true;
}

/** How a conference was at one moment. */
export interface ConferenceThen {
  readonly state: Conference["state"];
  /** Since when it was in that state. */
  readonly since: number;
  /** In the order in which they joined. */
  readonly present: readonly Participant[];
  /** Calls that had left and were not back. */
  readonly left: readonly Participant[];
}

/** Stays that are over are remembered, so many of one conference. */
const past_stays_kept = 1000;

/** A conference, from its first join to its end. */
export class Conference {
  readonly conference_id: string;
  readonly sid: string;
  readonly created_at: number;
  /** The first participant's: their callback settings, recording and region hold for everyone. */
  readonly settings: JoinSettings;
  /** What its first participant made it. */
  readonly type: "relay_conference" | "cxml_conference";
  readonly participants = new Map<string, Participant>();
  /** The sessions that commanded a join of it. */
  readonly commanders = new Set<RelaySession>();
  recording: Recording | null = null;
  /** Everyone is being dropped. */
  ending = false;
  /** Why it ended, and the call whose leave ended it, where one did. */
  ended: { readonly reason: string; readonly by_call: string | null } | null = null;
  readonly #host: ConferenceHost;
  /** What a leave brings, while it is not known yet whether the call moves to another join. */
  #held: (() => void)[] | null = null;
  readonly #sounds = new Map<string, { music: boolean; end: () => void }>();

  #started_at: number | null = null;
  #ended_at: number | null = null;
  /** Oldest end first. */
  readonly #past_stays: { participant: Participant; left_at: number }[] = [];
  /** Whether the room as a whole hears music at the moment. */
  #music = true;
  #to_be_recorded: boolean;
  readonly #node_id: string;
  readonly #segment_id = randomUUID();

  constructor(host: ConferenceHost, settings: JoinSettings, via: JoinedVia, node_id: string) {
    this.#host = host;
    this.settings = settings;
    this.conference_id = settings.conference_id ?? randomUUID();
    this.type = conferenceType(via);
    this.#to_be_recorded = settings.record === "record-from-start";
    this.#node_id = node_id;
    this.sid = host.switches.conference_sid_is_conference_id ? this.conference_id : randomUUID();
    this.created_at = host.clock.now();
  }

  /** As events, callbacks and lists tell it. */
  get name(): string {
    return toldName(this.settings.name, this.#host.switches);
  }

  get state(): "waiting" | "started" | "ended" {
    if (this.#ended_at !== null) return "ended";
    return this.#started_at === null ? "waiting" : "started";
  }

  /** How it was at a moment of its clock; null where it was not yet made. */
  asOf(at: number): ConferenceThen | null {
    if (this.created_at > at) return null;
    const states = [
      { state: "ended" as const, since: this.#ended_at },
      { state: "started" as const, since: this.#started_at },
    ];
    const reached = states.find(({ since }) => since !== null && since <= at);
    const present: Participant[] = [];
    const left = new Map<string, Participant>();
    for (const { participant, left_at } of this.#past_stays) {
      if (left_at <= at) left.set(participant.leg.call_id, participant);
      else if (participant.joined_at <= at) present.push(participant);
    }
    for (const participant of this.participants.values()) {
      if (participant.joined_at <= at) present.push(participant);
    }
    for (const { leg } of present) left.delete(leg.call_id);
    return {
      state: reached?.state ?? "waiting",
      since: reached?.since ?? this.created_at,
      present: present.toSorted((a, b) => a.joined_at - b.joined_at),
      left: [...left.values()],
    };
  }

  isFull({ max_participants }: JoinSettings): boolean {
    return this.participants.size >= max_participants;
  }

  /** Why `leg` may not join with these settings, or null where it may. */
  refusal(settings: JoinSettings): string | null {
    if (this.isFull(settings)) {
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
    if (participant.asks_to_record && this.#host.switches.recording_starts_by === "any_participant") {
      this.#to_be_recorded = true;
    }
    if (this.state === "waiting" && this.#startable()) this.#start();
    else if (this.state === "started") this.#startRecording();
    this.#settleSounds(participant);
  }

  /** Nothing happens where the call is not in the conference. */
  leave(call_id: string): void {
    const { leave_after_join_ms } = this.#host.switches;
    const participant = this.participants.get(call_id);
    if (participant === undefined || this.state === "ended") return;
    if (leave_after_join_ms === 0 || callStatus(participant) === "completed") {
      this.#leave(participant, null);
      return;
    }
    const held: (() => void)[] = [];
    this.#leave(participant, held);
    const tell = () => {
      for (const one of held) one();
    };
    // The join that it moves to comes in the same act.
    setImmediate(() => {
      if (this.#host.isInConference(call_id)) setTimeout(tell, leave_after_join_ms);
      else tell();
    });
  }

  /** What the leave brings, at once or a moment later, goes to `held` where that is given. */
  #leave(participant: Participant, held: (() => void)[] | null): void {
    const { call_id } = participant.leg;
    const has_hung_up = callStatus(participant) === "completed";
    const end = () => {
      this.#held = held;
      this.end("participant-with-end-conference-on-exit-left", call_id);
      this.#held = null;
    };
    this.#held = held;
    this.#remove(participant, has_hung_up ? "participant_hung_up" : "participant_updated_via_api");
    const may_be_back = !has_hung_up && this.#host.switches.end_on_exit_on_rejoin === "does_not";
    if (participant.end_on_exit && !may_be_back) end();
    else if (this.participants.size === 0) this.end("last-participant-left", call_id);
    else {
      // To leave and to join again is one act where nothing comes in between, so it is seen afterwards.
      const endUnlessBack = () => {
        if (!this.participants.has(call_id)) end();
      };
      if (participant.end_on_exit) setImmediate(endUnlessBack);
      this.#settleSounds();
    }
    this.#held = null;
  }

  /** Whether it goes on where this call leaves it only to join it again. */
  goesOnWithout(call_id: string): boolean {
    const participant = this.participants.get(call_id);
    if (participant === undefined) return true;
    const ends = participant.end_on_exit && this.#host.switches.end_on_exit_on_rejoin === "ends";
    return this.participants.size > 1 && !ends;
  }

  /** Drops everyone. */
  end(reason_ended: string, call_id_ending_conf?: string): void {
    if (this.state === "ended") return;
    this.ending = true;
    this.ended = { reason: reason_ended, by_call: call_id_ending_conf ?? null };
    const by_api = reason_ended === "conference-ended-via-api";
    const for_all = reason_ended !== "last-participant-left";
    const told = for_all ? this.#host.switches.events_at_end : "leaves_and_end";
    const reason = by_api ? "conference_ended_via_api" : "moderator_ended_conference";
    for (const participant of [...this.participants.values()])
      this.#remove(participant, reason, told !== "end_only");
    this.#stopRecording();
    const was_started = this.state === "started";
    this.#ended_at = this.#host.clock.now();
    if (this.#to_be_recorded && !was_started) {
      this.#host.recordingChanged(this, "absent", null);
    }
    this.#host.conferenceOver(this);
    if (told === "leaves_only") return;
    this.#tell("conference-end", undefined, {
      reason_ended,
      ...(call_id_ending_conf === undefined
        ? {}
        : { call_id_ending_conf, call_ending_conference: call_id_ending_conf }),
      ...this.#recordingFacts(),
    });
  }

  modify(
    call_id: string,
    change: { muted?: boolean; hold?: boolean; hold_url?: CxmlSource; coaching?: string | null },
  ): void {
    const participant = this.participants.get(call_id);
    if (participant === undefined) return;
    if (change.muted !== undefined && change.muted !== participant.muted) {
      participant.muted = change.muted;
      this.#tell(change.muted ? "participant-mute" : "participant-unmute", participant);
    }
    if (change.hold !== undefined && change.hold !== participant.hold) {
      participant.hold = change.hold;
      participant.hold_url = change.hold_url ?? null;
      this.#tell(change.hold ? "participant-hold" : "participant-unhold", participant);
    }
    if (change.coaching !== undefined && change.coaching !== participant.coaching) {
      participant.coaching = change.coaching;
      this.#tell("participant-modify", participant);
    }
    this.#settleSounds(participant);
  }

  /** Told only where the first participant's settings ask who speaks. */
  speak(call_id: string, speaking: boolean): void {
    const participant = this.participants.get(call_id);
    const asked = this.settings.status_callback_event?.split(" ") ?? [];
    if (participant === undefined || !asked.includes("speaker")) return;
    this.#tell(speaking ? "participant-speech-start" : "participant-speech-stop", participant);
  }

  record(state: "in-progress" | "paused" | "stopped"): void {
    if (this.recording === null || this.recording.state === "stopped" || this.recording.state === state)
      return;
    if (state === "stopped") {
      this.#stopRecording();
      return;
    }
    this.recording.state = state;
    const isPaused = state === "paused";
    const told = this.#tell(isPaused ? "record-pause" : "record-resume");
    this.#host.recordingChanged(this, isPaused ? "paused" : "resumed", told);
  }

  /** Who hears a participant: all the others, none of them, or the one call that is coached. */
  heardBy({ muted, hold, coaching }: Participant): string {
    if (muted || hold || this.#music) return "nobody";
    if (coaching === null) return "everyone";
    return this.#host.switches.coach_means === "hears_only" ? "nobody" : coaching;
  }

  recordingUrl(): string {
    return `https://files.example.com/recordings/${this.recording?.sid ?? ""}.wav`;
  }

  /** In bytes: 8 kHz, 16 bits, mono. */
  recordingSize(): number {
    // One that is over at once has sound as well.
    return Math.max(1, this.recording?.duration_s ?? 0) * 16_000;
  }

  /** Someone alone starts nothing, unless the switch says that they do. */
  #startable(): boolean {
    const someone_starts = [...this.participants.values()].some((one) => one.start_on_enter);
    return someone_starts && (this.participants.size > 1 || !this.#host.switches.alone_hears_music);
  }

  #start(): void {
    this.#started_at = this.#host.clock.now();
    this.#tell("conference-start");
    this.#startRecording();
  }

  #startRecording(): void {
    if (!this.#to_be_recorded || this.recording !== null) return;
    const since = this.#host.clock.now();
    this.recording = { sid: randomUUID(), since, state: "in-progress", duration_s: 0 };
    this.#host.recordingChanged(this, "in-progress", this.#tell("record-start"));
  }

  #stopRecording(): void {
    if (this.recording === null || this.recording.state === "stopped") return;
    this.recording.state = "stopped";
    this.recording.duration_s = Math.round((this.#host.clock.now() - this.recording.since) / 1000);
    const told = this.#tell("record-stop", undefined, this.#recordingFacts());
    this.#host.recordingChanged(this, "completed", told);
  }

  #recordingFacts(): Record<string, unknown> {
    if (this.recording === null) return {};
    return {
      recording_url: this.recordingUrl(),
      recording_duration: this.recording.duration_s,
      recording_file_size: this.recordingSize(),
    };
  }

  #remove(participant: Participant, reason_participant_left: string, told = true): void {
    const { call_id } = participant.leg;
    this.participants.delete(call_id);
    this.#past_stays.push({ participant, left_at: this.#host.clock.now() });
    if (this.#past_stays.length > past_stays_kept) this.#past_stays.shift();
    this.#sounds.get(call_id)?.end();
    this.#sounds.delete(call_id);
    const participant_call_status = callStatus(participant);
    const { size } = this.participants;
    if (told)
      this.#tell("participant-leave", participant, {
        participant_call_status,
        reason_participant_left,
        size: this.#host.switches.size_counts_self === "before" ? size + 1 : size,
      });
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
    const { name } = this.settings;
    const detail = music && wait_url !== undefined ? `${name} ${wait_url}` : name;
    const is_fetched = music && wait_url !== undefined && this.#host.switches.wait_url_is !== "sound";
    const held_by = participant.hold ? participant.hold_url : null;
    const end = held_by
      ? this.#host.hearHoldUrl(this, participant.leg, held_by)
      : is_fetched
        ? this.#host.hearWaitUrl(participant.leg, wait_url, detail)
        : participant.leg.hear(music ? "music" : "conference", detail);
    this.#sounds.set(call_id, { music, end });
  }

  #tell(
    status: string,
    participant?: Participant,
    more: Record<string, unknown> = {},
  ): Record<string, unknown> {
    const event = {
      conference_id: this.conference_id,
      name: this.name,
      status,
      size: this.participants.size,
      region: this.settings.region,
      node_id: this.#node_id,
      segment_id: this.#segment_id,
      ...(participant === undefined ? {} : participantFacts(participant)),
      ...more,
    };
    const tell = () => this.#host.conferenceEvent(this, status, event);
    if (this.#held === null) tell();
    else this.#held.push(tell);
    return event;
  }
}

export function conferenceType(via: JoinedVia): Conference["type"] {
  return via === "cxml" ? "cxml_conference" : "relay_conference";
}

/** What SignalWire makes of a conference's name. */
export function toldName(name: string, { names_normalised }: Switches): string {
  return names_normalised === "trimmed_lower_case" ? name.trim().toLowerCase() : name;
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
