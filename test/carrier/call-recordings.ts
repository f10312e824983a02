import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Switches } from "./switches/index.ts";

/** What a recording of one call takes: RELAY's words; times in seconds. */
export interface RecordSettings {
  /** RELAY's, or the REST command's; null: made by the compatibility API. */
  readonly control_id: string | null;
  readonly direction: "speak" | "listen" | "both";
  readonly initial_timeout: number;
  readonly end_silence_timeout: number;
  readonly terminators: string;
}

export type CallRecordingState = "recording" | "paused" | "finished" | "no_input";

export interface RecordingHost {
  readonly clock: Clock;
  readonly switches: Switches;
}

/** What no pause ends: as the compatibility API records. */
export const throughout = { initial_timeout: null, end_silence_timeout: null } as const;

/** What RELAY does unless it is told otherwise: it records one voice, and stops at a pause. */
export const relayDefaults = {
  direction: "speak",
  initial_timeout: 5,
  end_silence_timeout: 1,
  terminators: "#*",
} as const;

/** Where a timeout of 0 s is one: what is recorded ends this soon. */
const at_once_ms = 500;

/** A recording of one call, whatever room it is in. The simulator's callers are mute: timeouts run from the beginning on. */
export class CallRecording {
  readonly sid = randomUUID();
  readonly control_id: string | null;
  readonly direction: RecordSettings["direction"];
  readonly since: number;
  state: CallRecordingState = "recording";
  ended_at: number | null = null;
  /** It was deleted by REST. */
  deleted = false;
  readonly #host: RecordingHost;
  readonly #changed: (recording: CallRecording) => void;
  readonly #terminators: string;
  #callOff = () => {};

  /** @param changed told of each state, the first one too. */
  constructor(
    host: RecordingHost,
    settings: Omit<RecordSettings, "initial_timeout" | "end_silence_timeout"> & {
      /** null: there is none. */
      readonly initial_timeout: number | null;
      readonly end_silence_timeout: number | null;
    },
    changed: (recording: CallRecording) => void,
  ) {
    this.#host = host;
    this.#changed = changed;
    this.control_id = settings.control_id;
    this.direction = settings.direction;
    this.#terminators = settings.terminators;
    this.since = host.clock.now();
    changed(this);
    if (!this.#limit(settings.initial_timeout, "no_input"))
      this.#limit(settings.end_silence_timeout, "finished");
  }

  get isOpen(): boolean {
    return this.ended_at === null;
  }

  get duration_s(): number {
    return Math.round(((this.ended_at ?? this.#host.clock.now()) - this.since) / 1000);
  }

  get url(): string {
    return `https://files.example.com/recordings/${this.sid}.wav`;
  }

  /** In bytes: 8 kHz, 16 bits, mono. */
  get size(): number {
    return this.duration_s * 16_000;
  }

  pause(): void {
    if (this.state === "recording") this.#move("paused");
  }

  resume(): void {
    if (this.state === "paused") this.#move("recording");
  }

  stop(): void {
    this.#end("finished");
  }

  /** The caller has pressed these. */
  keyed(digits: string): void {
    if ([...digits].some((key) => this.#terminators.includes(key))) this.stop();
  }

  /** False where there is no such limit. */
  #limit(seconds: number | null, how: "finished" | "no_input"): boolean {
    const disabled = seconds === 0 && this.#host.switches.record_timeout_of_zero === "disables";
    if (seconds === null || disabled) return false;
    const ms = seconds === 0 ? at_once_ms : seconds * 1000;
    this.#callOff = this.#host.clock.after(ms, () => this.#end(how));
    return true;
  }

  #end(how: "finished" | "no_input"): void {
    if (!this.isOpen) return;
    this.#callOff();
    this.ended_at = this.#host.clock.now();
    this.#move(how);
  }

  #move(state: CallRecordingState): void {
    this.state = state;
    this.#changed(this);
  }
}
