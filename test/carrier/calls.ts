import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import type { Conference, JoinedBy } from "./conferences.ts";
import { Ear } from "./ear.ts";
import type { Journal } from "./journal.ts";
import { Keypad } from "./keypad.ts";
import type { Leg, Sound } from "./leg.ts";
import type { RelaySession } from "./relay-session.ts";

export type CallState = "created" | "ringing" | "answered" | "ending" | "ended";

/** How the carrier came to have the call. RELAY may drive a SWML webhook's call or not: there is a switch; a cXML call it never sees. */
export type CallOrigin = "webhook" | "cxml" | "context" | "dial";

export interface CallFacts {
  readonly call_id?: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly type: "phone" | "sip" | "webrtc";
  readonly direction: "inbound" | "outbound";
  readonly headers: readonly { name: string; value: string }[];
  readonly origin: CallOrigin;
  readonly fallback_url?: string | undefined;
  readonly cxml_method?: "GET" | "POST" | undefined;
  readonly cxml_fallback_url?: string | undefined;
  readonly tag?: string | undefined;
  readonly vars?: Record<string, unknown>;
}

export type JoinResult = { joined: true; conference: Conference } | { joined: false; reason: string };

export interface CallHost {
  readonly project_id: string;
  readonly space_id: string;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly call_sid_is_call_id: boolean;
  callStateChanged(call: Call): void;
  join(call: Call, params: Record<string, unknown>, by: JoinedBy, left: () => void): JoinResult;
}

/** One stay in a conference, whatever events tell of it. */
export interface JoinRecord {
  at: number;
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
  readonly segment_id = randomUUID();
  readonly vars: Record<string, unknown>;
  readonly facts: CallFacts;
  /** On the project's clock. */
  readonly began_at: number;
  readonly ear: Ear;
  readonly keypad: Keypad;
  state: CallState = "created";
  origin: CallOrigin;
  end_reason: string | null = null;
  /** When it began, was answered and ended, as its events tell: in ms since the epoch, whatever the project's clock. */
  readonly times: { start_time: number; answer_time?: number; end_time?: number } = {
    start_time: Date.now(),
  };
  stranded = false;
  /** The RELAY session that this call belongs to; commands of any other get 409. */
  controller: RelaySession | null = null;
  /** The context that it was last offered on, and the sessions that passed it on. */
  offered: { context: string; passed: Set<RelaySession> } | null = null;
  /** What RELAY plays or collects on it, by `control_id`. */
  readonly actions = new Map<string, AbortController>();
  /** Aborts the document that runs, if one does. */
  document: AbortController | null = null;
  conference: Conference | null = null;
  readonly joins: JoinRecord[] = [];
  readonly webhooks: { url: string; at: number; ms: number; status: number | null }[] = [];
  readonly documents: Record<string, unknown>[] = [];
  readonly #host: CallHost;
  readonly #end = new AbortController();
  #stop_ringing: () => void;
  #call_off_limit: () => void = () => {};

  constructor(host: CallHost, facts: CallFacts) {
    this.#host = host;
    this.facts = facts;
    this.origin = facts.origin;
    this.call_id = facts.call_id ?? randomUUID();
    this.sid = host.call_sid_is_call_id ? this.call_id : randomUUID();
    this.vars = { ...facts.vars };
    this.began_at = host.clock.now();
    this.ear = new Ear(() => host.clock.now());
    this.keypad = new Keypad(host.clock);
    this.#stop_ringing = this.ear.begin("ring", "ringback");
  }

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  get over(): boolean {
    return this.state === "ending" || this.state === "ended";
  }

  /** How the call came into the conference that it is in. */
  get joined_by(): JoinedBy | null {
    return this.conference?.participants.get(this.call_id)?.by ?? null;
  }

  describe(): Record<string, unknown> {
    const { from, to, type, direction, headers, tag } = this.facts;
    return {
      call_id: this.call_id,
      node_id: this.node_id,
      segment_id: this.segment_id,
      call_state: this.state,
      direction,
      type,
      from,
      to,
      ...(type === "phone" ? { from_number: from, to_number: to } : {}),
      headers,
      ...(type === "sip" ? { sip_data: sipData(from, to) } : {}),
      ...(tag === undefined ? {} : { tag }),
      project_id: this.#host.project_id,
      space_id: this.#host.space_id,
    };
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

  answer(): void {
    if (this.state !== "created" && this.state !== "ringing") return;
    this.#stop_ringing();
    this.#setState("answered");
  }

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

  joinConference(
    params: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<"completed" | "answered" | "no-answer" | "failed" | "canceled"> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      this.answer();
      // A call is in one conference at most: the document's wish is the later one.
      this.conference?.leave(this.call_id);
      const replaced = () => {
        reject(signal.reason);
        this.conference?.leave(this.call_id);
      };
      const result = this.#host.join(this, params, "document", () => {
        // Where the call itself is over, the signal is about to be aborted and says so.
        if (this.over) return;
        signal.removeEventListener("abort", replaced);
        resolve("completed");
      });
      if (result.joined) {
        signal.addEventListener("abort", replaced, { once: true });
      } else {
        this.note("document", { join_failed: result.reason });
        resolve("failed");
      }
    });
  }

  note(kind: "document" | "violation", entry: Record<string, unknown>): void {
    if (kind === "document" && this.documents.length < 200) this.documents.push(entry);
    this.#host.journal.note(kind, { call_id: this.call_id, ...entry });
  }

  #setState(state: CallState): void {
    this.state = state;
    if (state === "answered") this.times.answer_time = Date.now();
    if (state === "ended") this.times.end_time = Date.now();
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
