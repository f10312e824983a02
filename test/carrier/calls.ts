import { randomUUID } from "node:crypto";
import { AudioMonitor } from "./audio-monitor.ts";
import type { CallFacts, CallOrigin, CallState } from "./call-facts.ts";
import { callerForm, headerForms } from "./call-forms.ts";
import { CallRecording } from "./call-recordings.ts";
import type { Clock } from "./clock.ts";
import { type Conference, type JoinedBy, type JoinedVia, joinedBy } from "./conferences.ts";
import type { Journal } from "./journal.ts";
import { Keypad } from "./keypad.ts";
import type { AnswerLimit, Leg, Sound } from "./leg.ts";
import type { RelayAction } from "./relay-action.ts";
import type { RelaySession } from "./relay-session.ts";
import type { Switches } from "./switches/index.ts";

export type JoinResult = { joined: true; conference: Conference } | { joined: false; reason: string };

export interface CallHost {
  readonly project_id: string;
  readonly space_id: string;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly switches: Switches;
  serverTime(): number;
  callStateChanged(call: Call): void;
  /** Told of each state of a recording of one call. */
  callRecordingChanged(call: Call, recording: CallRecording): void;
  conferenceToJoin(name: string, via: JoinedVia): Conference | undefined;
  join(call: Call, params: Record<string, unknown>, via: JoinedVia, left: () => void): JoinResult;
}

/** One stay in a conference, whatever events tell of it. */
export interface JoinRecord {
  at: number;
  /** The name that the join gave. */
  conference: string;
  conference_id: string;
  by: JoinedBy;
  left_at: number | null;
  /** The journal's latest entry at the join and at the leave: within a millisecond the clock cannot tell what came first. */
  seq: number;
  left_seq: number | null;
}

/** One call, from its creation on; it stays readable after its end. */
export class Call implements Leg {
  readonly call_id: string;
  readonly sid: string;
  readonly node_id = `${randomUUID()}@us-east`;
  /** Those of earlier documents, where each has one of its own. */
  readonly past_segment_ids: string[] = [];
  readonly vars: Record<string, unknown>;
  readonly facts: CallFacts;
  /** On the project's clock. */
  readonly began_at: number;
  readonly ear: AudioMonitor;
  readonly keypad: Keypad;
  state: CallState = "created";
  origin: CallOrigin;
  /** RELAY was told that it is answered, and it will be in a moment. */
  being_answered = false;
  end_reason: string | null = null;
  /** When it began, was answered and ended, as its events tell: in ms since the epoch, on the server's clock. */
  readonly times: { start_time: number; answer_time?: number; end_time?: number };
  stranded = false;
  /** The RELAY session that this call belongs to; commands of any other get 409. */
  controller: RelaySession | null = null;
  /** The context that it was last offered on, and the sessions that passed it on. */
  offered: { context: string; passed: Set<RelaySession> } | null = null;
  /** What RELAY plays or collects on it, by `control_id`. */
  readonly actions = new Map<string, RelayAction>();
  /** Those of this one call, the oldest first. */
  readonly recordings: CallRecording[] = [];
  /** RELAY holds it: the call, and no participant of a conference. */
  held = false;
  /** Settled when the webhook that is in flight for a document is answered, or has failed. */
  webhook_in_flight: Promise<void> | null = null;
  /** Aborts the document that runs, if one does. */
  document: AbortController | null = null;
  conference: Conference | null = null;
  readonly joins: JoinRecord[] = [];
  readonly webhooks: { url: string; at: number; ms: number; status: number | null }[] = [];
  readonly documents: Record<string, unknown>[] = [];
  readonly #host: CallHost;
  readonly #end = new AbortController();
  #segment_id: string = randomUUID();
  /** A call that came by webhook begins with its first document; any other is a segment without one. */
  #segment_has_begun: boolean;
  /** Steps of documents that joined nothing and wait until the call leaves. */
  readonly #leaving = new Set<() => void>();
  #stop_ringing: () => void;
  #call_off_limit: () => void = () => {};

  constructor(host: CallHost, facts: CallFacts) {
    this.#host = host;
    this.facts = facts;
    this.origin = facts.origin;
    this.#segment_has_begun = facts.origin !== "webhook";
    this.call_id = facts.call_id ?? randomUUID();
    this.sid = host.switches.call_sid_is_call_id ? this.call_id : randomUUID();
    this.vars = { ...facts.vars };
    this.times = { start_time: host.serverTime() };
    this.began_at = host.clock.now();
    this.ear = new AudioMonitor(() => host.clock.now());
    this.keypad = new Keypad(host.clock, () => host.switches.type_ahead);
    this.#stop_ringing = this.ear.begin("ring", "ringback");
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Also the id of its voice log. */
  get segment_id(): string {
    return this.#segment_id;
  }

  get over(): boolean {
    return this.state === "ending" || this.state === "ended";
  }

  /** How the call came into the conference that it is in. */
  get joined_by(): JoinedBy | null {
    const via = this.conference?.participants.get(this.call_id)?.via;
    return via === undefined ? null : joinedBy(via);
  }

  /** The caller as SignalWire writes it. */
  get caller(): string {
    return callerForm(this.facts, this.#host.switches.caller_forms);
  }

  /** The SIP headers as SignalWire names them. */
  get headers(): { name: string; value: string }[] {
    return headerForms(this.facts.headers, this.#host.switches.sip_header_names);
  }

  describe(): Record<string, unknown> {
    const { from, to, type, direction, tag } = this.facts;
    const { caller, headers } = this;
    return {
      call_id: this.call_id,
      node_id: this.node_id,
      segment_id: this.segment_id,
      call_state: this.state,
      direction,
      type,
      from: caller,
      to,
      ...(type === "phone" ? { from_number: caller, to_number: to } : {}),
      headers,
      ...(type === "sip" ? { sip_data: sipData(from, to) } : {}),
      ...(tag === undefined ? {} : { tag }),
      project_id: this.#host.project_id,
      space_id: this.#host.space_id,
    };
  }

  documentBegins(): void {
    if (this.#segment_has_begun && this.#host.switches.segments === "one_per_document") {
      this.past_segment_ids.push(this.#segment_id);
      this.#segment_id = randomUUID();
    }
    this.#segment_has_begun = true;
  }

  now(): number {
    return this.#host.clock.now();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.#host.clock.sleep(ms, signal);
  }

  ring(): void {
    if (this.state === "created") this.#setState("ringing");
  }

  answer(limit: AnswerLimit = {}): void {
    if (this.over) return;
    const ms = this.#limitOf(limit);
    if (this.state !== "answered") {
      this.#stop_ringing();
      this.#setState("answered");
    }
    if (ms !== undefined) this.endAfter(ms);
  }

  /** SWML's default counts for what answers the call; on an answered call only a limit that is written does. */
  #limitOf({ max_ms, default_ms }: AnswerLimit): number | undefined {
    if (this.state !== "answered") return max_ms ?? default_ms;
    switch (this.#host.switches.max_duration_of_answer_when_answered) {
      case "counts":
        return max_ms;
      case "ignored":
        return undefined;
      case "resets":
        return max_ms ?? default_ms;
    }
  }

  /** The caller presses keys. */
  press(digits: string): void {
    for (const recording of this.recordings) recording.keyed(digits);
    this.keypad.press(digits);
  }

  /** @param told hears of each state, beside the project. */
  record(
    settings: ConstructorParameters<typeof CallRecording>[1],
    told: (recording: CallRecording) => void = () => {},
  ): CallRecording {
    const recording = new CallRecording(this.#host, settings, (changed) => {
      if (!this.recordings.includes(changed)) this.recordings.push(changed);
      this.#host.callRecordingChanged(this, changed);
      told(changed);
    });
    return recording;
  }

  /** A later limit takes the place of an earlier one. */
  endAfter(ms: number): void {
    this.#call_off_limit();
    this.#call_off_limit = this.#host.clock.after(ms, () => this.hangUp("max_duration"));
  }

  hangUp(reason: string): void {
    if (this.over) return;
    this.#call_off_limit();
    this.end_reason = reason;
    this.#stop_ringing();
    this.#setState("ending");
    for (const recording of this.recordings) recording.stop();
    this.conference?.leave(this.call_id);
    this.#end.abort(new Error(`the call ended: ${reason}`));
    this.ear.end();
    this.#setState("ended");
  }

  hear(sound: Sound, detail: string): () => void {
    if (this.over) return () => {};
    const end = this.ear.begin(sound, detail);
    this.#host.journal.touch();
    return end;
  }

  nextDigit(timeout_ms: number, signal: AbortSignal): Promise<string | null> {
    return this.keypad.next(timeout_ms, signal);
  }

  beginPrompt(): () => void {
    return this.keypad.beginPrompt();
  }

  joinConference(
    params: Record<string, unknown>,
    signal: AbortSignal,
    language: "swml" | "cxml",
    until: "left" | "joined",
  ): Promise<"completed" | "answered" | "no-answer" | "failed" | "canceled"> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      this.answer();
      const target = this.#host.conferenceToJoin(String(params["name"]), language);
      const there = this.conference !== null && this.conference === target;
      const reading = there ? this.#host.switches.join_where_you_are : "moves";
      const replaced = () => {
        reject(signal.reason);
        this.#leaving.delete(left);
        if (reading === "moves") this.conference?.leave(this.call_id);
      };
      const left = () => {
        // Where the call itself is over, the signal is about to be aborted and says so.
        if (this.over) return;
        signal.removeEventListener("abort", replaced);
        resolve("completed");
      };
      const failed = (reason: string) => {
        this.note("document", { join_failed: reason });
        resolve("failed");
      };
      if (reading === "fails") {
        failed("the call is in that conference already");
        return;
      }
      if (reading === "does_nothing") {
        this.#leaving.add(left);
      } else {
        // A call is in one conference at most: the document's wish is the later one.
        this.conference?.leave(this.call_id);
        const result = this.#host.join(this, params, language, left);
        if (!result.joined) {
          failed(result.reason);
          return;
        }
      }
      signal.addEventListener("abort", replaced, { once: true });
      if (until === "joined") resolve("answered");
    });
  }

  leftConference(): void {
    this.conference = null;
    const waiting = [...this.#leaving];
    this.#leaving.clear();
    for (const left of waiting) left();
  }

  note(kind: "document" | "violation", entry: Record<string, unknown>): void {
    if (kind === "document" && this.documents.length < 200) this.documents.push(entry);
    this.#host.journal.note(kind, { call_id: this.call_id, ...entry });
  }

  #setState(state: CallState): void {
    this.state = state;
    if (state === "answered") this.times.answer_time = this.#host.serverTime();
    if (state === "ended") this.times.end_time = this.#host.serverTime();
    this.#host.callStateChanged(this);
  }
}

function sipData(from: string, to: string): Record<string, unknown> {
  const caller = sipParts(from);
  const called = sipParts(to);
  return {
    sip_from_uri: caller.uri,
    sip_from_user: caller.user,
    sip_from_host: caller.host,
    sip_to_uri: called.uri,
    sip_to_user: called.user,
    sip_to_host: called.host,
    sip_req_uri: called.uri,
    sip_req_user: called.user,
    sip_req_host: called.host,
    sip_contact_uri: caller.uri,
    sip_contact_user: caller.user,
    sip_contact_host: caller.host,
  };
}

function sipParts(address: string): { uri: string; user: string; host: string } {
  const uri = address.replace(/^sips?:/, "");
  const at = uri.indexOf("@");
  return at === -1 ? { uri, user: "", host: uri } : { uri, user: uri.slice(0, at), host: uri.slice(at + 1) };
}
