import type { ConnectionState } from "../../../shared/relay/effects.ts";
import type { RelaySettings } from "../../../shared/relay/inputs.ts";
import { describeError, log } from "../../log.ts";
import { CONNECTIONS, Slots, type Urgency } from "../../slots.ts";
import { NoRecord } from "../../tenants/records.ts";
import type { Project } from "../../tenants/tenant.ts";
import type { Counters } from "../store/counters.ts";
import type { Settings } from "../store/settings.ts";
import { ProjectRecord } from "./project-record.ts";
import { type ConnectionHost, RelayConnection } from "./relay-connection.ts";

/** How the session presents itself to SignalWire. */
const AGENT = "partyline/0.1.0";
/** A connection that was down this long is not waited for: calls join by document at once. */
const DOWN_MS = 10_000;
/** A record that reads older than the Worker says (KV lags) is read again no sooner than this. */
const REREAD_MS = 5_000;
const KEPT_ERRORS = 10;
const SETTLE_POLL_MS = 50;

/** The connection's part of a session's status. */
export interface RelayStatus {
  state: ConnectionState;
  /** Milliseconds since the epoch; 0 where nothing ever happened. */
  since: number;
  queued: number;
  in_flight: number;
  /** Why it is as it is. */
  last_reason: string;
  /** Whether SignalWire took up the session we had before; null before the first connection. */
  protocol: "resumed" | "new" | null;
  last_errors: { at: number; what: string }[];
  /** The RELAY contexts whose calls are offered to us, by SignalWire's word. */
  contexts: string[];
}

/** What the session does about what comes over the link. */
export interface RelayManagerHost
  extends Pick<ConnectionHost, "sending" | "record" | "acted" | "rescheduled"> {
  /** RELAY's events stopped coming; started again. What was missed in between is not sent again. */
  gapBegan(): void;
  gapEnded(): void;
  /** A connection after another: whether SignalWire took the session up again. */
  restored(isRestored: boolean): void;
}

/**
 * RelayManager — the project's record and the RELAY connection made from it: each is made when it is first needed, and again when the
 * record changes. Used by whatever sends commands or asks REST.
 */
export class RelayManager {
  readonly #record: ProjectRecord;
  readonly #settings: Settings;
  readonly #counters: Counters;
  readonly #events: RelayManagerHost;
  #project: { value: Project; read_at: number } | null = null;
  #opening: Promise<void> | null = null;
  #connection: RelayConnection | null = null;
  /** With those that were replaced and still have commands whose deadlines are to come. */
  readonly #connections = new Set<RelayConnection>();
  #downSince: number | null = null;
  #readySince: number | null = null;
  #lastReason = "";
  #hadSession = false;
  #protocol: RelayStatus["protocol"] = null;
  readonly #errors: RelayStatus["last_errors"] = [];
  /** How many wait for an event that nothing but RELAY tells of. */
  #waiting = 0;
  readonly #rest = new Slots(CONNECTIONS.rest);

  constructor(env: Env, settings: Settings, counters: Counters, events: RelayManagerHost) {
    this.#record = new ProjectRecord(env, settings);
    this.#settings = settings;
    this.#counters = counters;
    this.#events = events;
  }

  /**
   * The connection, open or opening. Rejects where the record can't be read.
   * @param version of the record as the Worker knows it; null: whichever we have.
   */
  async connection(version: string | null): Promise<RelayConnection> {
    if (!this.#connection || this.#isOutdated(version)) await this.#read();
    if (!this.#connection) throw new Error("the project's connection could not be made");
    if (this.#connection.client.state === "idle") this.#connection.handle({ on: "open" });
    return this.#connection;
  }

  /** Follows a changed record without anybody waiting for it: new credentials end a refusal. */
  follow(version: string): void {
    if (!this.#connection || !this.#isOutdated(version)) return;
    this.#read().catch((error: unknown) =>
      this.#failed(`the record could not be read: ${describeError(error)}`),
    );
  }

  /** Since when there was no gap in RELAY's events, ms; null while there is one. */
  get readySince(): number | null {
    return this.#readySince;
  }

  /** Whether commands would go out at once, under the record as the Worker knows it. */
  isReady(version: string): boolean {
    return this.ready !== null && this.#project?.value.version === version;
  }

  /** The connection where commands would go out at once. */
  get ready(): RelayConnection | null {
    return this.#connection?.client.state === "ready" ? this.#connection : null;
  }

  /** Of the RELAY session as it is, or was last. */
  get protocol(): string | null {
    return this.#settings.get("protocol");
  }

  /** How long a participant in doubt keeps the seat without evidence. */
  get seat_doubt_ms(): number {
    return (this.#project?.value.session.seat_doubt_s ?? 1_800) * 1000;
  }

  /**
   * Runs a REST request when one of three slots is free. It may wait `ms` for that, and its timeout of `ms` starts then. Rejects with
   * `TooLate` if it was not started: no slot was free in time, or the result is no longer needed.
   */
  async rest<T>(
    urgency: Urgency,
    ms: number,
    work: (project: Project, signal: AbortSignal) => Promise<T>,
    isOfUse?: () => boolean,
  ): Promise<T> {
    const job = async () => await work(await this.project(), AbortSignal.timeout(ms));
    return await this.#rest.run(urgency, job, { wait_ms: ms, ...(isOfUse === undefined ? {} : { isOfUse }) });
  }

  /** The connections that REST has, for what may wait longer than any request of REST's. */
  get pool(): Slots {
    return this.#rest;
  }

  async project(): Promise<Project> {
    return this.#project?.value ?? (await this.#record.readOrKept());
  }

  /** Keeps the record as KV has it now, for where it can't be read later. Rejects where it is no good. */
  async keepRecord(): Promise<void> {
    await this.#record.read();
  }

  get idle_disconnect_ms(): number {
    return (this.#project?.value.session.idle_disconnect_s ?? 0) * 1000;
  }

  /** Whether the record wants the connection up without work, too: calls of contexts come by it alone. */
  get staysUp(): boolean {
    return this.#project?.value.session.stay_up === true || this.takesCalls;
  }

  /** Whether calls of contexts are wanted, by the record as it was read last. */
  get takesCalls(): boolean {
    const project = this.#project?.value;
    return project ? Object.keys(project.contexts).length > 0 : this.#record.takesCalls;
  }

  /**
   * Reads the record where none was read yet, a while ago, or another version: nobody else tells a session without webhooks of
   * a change. Rejects where it can't be read, and what was read before stands.
   * @param version of the record as the Worker knows it; null: it told none.
   * @param age_ms how old the one may be that was read.
   */
  async refresh(version: string | null, age_ms: number): Promise<void> {
    if (this.#settings.get("project_id") === null) return;
    const known = this.#project;
    const isFresh = known !== null && Date.now() - known.read_at < age_ms;
    if (!isFresh || (version !== null && version !== known.value.version)) await this.#read();
  }

  /** How long rows are kept; as long as may be where the record was not read yet. */
  get keep_ms(): number {
    return (this.#project?.value.session.keep_days ?? 90) * 24 * 3_600_000;
  }

  /** The same of recordings. */
  get keep_recordings_ms(): number {
    return (this.#project?.value.session.keep_recordings_days ?? 3_650) * 24 * 3_600_000;
  }

  get isOpen(): boolean {
    return this.#connection !== null && this.#connection.client.state !== "idle";
  }

  /** Why calls are better not tried by RELAY now; null where they may be. */
  whyNot(now: number): string | null {
    if (this.#connection?.client.state === "refused") return "RELAY refuses the connection";
    if (this.#downSince !== null && now - this.#downSince > DOWN_MS) return "RELAY is down";
    return null;
  }

  close(): void {
    this.#connection?.handle({ on: "close" });
  }

  /** A fresh connection from the record as it is now, at once, whatever was refused or waited for before. */
  async reconnect(version: string): Promise<void> {
    if (this.#project?.value.version !== version) await this.#read();
    const connection = await this.connection(null);
    const { state } = connection.client;
    if (state !== "connecting" && state !== "authenticating") connection.handle({ on: "reconnect" });
  }

  /** Resolves when the connection is ready or refused, or at `until`. */
  async settled(until: number): Promise<void> {
    while (Date.now() < until) {
      const state = this.#connection?.client.state;
      if (state === "ready" || state === "refused") return;
      await scheduler.wait(SETTLE_POLL_MS);
    }
  }

  /** `event`, which RELAY alone tells of: while it is waited for, lost frames are noticed within seconds, as a gap. */
  async watched<T>(event: Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#watch();
    try {
      return await event;
    } finally {
      this.#waiting -= 1;
      this.#watch();
    }
  }

  nextWakeAt(): number | null {
    const due = [...this.#connections].flatMap(({ client }) => client.wakeAt ?? []);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Tells those connections the time that asked for it. */
  run(now: number): void {
    for (const connection of [...this.#connections]) {
      const { wakeAt } = connection.client;
      if (wakeAt !== null && wakeAt <= now) connection.handle({ on: "tick" });
      if (connection !== this.#connection && connection.client.wakeAt === null)
        this.#connections.delete(connection);
    }
  }

  status(): RelayStatus {
    const client = this.#connection?.client;
    return {
      state: client?.state ?? "idle",
      since: client?.since ?? 0,
      queued: client?.queued ?? 0,
      in_flight: client?.inFlight ?? 0,
      last_reason: this.#lastReason,
      protocol: this.#protocol,
      last_errors: this.#errors,
      contexts: client?.subscribed ?? [],
    };
  }

  #watch(): void {
    this.#connection?.handle({ on: "watch", closely: this.#waiting > 0 });
  }

  #isOutdated(version: string | null): boolean {
    const known = this.#project;
    if (!known) return true;
    return version !== null && known.value.version !== version && Date.now() - known.read_at >= REREAD_MS;
  }

  #read(): Promise<void> {
    this.#opening ??= this.#readAndConnect().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #readAndConnect(): Promise<void> {
    const project_id = this.#settings.require("project_id");
    const project = await this.#readRecord();
    const resume = this.#connection ? {} : await this.#settings.readResume(project_id);
    const before = this.#project?.value;
    this.#project = { value: project, read_at: Date.now() };
    const settings: RelaySettings = {
      project: project.project_id,
      token: project.token,
      agent: AGENT,
      contexts: Object.keys(project.contexts),
    };
    if (this.#connection && before?.relay_url === project.relay_url) {
      if (before.version !== project.version) this.#connection.handle({ on: "credentials", settings });
      return;
    }
    this.#connection?.handle({ on: "close" });
    this.#connection = new RelayConnection(project.relay_url, settings, resume, this.#host(project_id));
    this.#connections.add(this.#connection);
    this.#watch();
  }

  /** What was read before by this object stands by itself; what an earlier one read stands in where there is nothing else. */
  async #readRecord(): Promise<Project> {
    try {
      return await (this.#project ? this.#record.read() : this.#record.readOrKept());
    } catch (error) {
      if (error instanceof NoRecord) this.#forget();
      throw error;
    }
  }

  /** The project is this session's no more. */
  #forget(): void {
    this.#connection?.handle({ on: "close" });
    this.#connection = null;
    this.#project = null;
  }

  #host(project_id: string): ConnectionHost {
    return {
      ...this.#events,
      keepProtocol: (protocol, restored) => {
        this.#settings.set("protocol", protocol);
        this.#protocol = restored ? "resumed" : "new";
        this.#counters.add("connects");
        if (this.#hadSession) this.#events.restored(restored);
        this.#hadSession = true;
        if (restored) this.#counters.add("resumes");
      },
      keepAuthorizationState: (value) => this.#settings.keepAuthorizationState(project_id, value),
      forgetSession: () => this.#settings.forgetResume(),
      changed: (from, to, reason) => this.#changed(project_id, from, to, reason),
      count: (what, detail) => {
        this.#counters.add(what);
        if (detail === undefined) return;
        this.#failed(`${what}: ${detail}`);
        log("warn", "relay.trouble", { project: project_id, what, detail });
      },
      broke: (effect, error) => {
        this.#failed(`${effect}: ${describeError(error)}`);
        log("error", "session.broke", { project: project_id, effect, error: describeError(error) });
      },
    };
  }

  #changed(project_id: string, from: ConnectionState, to: ConnectionState, reason: string): void {
    // "The wait is over" tells nobody why there was one.
    if (to !== "connecting" && to !== "authenticating") this.#lastReason = reason;
    if (from === "ready" && to !== "ready") {
      this.#readySince = null;
      this.#events.gapBegan();
    }
    if (to === "ready") {
      this.#readySince = Date.now();
      this.#events.gapEnded();
    }
    if (to === "ready" || to === "idle") this.#downSince = null;
    else this.#downSince ??= Date.now();
    if (to === "backing_off" || to === "refused") this.#failed(reason);
    log(to === "refused" ? "error" : "info", "relay.state", { project: project_id, from, to, reason });
  }

  #failed(what: string): void {
    this.#errors.push({ at: Date.now(), what });
    if (this.#errors.length > KEPT_ERRORS) this.#errors.shift();
  }
}
