import { DurableObject } from "cloudflare:workers";
import { type ForwardTo, isWanted } from "../../shared/callbacks.ts";
import { EARLY_LEAVE_MS, liveStates } from "../../shared/placement.ts";
import type { Effect } from "../../shared/relay/effects.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";
import type { RelaySettings } from "../../shared/relay/inputs.ts";
import type { Outcome } from "../../shared/relay/outcome.ts";
import { type Project, readProject } from "../directory.ts";
import { describeError, log } from "../log.ts";
import { ConferenceEvents } from "./conference-events.ts";
import { type ConnectionHost, RelayConnection } from "./connection.ts";
import {
  CONTRACT_VERSION,
  type ConferenceEventReply,
  type ConferenceEventRequest,
  type LookReply,
  type LookRequest,
  type PlacementKey,
  type PlaceReply,
  type PlaceRequest,
} from "./contract.ts";
import { Counters } from "./counters.ts";
import { runErrands } from "./errand-runner.ts";
import { Errands } from "./errands.ts";
import { Facts } from "./facts.ts";
import { Health } from "./health.ts";
import { look } from "./looking.ts";
import { Placements } from "./placements.ts";
import { giveUpWaiting, joinCommandId, joinIsSending, placeByRelay, replyOf } from "./placing.ts";
import { migrate } from "./schema.ts";

/** How the session presents itself to SignalWire. */
const AGENT = "partyline/0.1.0";
/** While there is work the alarm comes this often and brings a lost session back. */
const HEARTBEAT_MS = 30_000;
/** A connection that was down this long is not waited for: calls join by document at once. */
const DOWN_MS = 10_000;
/** A placement that nothing was heard of for this long holds the session up no more: no call is longer. */
const LONGEST_CALL_MS = 24 * 3_600_000;
const KEEP_MS = 7 * 24 * 3_600_000;
const FORGET_BATCH = 1_000;
/** A record that reads older than the Worker says (KV lags) is read again no sooner than this. */
const REREAD_MS = 5_000;

/** The state of a project's RELAY connection, for the doctor. */
export interface SessionStatus {
  state: string;
  /** Ms since the epoch; 0 where there was no connection yet. */
  since: number;
  queued: number;
  in_flight: number;
  /** Why it last came up or went down. */
  last_reason: string;
}

/** One per project: keeps its RELAY session, and the ledger of who was put where. */
export class RelaySession extends DurableObject<Env> {
  readonly #placements: Placements;
  readonly #errands: Errands;
  readonly #events: ConferenceEvents;
  readonly #facts: Facts;
  readonly #health: Health;
  readonly #counters: Counters;
  /** Placements under way: the same webhook at the same instant waits for the same answer. */
  readonly #placing = new Map<string, Promise<PlaceReply>>();
  /** Placements that wait for their participant-join. */
  readonly #awaited = new Map<string, () => void>();
  #project: { value: Project; read_at: number } | null = null;
  #opening: Promise<RelayConnection> | null = null;
  #relay: RelayConnection | null = null;
  #downSince: number | null = null;
  #lastReason = "";
  #lastWorkAt = Date.now();
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrate(ctx.storage);
    const { sql } = ctx.storage;
    this.#placements = new Placements(sql, Date.now);
    this.#errands = new Errands(sql, Date.now);
    this.#facts = new Facts(sql, env.CREDENTIALS_KEY);
    this.#health = new Health(this.#facts);
    this.#counters = new Counters(sql);
    this.#events = new ConferenceEvents(
      sql,
      this.#placements,
      this.#errands,
      this.#health,
      (key) => this.#awaited.get(joinCommandId(key))?.(),
      Date.now,
    );
  }

  /** Puts a call into a room, once; a repeat gets what the first got. Answers by the deadline, whatever happens. */
  async place(request: PlaceRequest): Promise<PlaceReply> {
    if (request.v !== CONTRACT_VERSION)
      return byDocumentReply(request, `the session does not know contract ${request.v}`);
    this.#lastWorkAt = Date.now();
    const id = joinCommandId(request);
    const underWay = this.#placing.get(id);
    if (underWay) return await underWay;
    const row = this.#placements.find(request);
    if (row) {
      giveUpWaiting(this.#placements, row);
      return replyOf(row);
    }
    const placing = this.#place(request).finally(() => {
      this.#placing.delete(id);
      this.#awaited.delete(id);
    });
    this.#placing.set(id, placing);
    return await placing;
  }

  /** Where a call is that came back from a hold or a ring. */
  async look(request: LookRequest): Promise<LookReply> {
    if (request.v !== CONTRACT_VERSION) {
      return { v: 1, outcome: "unsettled", reason: `the session does not know contract ${request.v}` };
    }
    this.#lastWorkAt = Date.now();
    const reply = look(this.#placements, this.#health, request, Date.now());
    if (reply.outcome === "joined") this.#watchStay(request);
    return reply;
  }

  /** A status callback that came to the Worker: the second feed. Says whom else to tell. */
  conferenceEvent(request: ConferenceEventRequest): ConferenceEventReply {
    const { event, trusted, ids_known } = request;
    this.#facts.set("project_id", request.project_id);
    const isNew = this.#events.record(event, "callback");
    this.#counters.add(isNew ? "callbacks" : "duplicate_callbacks");
    if (!isNew) return { v: 1, forward: [] };
    this.#lastWorkAt = Date.now();
    if (trusted) this.#events.apply(event);
    else this.#events.applyUntrusted(event, ids_known);
    this.#startErrands();
    return { v: 1, forward: this.#forwardTo(request) };
  }

  /**
   * Connects where it is not, and says how that went: what the doctor asks. Places nothing.
   * @param version of the project's record as the Worker knows it: credentials that were just mended are the ones tried.
   */
  async check(project_id: string, version: string, wait_ms: number): Promise<SessionStatus> {
    this.#lastWorkAt = Date.now();
    this.#facts.set("project_id", project_id);
    // The alarm takes an idle connection down again.
    this.#arm(HEARTBEAT_MS);
    try {
      const connection = await this.#connection(project_id, version);
      const { state } = connection.client;
      // What was refused or out of reach a while ago may be right by now: a person asks, so it is tried at once.
      if (state === "refused" || state === "backing_off") connection.handle({ on: "reconnect" });
      await this.#settled(connection, Date.now() + Math.min(wait_ms, 10_000));
    } catch (error) {
      return { state: "idle", since: 0, queued: 0, in_flight: 0, last_reason: describeError(error) };
    }
    return this.status();
  }

  /** How the connection is. Connects nothing. */
  status(): SessionStatus {
    const client = this.#relay?.client;
    return {
      state: client?.state ?? "idle",
      since: client?.since ?? 0,
      queued: client?.queued ?? 0,
      in_flight: client?.inFlight ?? 0,
      last_reason: this.#lastReason,
    };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const forgotten =
      this.#placements.forget(KEEP_MS, FORGET_BATCH) + this.#events.forget(KEEP_MS, FORGET_BATCH);
    if (this.#hasWork()) {
      try {
        await this.#connection(this.#facts.require("project_id"), null);
      } catch (error) {
        log("error", "session.unreachable", { error: describeError(error) });
      }
      this.#arm(HEARTBEAT_MS);
    } else if (this.#relay && this.#relay.client.state !== "idle") {
      const idle_ms = (this.#project?.value.session.idle_disconnect_s ?? 0) * 1000;
      if (Date.now() - this.#lastWorkAt >= idle_ms) this.#relay.handle({ on: "close" });
      this.#arm(HEARTBEAT_MS);
    } else if (forgotten > 0) {
      this.#arm(HEARTBEAT_MS);
    }
    await this.#doErrands();
  }

  async #place(request: PlaceRequest): Promise<PlaceReply> {
    const others = this.#placements.ofCall(request.call_id);
    this.#facts.set("project_id", request.project_id);
    this.#arm(HEARTBEAT_MS);
    let { join_via } = request;
    for (const other of others) {
      if (!(liveStates as readonly string[]).includes(other.state)) continue;
      // The call came anew while it was in a room: its new document takes it out, and no second RELAY join is made.
      join_via = "document";
      this.#placements.move(other, other.state === "planned" ? "failed" : "left", {
        reason: "the call came anew",
      });
    }
    const reply = await placeByRelay(
      {
        placements: this.#placements,
        now: Date.now,
        connection: () => this.#connection(request.project_id, request.project_version),
        avoidRelay: () => this.#avoidRelay(),
        joinSeen: (key) => new Promise((resolve) => this.#awaited.set(joinCommandId(key), resolve)),
        commandEnded: (outcome) => this.#commandEnded(outcome),
      },
      { ...request, join_via },
    );
    const row = this.#placements.find(request);
    if (row && (reply.outcome === "accepted" || reply.outcome === "unknown")) {
      this.#placements.update(row, { hold_at: Date.now() });
    }
    return reply;
  }

  #avoidRelay(): string | null {
    if (this.#relay?.client.state === "refused") return "RELAY refuses the project's credentials";
    if (this.#downSince !== null && Date.now() - this.#downSince > DOWN_MS) return "RELAY is down";
    // Last, for asking may make this call the one that tries again.
    return this.#health.mayTry(Date.now()) ? null : "the breaker is open";
  }

  #commandEnded(outcome: Outcome): void {
    this.#counters.add(`command_${outcome.kind}`);
    if (outcome.kind === "conflict") this.#health.failed("409", Date.now());
  }

  /** A join that outlives the start of the document after it is a success; one that does not is told of by its leave. */
  #watchStay(key: PlacementKey): void {
    setTimeout(() => {
      const row = this.#placements.find(key);
      if (row?.state === "joined" && row.joined_by === "relay") this.#health.succeeded(Date.now());
    }, EARLY_LEAVE_MS);
  }

  /** The connection, open or opening. `version`: the record that the Worker knows; null: whichever we have. */
  async #connection(project_id: string, version: string | null): Promise<RelayConnection> {
    const known = this.#project;
    const isCurrent =
      known &&
      (version === null || known.value.version === version || Date.now() - known.read_at < REREAD_MS);
    if (!this.#relay || !isCurrent) {
      this.#opening ??= this.#open(project_id).finally(() => {
        this.#opening = null;
      });
      await this.#opening;
    }
    if (!this.#relay) throw new Error("the connection could not be made");
    if (this.#relay.client.state === "idle") this.#relay.handle({ on: "open" });
    return this.#relay;
  }

  async #open(project_id: string): Promise<RelayConnection> {
    const project = await readProject(this.env, project_id);
    const before = this.#project?.value;
    this.#project = { value: project, read_at: Date.now() };
    const settings: RelaySettings = {
      project: project.project_id,
      token: project.token,
      agent: AGENT,
      contexts: Object.keys(project.contexts),
    };
    if (this.#relay && before?.relay_url === project.relay_url) {
      if (before.version !== project.version) this.#relay.handle({ on: "credentials", settings });
      return this.#relay;
    }
    this.#relay?.handle({ on: "close" });
    const resume = await this.#facts.readResume(project_id);
    this.#relay = new RelayConnection(project.relay_url, settings, resume, this.#host(project_id));
    return this.#relay;
  }

  #host(project_id: string): ConnectionHost {
    return {
      sending: (command) => joinIsSending(this.#placements, command),
      record: (event) => this.#events.record(event, "relay"),
      acted: (event, isNew) => this.#act(event, isNew),
      keepProtocol: (protocol) => this.#facts.set("protocol", protocol),
      keepAuthorizationState: (value) => this.#facts.keepAuthorizationState(project_id, value),
      forgetSession: () => this.#facts.forgetResume(),
      changed: (from, to, reason) => this.#changed(project_id, from, to, reason),
      count: (what, detail) => {
        this.#counters.add(what);
        if (detail !== undefined) log("warn", "relay.trouble", { project: project_id, what, detail });
      },
      broke: (effect: Effect["do"], error) =>
        log("error", "session.broke", { project: project_id, effect, error: describeError(error) }),
    };
  }

  #act(event: RelayEvent, isNew: boolean): void {
    this.#counters.add(isNew ? "events" : "duplicate_events");
    if (!isNew) return;
    this.#lastWorkAt = Date.now();
    this.#events.apply(event);
    this.#startErrands();
  }

  #changed(project_id: string, from: string, to: string, reason: string): void {
    // "The wait is over" tells nobody why there was one.
    if (to !== "connecting" && to !== "authenticating") this.#lastReason = reason;
    if (to === "ready" || to === "idle") this.#downSince = null;
    else this.#downSince ??= Date.now();
    log(to === "refused" ? "error" : "info", "relay.state", { project: project_id, from, to, reason });
  }

  #forwardTo({ kind, event }: ConferenceEventRequest): ForwardTo[] {
    const { call_id, name, status } = event.params as Record<string, unknown>;
    const ofCall = typeof call_id === "string" ? this.#placements.ofCall(call_id)[0] : undefined;
    const forwarding =
      ofCall?.forwarding ?? (typeof name === "string" ? this.#placements.forwardingOfRoom(name) : null);
    const to = forwarding?.[kind];
    return to && typeof status === "string" && isWanted(to, status) ? [to] : [];
  }

  /** At once, and again by the alarm where this incarnation vanishes. */
  #startErrands(): void {
    if (this.#errands.nextDue() === null) return;
    this.#arm(0);
    void this.#doErrands();
  }

  async #doErrands(): Promise<void> {
    await runErrands({
      errands: this.#errands,
      placements: this.#placements,
      health: this.#health,
      left: (row) =>
        this.#events.change(row, {
          happened: "left",
          ended_by: null,
          name: row.room,
          conference_id: row.conference_id,
          ts: null,
        }),
      now: Date.now,
      connection: () => (this.#relay?.client.state === "ready" ? this.#relay : null),
      project: async () =>
        this.#project?.value ?? (await readProject(this.env, this.#facts.require("project_id"))),
    });
    const due = this.#errands.nextDue();
    if (due !== null) this.#arm(Math.max(0, due - Date.now()));
  }

  /** Resolves when the connection is ready or refused, or at `until`. */
  async #settled(connection: RelayConnection, until: number): Promise<void> {
    while (
      Date.now() < until &&
      connection.client.state !== "ready" &&
      connection.client.state !== "refused"
    ) {
      await scheduler.wait(50);
    }
  }

  #hasWork(): boolean {
    return (
      this.#errands.nextDue() !== null ||
      this.#placements.anyLive(LONGEST_CALL_MS) ||
      Object.keys(this.#project?.value.contexts ?? {}).length > 0
    );
  }

  /** Sees to it that the alarm comes within `in_ms`; an earlier one stands. */
  #arm(in_ms: number): void {
    const due = this.#errands.nextDue();
    const at = Math.min(Date.now() + in_ms, due ?? Number.POSITIVE_INFINITY);
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}

function byDocumentReply(request: PlaceRequest, reason: string): PlaceReply {
  const { join, rule, role, ruleset, decided_at } = request;
  return { v: 1, outcome: "document", room: request.rooms[0], join, rule, role, ruleset, decided_at, reason };
}
