import { randomBytes, randomUUID } from "node:crypto";
import type { CallFacts } from "./call-facts.ts";
import type { CallRecording } from "./call-recordings.ts";
import { Call, type CallHost, type JoinRecord, type JoinResult } from "./calls.ts";
import { Clock } from "./clock.ts";
import {
  Conference,
  type ConferenceHost,
  type CxmlSource,
  conferenceType,
  type JoinedVia,
  joinedBy,
  type RecordingStatus,
  toldName,
} from "./conferences.ts";
import { receiveEvent, stateEvent } from "./events.ts";
import { Faults } from "./faults.ts";
import { hearHoldUrl } from "./hold-url.ts";
import { readJoinSettings } from "./join-settings.ts";
import { Journal } from "./journal.ts";
import type { Leg } from "./leg.ts";
import { type EventBody, RelaySession } from "./relay-session.ts";
import { type PhoneBehaviour, type ProjectSettings, projectSettingsSchema } from "./settings.ts";
import { StatusCallbacks } from "./status-callbacks.ts";
import { switchesSchema } from "./switches/index.ts";
import { sendOverNetwork, type Transport } from "./transport.ts";
import type { Tunnel } from "./tunnel.ts";
import { hearWaitUrl } from "./wait-url.ts";

/** Calls and conferences that are over are kept to be looked at, so many of each. */
const past_kept = 5000;
const sessions_kept = 1000;

/** A SignalWire project: its credentials, calls, conferences, sessions, and how it misbehaves. */
export class Project implements CallHost, ConferenceHost {
  readonly project_id: string;
  readonly space_id = randomUUID();
  readonly journal = new Journal();
  readonly clock: Clock;
  readonly faults: Faults;
  readonly callbacks: StatusCallbacks;
  readonly calls = new Map<string, Call>();
  /** Live ones, by `conference_id`: two may share a name. */
  readonly conferences = new Map<string, Conference>();
  readonly past_conferences: Conference[] = [];
  readonly sessions = new Map<string, RelaySession>();
  token: string;
  signing_key: string;
  switches = switchesSchema.parse({});
  /** How whom `calling.dial` calls behaves, by number or address. */
  phones = new Map<string, PhoneBehaviour>();
  latency_ms = 0;
  /** REST requests so far. */
  rest_requests = 0;
  ack_limit_ms = 5000;
  ping_interval_ms = 30_000;
  via_tunnel = false;
  tunnel: Tunnel | null = null;
  /** Ids of the calls that are over, oldest first. */
  readonly #ended: string[] = [];
  #relay_commands = 0;
  readonly #unclaimed = new Map<Call, { context: string; passed: Set<RelaySession> }>();

  constructor(settings: ProjectSettings) {
    this.project_id = settings.project_id ?? randomUUID();
    this.token = settings.token ?? `PT${randomBytes(20).toString("hex")}`;
    this.signing_key = settings.signing_key ?? `PSK${randomBytes(20).toString("hex")}`;
    this.clock = new Clock(settings.speed ?? 1);
    this.faults = new Faults(settings.seed ?? 1, (entry) => this.journal.note("fault", entry));
    this.callbacks = new StatusCallbacks(this);
    this.change(settings);
  }

  change(given: ProjectSettings): void {
    const settings = projectSettingsSchema.parse(given);
    if (settings.token !== undefined && settings.token !== this.token) {
      this.token = settings.token;
      // What the old token opened opens no longer.
      for (const session of this.sessions.values()) session.authorization_state = null;
    }
    this.signing_key = settings.signing_key ?? this.signing_key;
    this.switches = { ...this.switches, ...definedOnly(settings.switches ?? {}) };
    if (settings.faults !== undefined) this.faults.script(settings.faults);
    if (settings.seed !== undefined) this.faults.reseed(settings.seed);
    if (settings.speed !== undefined) this.clock.setSpeed(settings.speed);
    if (settings.phones !== undefined) this.phones = new Map(Object.entries(settings.phones));
    this.latency_ms = settings.latency_ms ?? this.latency_ms;
    this.ack_limit_ms = settings.ack_limit_ms ?? this.ack_limit_ms;
    this.ping_interval_ms = settings.ping_interval_ms ?? this.ping_interval_ms;
    this.via_tunnel = settings.via_tunnel ?? this.via_tunnel;
  }

  readonly transport: Transport = (request, signal) => {
    if (!this.via_tunnel) return sendOverNetwork(request, signal);
    if (this.tunnel === null) return Promise.reject(new Error("connection refused: no tunnel is open"));
    return this.tunnel.send(request, signal);
  };

  /** What SignalWire's clock says, in ms since the epoch: the wall's clock, whatever the project's speed. */
  serverTime(): number {
    return Date.now() + this.switches.server_clock_skew_ms;
  }

  /** As events and callbacks have it, in seconds. */
  timestamp(): number {
    const seconds = this.serverTime() / 1000;
    return this.switches.timestamps_in_whole_seconds ? Math.floor(seconds) : seconds;
  }

  // Calls

  addCall(facts: CallFacts): Call {
    const call = new Call(this, facts);
    this.calls.set(call.call_id, call);
    this.journal.note("call", { call_id: call.call_id, state: call.state, from: facts.from, to: facts.to });
    return call;
  }

  callSid(call_id: string): string {
    return this.calls.get(call_id)?.sid ?? call_id;
  }

  callStateChanged(call: Call): void {
    this.journal.note("call", {
      call_id: call.call_id,
      state: call.state,
      ...(call.end_reason === null ? {} : { end_reason: call.end_reason }),
    });
    const told =
      call.origin !== "cxml" &&
      (call.origin !== "webhook" || this.switches.call_state_events_of_webhook_calls);
    if (told) this.emit("calling.call.state", stateEvent(call), this.audienceOf(call));
    if (call.state === "ended") this.#archive(call);
  }

  callRecordingChanged(call: Call, { sid, control_id, state, since }: CallRecording): void {
    const { call_id, conference } = call;
    const inside = conference === null ? [] : [...conference.participants.keys()];
    const name = conference?.settings.name ?? null;
    this.journal.note("call_recording", { call_id, sid, control_id, state, since, name, inside });
  }

  #archive(call: Call): void {
    this.#unclaimed.delete(call);
    this.#ended.push(call.call_id);
    if (this.#ended.length > past_kept) this.calls.delete(this.#ended.shift() ?? "");
  }

  /** The session that a call belongs to; where it belongs to none, all that there are; on offer to nobody, none. */
  audienceOf(call: Call): RelaySession[] {
    if (this.#unclaimed.has(call)) return [];
    const all = [...this.sessions.values()];
    return call.controller === null ? all : all.filter((session) => session === call.controller);
  }

  /** Offers a call to one client of the context that has not passed it on; waits for one where there is none. */
  offer(call: Call, context: string, passed = new Set<RelaySession>()): void {
    const taker = [...this.sessions.values()].find(
      (session) => session.link !== null && session.contexts.has(context) && !passed.has(session),
    );
    if (taker === undefined) {
      this.#unclaimed.set(call, { context, passed });
      call.ring();
      return;
    }
    call.origin = "context";
    call.controller = taker;
    call.offered = { context, passed };
    this.emit("calling.call.receive", receiveEvent(call, context, this.project_id), [taker]);
    call.ring();
  }

  offerUnclaimed(): void {
    for (const [call, { context, passed }] of [...this.#unclaimed]) {
      this.#unclaimed.delete(call);
      this.offer(call, context, passed);
    }
  }

  // Conferences

  /** The live conferences under a name. */
  conferencesNamed(name: string): Conference[] {
    const told = toldName(name, this.switches);
    return [...this.conferences.values()].filter((one) => one.name === told);
  }

  /** The live conference that a join of this name enters; undefined where it makes one. */
  conferenceToJoin(name: string, via: JoinedVia): Conference | undefined {
    return this.conferencesNamed(name).find(
      ({ type }) => this.switches.cxml_shares_conferences || type === conferenceType(via),
    );
  }

  join(
    call: Call,
    params: Record<string, unknown>,
    via: JoinedVia,
    left: () => void,
    commander?: RelaySession | null,
  ): JoinResult {
    const settings = readJoinSettings(params);
    if (settings === null) return { joined: false, reason: "no conference is named" };
    const most = this.switches.max_participants_relay;
    if (via !== "cxml" && Number(params["max_participants"] ?? 0) > most) {
      return { joined: false, reason: `max_participants: at most ${most}` };
    }
    const there = this.conferenceToJoin(settings.name, via);
    const conference = there ?? new Conference(this, settings, via, call.node_id);
    const refusal = conference.refusal(settings);
    if (refusal !== null) return { joined: false, reason: refusal };
    this.conferences.set(conference.conference_id, conference);
    if (commander) conference.commanders.add(commander);
    const record: JoinRecord = {
      at: this.clock.now(),
      conference: settings.name,
      conference_id: conference.conference_id,
      by: joinedBy(via),
      left_at: null,
      seq: this.journal.seq,
      left_seq: null,
    };
    call.joins.push(record);
    call.conference = conference;
    conference.join({
      leg: call,
      node_id: call.node_id,
      via,
      joined_at: record.at,
      start_on_enter: settings.start_on_enter,
      end_on_exit: settings.end_on_exit,
      asks_to_record: settings.record === "record-from-start",
      muted: settings.muted,
      hold: false,
      hold_url: null,
      coaching: settings.coach ?? null,
      left: () => {
        record.left_at = this.clock.now();
        record.left_seq = this.journal.seq;
        call.leftConference();
        left();
      },
    });
    return { joined: true, conference };
  }

  conferenceEvent(conference: Conference, status: string, params: Record<string, unknown>): void {
    this.journal.note("conference", params);
    if (status === "conference-end" && !this.switches.conference_end_told) return;
    if (
      this.switches.conference_events_without_callback ||
      conference.settings.status_callback !== undefined
    ) {
      this.emit("calling.conference", params, this.#listeners(conference));
    }
    this.callbacks.conferenceEvent(conference, status, params);
  }

  #listeners({ commanders }: Conference): RelaySession[] {
    const all = [...this.sessions.values()];
    switch (this.switches.relay_feed_without_contexts) {
      case "all_sessions":
        return all;
      case "only_with_contexts":
        return all.filter(({ contexts }) => contexts.size > 0);
      case "only_commander":
        return all.filter((session) => commanders.has(session));
    }
  }

  conferenceOver(conference: Conference): void {
    this.conferences.delete(conference.conference_id);
    this.past_conferences.push(conference);
    if (this.past_conferences.length > past_kept) this.past_conferences.shift();
  }

  isInConference(call_id: string): boolean {
    const conference = this.calls.get(call_id)?.conference ?? null;
    return conference !== null;
  }

  hearWaitUrl(leg: Leg, url: string, detail: string): () => void {
    return hearWaitUrl(this, leg, url, detail);
  }

  hearHoldUrl(conference: Conference, leg: Leg, source: CxmlSource): () => void {
    return hearHoldUrl(this, conference, leg, source);
  }

  recordingChanged(
    conference: Conference,
    status: RecordingStatus,
    told: Record<string, unknown> | null,
  ): void {
    const { conference_id, name, recording } = conference;
    // For a judge of notices: `since` is on the project's clock, on which callers hear.
    const inside = [...conference.participants.keys()];
    this.journal.note("recording", { conference_id, name, status, since: recording?.since ?? null, inside });
    this.callbacks.recordingChanged(conference, status, told);
  }

  // RELAY

  emit(event_type: string, params: Record<string, unknown>, audience: readonly RelaySession[]): void {
    const event: EventBody = { event_type, timestamp: this.timestamp(), params };
    for (const session of audience) {
      if (session.link !== null) session.link.sendEvent(event);
      else if (this.switches.replay_events_on_resume) session.keep(event);
    }
  }

  /** Counts a RELAY command; true where it comes too fast, by the switch. */
  refusesCommand(): boolean {
    if (this.switches.relay_429 === "never") return false;
    this.#relay_commands += 1;
    return this.#relay_commands % 3 === 0;
  }

  openSession(): RelaySession {
    const session = new RelaySession(this.project_id);
    this.sessions.set(session.protocol, session);
    if (this.sessions.size > sessions_kept) {
      for (const [protocol, old] of this.sessions) {
        if (old.link !== null) continue;
        this.sessions.delete(protocol);
        break;
      }
    }
    return session;
  }

  /** Ends everything: calls, connections, timers. */
  close(): void {
    for (const call of this.calls.values()) call.hangUp("hangup");
    for (const session of this.sessions.values()) session.link?.close();
    this.tunnel?.close();
  }
}

function definedOnly<T extends Record<string, unknown>>(
  given: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  // The entries that are left have no undefined value; Object.fromEntries cannot say so.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
