import { DurableObject } from "cloudflare:workers";
import type { RelayEvent } from "../../shared/relay/events.ts";
import { ownEnvironment } from "../session-client.ts";
import { InboundCalls } from "./calls/inbound-calls.ts";
import { Dispatcher } from "./commands/dispatcher.ts";
import type { CallDecider } from "./contract/call-flow.ts";
import type { PinAttempt, PinQuestion, PinVerdict } from "./contract/pins.ts";
import {
  CONTRACT_VERSION,
  type ConferenceEventReply,
  type ConferenceEventRequest,
  type LookReply,
  type LookRequest,
  type PlacementKey,
  type PlaceReply,
  type PlaceRequest,
} from "./contract/placement.ts";
import { Dialer } from "./dial/dialer.ts";
import { ConferenceEvents } from "./events/conference-events.ts";
import { whomToTell } from "./events/event-forwarding.ts";
import { Notices } from "./events/recording-notices.ts";
import { ApiAccess } from "./operator/api-access.ts";
import { CallHistory } from "./operator/call-history.ts";
import { Control } from "./operator/controls.ts";
import { Lobby } from "./operator/lobby.ts";
import type { SessionStatus } from "./operator/session-status.ts";
import { TenantRecords } from "./operator/tenant-records.ts";
import { PinLimiter } from "./pins/pin-limiter.ts";
import { HeldJoins } from "./placement/held-joins.ts";
import { byDocumentReply, joinIsSending } from "./placement/place-by-relay.ts";
import { PlacementService } from "./placement/placement-service.ts";
import { WaitingQueue } from "./queue/waiting-queue.ts";
import { type Heard, RecordingKeeper } from "./reconcile/reconcile-recordings.ts";
import { RelayManager } from "./relay/relay-manager.ts";
import { Repositories } from "./repositories.ts";
import { Scheduler } from "./scheduler.ts";
import { Alarm } from "./store/alarm.ts";
import { migrate } from "./store/schema.ts";

/** Pending commands that are tried again at once when RELAY is back; the others come in their own time. */
const RETRIED_AT_ONCE = 500;

type Telling = Pick<ConferenceEventReply, "forward" | "confirm">;

/** @param env in which the session is asked directly. */
export type MakeCallDecider = (
  env: Env,
  relayManager: RelayManager,
  keepAlive: (work: Promise<unknown>) => void,
) => CallDecider;

/** One per project: keeps its RELAY session, and the ledger of who was put where. */
export class RelaySession extends DurableObject<Env> {
  readonly #repositories: Repositories;
  readonly #callHistory: CallHistory;
  readonly #apiAccess: ApiAccess;
  readonly #tenants: TenantRecords;
  readonly #events: ConferenceEvents;
  readonly #queue: WaitingQueue;
  readonly #relayManager: RelayManager;
  readonly #alarm: Alarm;
  readonly #dispatcher: Dispatcher;
  readonly #held: HeldJoins;
  readonly #placement: PlacementService;
  readonly #lobby: Lobby;
  readonly #control: Control;
  readonly #inboundCalls: InboundCalls;
  readonly #scheduler: Scheduler;
  readonly #pinLimiter: PinLimiter;
  readonly #dialer: Dialer;
  readonly #notices: Notices;
  readonly #recordings: RecordingKeeper;

  /** @param deciderFor makes what decides on its calls: the session imports no call flow. */
  constructor(ctx: DurableObjectState, env: Env, deciderFor: MakeCallDecider) {
    super(ctx, env);
    migrate(ctx.storage);
    const { sql } = ctx.storage;
    const now = Date.now;
    this.#alarm = new Alarm(ctx.storage);
    this.#repositories = new Repositories(sql, now, env.CREDENTIALS_KEY, {
      written: (row) => this.#placement.written(row),
      moved: (rooms) => this.#queue.moved(rooms),
    });
    const { settings, placements, occupancy, pendingCommands, counters, history, rulesets, callFlows } =
      this.#repositories;
    this.#pinLimiter = new PinLimiter(this.#repositories.disk, now, () => this.#scheduler.keep());
    this.#apiAccess = new ApiAccess(this.#repositories, now, () => this.#scheduler.keep());
    this.#queue = new WaitingQueue({
      placements,
      occupancy,
      pendingCommands,
      hasCallFlow: (call_id) => callFlows.isOpen(call_id),
      start: () => this.#dispatcher.start(),
      doubt: (doubted) => this.#dispatcher.doubtSeats(doubted),
      later: (ms, run) => void setTimeout(run, ms),
      now,
    });
    this.#callHistory = new CallHistory(
      sql,
      history,
      placements,
      occupancy,
      this.#repositories.suspicions,
      rulesets,
      this.#repositories.recordings,
      ({ project_id }) => {
        settings.use(project_id);
        this.#scheduler.keep();
      },
    );
    const own = ownEnvironment(env, this);
    this.#relayManager = new RelayManager(own, settings, counters, {
      sending: (command) => joinIsSending(placements, command),
      record: (event) => this.#record(event),
      acted: (event, isNew) => this.#act(event, isNew),
      gapEnded: () => {
        this.#repositories.pendingCommands.takeOver(RETRIED_AT_ONCE);
        this.#dispatcher.start();
        this.#held.again();
        this.#dispatcher.verifyWhereabouts();
        this.#dispatcher.checkRooms("gap");
        void this.#dialer.askRest();
      },
      gapBegan: () => this.#gapBegan(),
      restored: (isRestored) => this.#repositories.observations.saw("session_restored", isRestored),
    });
    this.#tenants = new TenantRecords(this.#repositories.disk, settings, this.#repositories.namings, () =>
      this.#relayManager.keepRecord(),
    );
    const parts = {
      ...this.#repositories,
      relayManager: this.#relayManager,
      queue: this.#queue,
      alarm: this.#alarm,
    };
    this.#events = new ConferenceEvents(this.#repositories.disk, parts, (key) => this.#joined(key), now);
    this.#recordings = new RecordingKeeper(parts, now);
    this.#dispatcher = new Dispatcher({ ...parts, events: this.#events, recordingKeeper: this.#recordings });
    this.#held = new HeldJoins({ ...parts, corrections: this.#dispatcher.corrections });
    this.#placement = new PlacementService({
      ...parts,
      dispatcher: this.#dispatcher,
      held: this.#held,
      events: this.#events,
    });
    const decider = deciderFor(own, this.#relayManager, (work) => ctx.waitUntil(work));
    const worked = {
      ...parts,
      dispatcher: this.#dispatcher,
      events: this.#events,
      pinLimiter: this.#pinLimiter,
    };
    this.#inboundCalls = new InboundCalls({ ...worked, decider });
    this.#dialer = new Dialer({
      ...worked,
      now,
      inboundCalls: this.#inboundCalls,
      asked: (project_id) => {
        settings.use(project_id);
        this.#scheduler.worked();
      },
    });
    this.#notices = new Notices(parts, env.CREDENTIALS_KEY);
    const kept = { inboundCalls: this.#inboundCalls, dialer: this.#dialer, notices: this.#notices };
    this.#scheduler = new Scheduler({ ...worked, ...kept });
    this.#lobby = new Lobby(parts);
    this.#control = new Control({ ...parts, dispatcher: this.#dispatcher });
    void occupancy.known();
    // What happened while nobody was here to hear of it is not told again.
    if (placements.live.areAny) this.#repositories.suspicions.gapBegan();
    void this.#queue.begin();
    void this.#held.takeOver();
    this.#scheduler.began();
  }

  /** Puts a call into a room, once; a repeat gets what the first got. Answers by the deadline, whatever happens. */
  async place(request: PlaceRequest): Promise<PlaceReply> {
    if (request.v !== CONTRACT_VERSION)
      return byDocumentReply(request, `the session does not know contract ${request.v}`);
    this.#repositories.settings.use(request.project_id);
    this.#scheduler.worked();
    const { namings } = this.#repositories;
    return await this.#placement.place({
      ...request,
      rooms: namings.settle(request),
      ...namings.before(request),
    });
  }

  /** Where a call is that came back from a hold or a ring. */
  async look(request: LookRequest): Promise<LookReply> {
    if (request.v !== CONTRACT_VERSION) {
      return { v: 1, outcome: "unsettled", reason: `the session does not know contract ${request.v}` };
    }
    this.#scheduler.worked();
    return this.#placement.look(request);
  }

  /**
   * The call's own document is done with its room, which is news where events were lost.
   * @param lives_on Whether the call was there, and lives on; a Worker of the version before does not say.
   */
  left(key: PlacementKey, lives_on = false): void {
    this.#dispatcher.left(key, lives_on);
  }

  /** SignalWire has fetched the recording notice that it is to announce in a conference, by REST's sid of it. */
  noticeFetched(conference: string): void {
    this.#notices.fetched(conference);
  }

  /** Who is let in, and where. */
  usher(): Lobby {
    return this.#lobby;
  }

  /** What operators decide about single calls. */
  control(): Control {
    return this.#control;
  }

  /** Has people called into conferences. */
  dialer(): Dialer {
    return this.#dialer;
  }

  /** What is remembered of calls, and the versions of rulesets. */
  archive(): CallHistory {
    return this.#callHistory;
  }

  /** Who may use the API, and what they did. */
  apiAccess(): ApiAccess {
    return this.#apiAccess;
  }

  /** What is kept of tenants beside their calls. */
  tenants(): TenantRecords {
    return this.#tenants;
  }

  /** Whether a PIN may be asked for, or whether one that was keyed counts. */
  askPins(request: PinQuestion | PinAttempt): PinVerdict {
    return this.#pinLimiter.ask(request);
  }

  /** Who may not try PINs now; for operators. */
  pins(): PinLimiter {
    return this.#pinLimiter;
  }

  /** A status callback that came to the Worker: the second feed. Says whom else to tell. */
  conferenceEvent(request: ConferenceEventRequest): ConferenceEventReply {
    const { event, trusted, ids_known, tenant, kind } = request;
    this.#repositories.settings.use(request.project_id);
    const recorded = this.#repositories.eventLog.record(event, "callback", tenant);
    if (recorded === "refused") return { v: 1, forward: [] };
    const isNew = recorded === "new" || recorded === "unwritten";
    const isUnwritten = recorded.startsWith("unwritten");
    let unrecorded = isUnwritten ? { unrecorded: true as const } : {};
    this.#repositories.counters.add(isNew ? "callbacks" : "duplicate_callbacks");
    const confirms = request.confirms === true;
    const how = { kind, ids_known, confirms, ...(tenant === undefined ? {} : { tenant }) };
    if (!isNew) {
      const mayBeUnanswered = recorded === "repeat after a restart";
      // The first may have found room for its event and none for what it says of a recording, and its reply may be lost.
      const again = this.#recordings.heard(event, { ...how, isRepeat: !mayBeUnanswered });
      if (again?.unwritten) unrecorded = { unrecorded: true };
      const telling = mayBeUnanswered ? this.#whomToTell(request, again) : replyTo(again);
      return { v: 1, ...telling, ...unrecorded };
    }
    this.#scheduler.worked();
    this.#repositories.observations.saw("status_callbacks_are_signed", trusted);
    const told = { feed: "callback", ids_known, ...(tenant === undefined ? {} : { tenant }) } as const;
    if (trusted) this.#events.apply(event, told);
    else this.#events.applyUntrusted(event, told);
    const heard = this.#recordings.heard(event, how);
    if (heard?.unwritten) unrecorded = { unrecorded: true };
    this.#notices.heard(event, ids_known);
    this.#dispatcher.start();
    this.#dispatcher.heard();
    return { v: 1, ...this.#whomToTell(request, heard), ...unrecorded };
  }

  /** The rule's own server took what the Worker told it of the recording's end. */
  recordingTold(tenant: string, id: string): void {
    this.#recordings.confirmed(tenant, id);
  }

  /**
   * Connects where it is not, and says how that went: what the doctor asks. Places nothing.
   * @param version of the project's record as the Worker knows it: credentials that were just mended are the ones tried.
   */
  async check(project_id: string, version: string, wait_ms: number): Promise<SessionStatus> {
    this.#repositories.settings.use(project_id);
    // The alarm takes an idle connection down again.
    this.#scheduler.worked();
    // What was refused or out of reach a while ago may be right by now: a person asks, so it is tried at once.
    if (!this.#relayManager.isReady(version)) await this.#relayManager.reconnect(version);
    await this.#relayManager.settled(Date.now() + Math.min(wait_ms, 10_000));
    return await this.status();
  }

  /** Sees to it that the connection is up where the project's record wants it up; who calls by a context wakes nobody. */
  async wake(project_id: string, version: string): Promise<void> {
    this.#repositories.settings.use(project_id);
    this.#scheduler.keep();
    await this.#relayManager.refresh(version);
    // The record may want the alarm more often than was known.
    this.#scheduler.keep();
    await this.#relayManager.connection(null);
    this.#inboundCalls.resume();
  }

  /** A fresh connection, at once. Calls outlive it. */
  async reconnect(project_id: string, version: string): Promise<SessionStatus> {
    this.#repositories.settings.use(project_id);
    this.#scheduler.keep();
    await this.#relayManager.reconnect(version);
    return await this.status();
  }

  /** Since when the project's session is here, ms; null: it never was. Makes no use of it. */
  usedSince(): number | null {
    return this.#repositories.settings.usedSince();
  }

  /** How the session is. Connects nothing. */
  async status(): Promise<SessionStatus> {
    await this.#repositories.occupancy.known();
    return {
      ...this.#relayManager.status(),
      counters: this.#repositories.counters.all(),
      breaker: this.#repositories.circuitBreaker.breaker,
      leaving: this.#repositories.leaving.breaker,
      of_tenants: {
        breaker: this.#repositories.circuitBreaker.ofTenants,
        leaving: this.#repositories.leaving.ofTenants,
      },
      observations: this.#repositories.observations.all(),
      split_rooms: this.#events.splitRooms(),
      presumed_gone: this.#repositories.occupancy.countReleased(),
      live_placements: this.#repositories.occupancy.countLive(),
    };
  }

  override async alarm(): Promise<void> {
    await this.#scheduler.beat();
  }

  /** A recording that the table knows is told to those whom the rule wanted told when it began. */
  #whomToTell(request: ConferenceEventRequest, heard: Heard | null): Telling {
    const { placements, occupancy } = this.#repositories;
    if (request.kind !== "recording" || heard === null)
      return { forward: whomToTell(placements, occupancy, request) };
    return replyTo(heard);
  }

  #record(event: RelayEvent): boolean {
    const recorded = this.#repositories.eventLog.record(event, "relay");
    if (recorded === "refused") return false;
    // A repeat, too: the first may have been written down and then have failed.
    this.#inboundCalls.claim(event);
    // Where there is no room for its row it is acknowledged without one: RELAY would stop sending, and calls go unanswered.
    return recorded === "new" || recorded === "unwritten";
  }

  #joined(key: PlacementKey): void {
    this.#placement.joined(key);
    this.#notices.joined(key);
    this.#inboundCalls.joined(key.call_id);
  }

  #gapBegan(): void {
    this.#repositories.suspicions.gapBegan();
    this.#scheduler.gapBegan();
    this.#inboundCalls.gap();
  }

  #act(event: RelayEvent, isNew: boolean): void {
    this.#repositories.counters.add(isNew ? "events" : "duplicate_events");
    if (isNew) this.#repositories.fullRooms.heard(event);
    this.#inboundCalls.act(event);
    if (!isNew) return;
    this.#scheduler.worked();
    this.#events.apply(event);
    this.#recordings.heard(event, { ids_known: true });
    this.#notices.heard(event, true);
    for (const row of this.#events.waitingOf(event)) this.#queue.ended(row);
    this.#dialer.heard(event);
    this.#dispatcher.start();
    this.#dispatcher.heard();
  }
}

function replyTo(heard: Heard | null): Telling {
  if (!heard?.forward) return { forward: [] };
  return { forward: [heard.forward], ...(heard.confirm === undefined ? {} : { confirm: heard.confirm }) };
}
