import { DurableObject } from "cloudflare:workers";
import type { RelayEvent } from "../../shared/relay/events.ts";
import { fewReads } from "../few-reads.ts";
import { type CallParts, composeCalls } from "./compose-calls.ts";
import { composeEvents, type EventParts } from "./compose-events.ts";
import { composeFeed, type FeedParts, newsTo } from "./compose-feed.ts";
import { composeOperators, type OperatorParts } from "./compose-operators.ts";
import { composeCopier, composeUpkeep, type Upkeep } from "./compose-upkeep.ts";
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
import type { PrepareReply, PrepareRequest, SessionApi } from "./contract/session-api.ts";
import type { DialDesk } from "./dial/dial-desk.ts";
import { EventIngest, type EventSteps } from "./event-ingest.ts";
import { Announcer } from "./events/announcer.ts";
import { RecordingEvents } from "./events/recording-events.ts";
import { Notices } from "./events/recording-notices.ts";
import { Heartbeat } from "./heartbeat.ts";
import { ApiAccess } from "./operator/api-access.ts";
import { CallHistory } from "./operator/call-history.ts";
import type { ConferenceControl } from "./operator/conference-control.ts";
import type { Control } from "./operator/controls.ts";
import type { FeedDesk } from "./operator/feed-desk.ts";
import { Lobby } from "./operator/lobby.ts";
import type { SessionStatus } from "./operator/session-status.ts";
import { TenantRecords } from "./operator/tenant-records.ts";
import type { WebhookDesk } from "./operator/webhook-desk.ts";
import { PinLimiter } from "./pins/pin-limiter.ts";
import { byDocumentReply, joinIsSending } from "./placement/place-by-relay.ts";
import { WaitingQueue } from "./queue/waiting-queue.ts";
import type { RecordingCopier } from "./reconcile/copy-recordings.ts";
import { NoticeUrls } from "./relay/notice-urls.ts";
import { RelayManager, type RelayManagerHost } from "./relay/relay-manager.ts";
import { Repositories } from "./repositories.ts";
import { keptIn, Retention } from "./retention.ts";
import { Scheduler } from "./scheduler.ts";
import type { Placement } from "./store/placement-row.ts";
import { migrate } from "./store/schema.ts";

/** Pending commands that are tried again at once when RELAY is back; the others come in their own time. */
const RETRIED_AT_ONCE = 500;

/** @param session the session itself, asked directly. */
export type MakeCallDecider = (
  env: Env,
  session: SessionApi,
  relayManager: RelayManager,
  keepAlive: (work: Promise<unknown>) => void,
) => CallDecider;

/**
 * RelaySession — the Durable Object of a project: it keeps the project's RELAY session and its placements. This class answers RPC, tells
 * the parts what happens, and begins where the object before it ended; `compose-*.ts` beside it build the parts. Used by the Worker.
 */
export class RelaySession extends DurableObject<Env> {
  readonly #scheduler: Scheduler;
  readonly #repositories: Repositories;
  readonly #relayManager: RelayManager;
  readonly #queue: WaitingQueue;
  readonly #lobby: Lobby;
  readonly #events: EventParts;
  readonly #upkeep: Upkeep;
  readonly #calls: CallParts;
  readonly #feed: FeedParts;
  readonly #operators: OperatorParts;
  readonly #recordings: RecordingEvents;
  readonly #notices: Notices;
  /** Where no bucket is bound, recordings are not copied. */
  readonly #copier: RecordingCopier | null;
  readonly #ingest: EventIngest;
  readonly #heartbeat: Heartbeat;
  readonly #pinLimiter: PinLimiter;
  readonly #callHistory: CallHistory;
  readonly #apiAccess: ApiAccess;
  readonly #tenants: TenantRecords;

  /** @param deciderFor makes what decides on its calls: the session imports no call flow. */
  constructor(ctx: DurableObjectState, env: Env, deciderFor: MakeCallDecider) {
    super(ctx, env);
    migrate(ctx.storage);
    const now = Date.now;
    this.#scheduler = new Scheduler(ctx.storage);
    this.#repositories = new Repositories(ctx.storage.sql, now, env.CREDENTIALS_KEY, {
      written: (row) => this.#calls.placement.written(row),
      moved: (rooms) => {
        this.#queue.moved(rooms);
        this.#operators.moderation.moved(rooms);
        this.#operators.legs.moved(rooms);
      },
      counted: () => this.#scheduler.changed(this.#repositories.counters),
      news: newsTo(() => this.#feed.feed),
    });
    const tables = this.#repositories;
    const { settings, placements, occupancy, counters, callFlows } = tables;
    const credentials_key = env.CREDENTIALS_KEY;
    this.#pinLimiter = new PinLimiter(tables.disk, now, () => this.#heartbeat.keep());
    this.#apiAccess = new ApiAccess(
      tables,
      now,
      () => this.#heartbeat.keep(),
      (tenant, token) => this.#feed.feed.revoke(tenant, token),
    );
    this.#callHistory = new CallHistory(
      ctx.storage.sql,
      tables.history,
      placements,
      occupancy,
      tables.suspicions,
      tables.rulesets,
      tables.recordings,
      tables.policies,
      tables.speech,
      ({ project_id }) => this.#used(project_id),
    );
    this.#tenants = new TenantRecords(tables.disk, settings, tables.namings, () =>
      this.#relayManager.keepRecord(),
    );
    this.#queue = new WaitingQueue(
      tables,
      {
        hasCallFlow: (call_id) => callFlows.isOpen(call_id),
        start: () => this.#upkeep.dispatcher.start(),
        doubt: (rooms) => this.#upkeep.dispatcher.doubtSeats(rooms),
        rescheduled: () => this.#scheduler.changed(this.#queue),
      },
      now,
    );
    this.#lobby = new Lobby(tables, this.#queue);
    // An object may have few connections at once: RELAY's connect and commands would wait behind reads of KV.
    const own = { ...env, DIRECTORY: fewReads(env.DIRECTORY) };
    this.#relayManager = new RelayManager(own, settings, counters, this.#relayListener());
    const relayManager = this.#relayManager;
    const base = { tables, relayManager, queue: this.#queue, scheduler: this.#scheduler };
    this.#feed = composeFeed(base, ctx, credentials_key, (project_id) => this.#used(project_id));
    this.#copier =
      env.RECORDINGS === undefined ? null : composeCopier(base, env.RECORDINGS, this.#feed.outgoing.spare);
    this.#events = composeEvents(
      tables,
      { joined: (row) => this.#joined(row), stopsWaiting: (row) => this.#queue.ended(row) },
      now,
    );
    this.#upkeep = composeUpkeep(base, this.#events);
    const asked = (project_id: string) => this.#worked(project_id);
    const decider = deciderFor(own, this.#ownApi(), relayManager, (work) => ctx.waitUntil(work));
    this.#calls = composeCalls(base, this.#events, this.#upkeep, { decider, asked });
    const { feed } = this.#feed;
    const urls = new NoticeUrls(relayManager, credentials_key, now);
    const announcer = new Announcer(relayManager, urls, tables.recorded, tables.observations);
    this.#notices = new Notices(tables, announcer);
    this.#operators = composeOperators(base, this.#events, this.#upkeep, {
      feed,
      notices: this.#notices,
      credentials_key,
      asked,
    });
    this.#recordings = new RecordingEvents(tables.recordings, occupancy, now);
    this.#ingest = new EventIngest(tables, this.#calls.inboundCalls, this.#recordings, this.#eventSteps());
    this.#heartbeat = new Heartbeat(
      relayManager,
      occupancy,
      new Retention(keptIn(tables, this.#pinLimiter), now),
      [placements, tables.pendingCommands, this.#pinLimiter],
      {
        dispatcher: this.#upkeep.dispatcher,
        inboundCalls: this.#calls.inboundCalls,
        dialer: this.#calls.dialer,
        notices: this.#notices,
        moderation: this.#operators.moderation,
        legs: this.#operators.legs,
        outgoing: this.#feed.outgoing,
        counters,
      },
      () => this.#scheduler.heartbeatChanged(),
    );
    this.#begin();
  }

  /** The parts that have work at a time are asked for it, and what another incarnation left is taken over. */
  #begin(): void {
    const tables = this.#repositories;
    const { inboundCalls, held, placement, dialer } = this.#calls;
    this.#scheduler.start(this.#heartbeat);
    this.#scheduler.add("relay", this.#relayManager);
    this.#scheduler.add("calls", inboundCalls);
    this.#scheduler.add("held joins", held);
    this.#scheduler.add("placement", placement);
    this.#scheduler.add("queue", this.#queue);
    this.#scheduler.add("commands", this.#upkeep.dispatcher);
    this.#scheduler.add("dials", dialer);
    this.#scheduler.add("webhooks", this.#feed.outgoing);
    this.#scheduler.add("counters", tables.counters);
    if (this.#copier) this.#scheduler.add("copies", this.#copier);
    this.#scheduler.add("moderation", this.#operators.moderation);
    void tables.occupancy.known();
    // What happened while nobody was here to hear of it is not told again.
    if (tables.placements.live.areAny) tables.suspicions.gapBegan();
    void this.#queue.begin();
    void held.takeOver();
    tables.pendingCommands.takeOver();
    this.#heartbeat.began();
    this.#operators.moderation.resume();
    this.#operators.legs.resume();
  }

  /** Puts a call into a room, once; a repeat gets what the first got. Answers by the deadline, whatever happens. */
  async place(request: PlaceRequest): Promise<PlaceReply> {
    if (request.v !== CONTRACT_VERSION)
      return byDocumentReply(request, `the session does not know contract ${request.v}`);
    this.#worked(request.project_id);
    const { namings } = this.#repositories;
    return await this.#calls.placement.place({
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
    this.#heartbeat.worked();
    return this.#calls.placement.look(request);
  }

  /**
   * The call's own document is done with its room, which is news where events were lost.
   * @param lives_on Whether the call was there, and lives on; a Worker of the version before does not say.
   */
  left(key: PlacementKey, lives_on = false): void {
    this.#upkeep.corrections.leftByItsWord(key, lives_on);
    this.#upkeep.dispatcher.start();
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
    return this.#operators.control;
  }

  /** What operators do to live conferences. */
  conferenceControl(): ConferenceControl {
    return this.#operators.conferenceControl;
  }

  /** Has people called into conferences. */
  dialer(): DialDesk {
    return this.#calls.dialDesk;
  }

  /** Lets clients listen to what happens to a tenant's calls. */
  feed(): FeedDesk {
    return this.#feed.feedDesk;
  }

  /** The servers to which a tenant has that sent. */
  webhooks(): WebhookDesk {
    return this.#feed.webhookDesk;
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

  /** What is to be known before a call is placed. */
  prepare({ returning, pins, seat, hears_notice }: PrepareRequest): PrepareReply {
    const lobby = this.#lobby;
    const placing = returning === undefined ? null : lobby.returning(returning);
    if (placing !== null) return { v: 1, returning: placing };
    const verdict = pins && this.#pinLimiter.ask(pins);
    const answered = { v: 1 as const, ...(verdict === undefined ? {} : { pins: verdict }) };
    if (!seat || verdict?.allowed === false) return answered;
    const recorded = lobby.isRecorded(seat);
    if (recorded && hears_notice !== undefined) this.#notices.heardBy(hears_notice);
    return { ...answered, number: lobby.callerNumber(seat), recorded };
  }

  /** Whether a PIN may be asked for, or whether one that was keyed counts; for a Worker of the version before. */
  askPins(request: PinQuestion | PinAttempt): PinVerdict {
    return this.#pinLimiter.ask(request);
  }

  /** Who may not try PINs now; for operators. */
  pins(): PinLimiter {
    return this.#pinLimiter;
  }

  /** A status callback that came to the Worker: the second feed. Says whom else to tell. */
  conferenceEvent(request: ConferenceEventRequest): ConferenceEventReply {
    this.#repositories.settings.use(request.project_id);
    return this.#ingest.callback(request);
  }

  /** The rule's own server took what the Worker told it of the recording's end. */
  recordingTold(tenant: string, id: string): void {
    this.#recordings.confirmed(tenant, id);
  }

  /**
   * Connects where it is not, and says how that went: what the doctor asks. Places nothing.
   * @param version of the project's record as the Worker knows it: credentials that were just changed are the ones tried.
   */
  async check(project_id: string, version: string, wait_ms: number): Promise<SessionStatus> {
    // The alarm takes an idle connection down again.
    this.#worked(project_id);
    // What was refused or out of reach a while ago may be right by now: a person asks, so it is tried at once.
    if (!this.#relayManager.isReady(version)) await this.#relayManager.reconnect(version);
    await this.#relayManager.settled(Date.now() + Math.min(wait_ms, 10_000));
    return await this.status();
  }

  /** Sees to it that the connection is up where the project's record wants it up; who calls by a context wakes nobody. */
  async wake(project_id: string, version: string): Promise<void> {
    this.#used(project_id);
    await this.#relayManager.refresh(version, Number.POSITIVE_INFINITY);
    // The record may want the alarm more often than was known.
    this.#heartbeat.keep();
    await this.#relayManager.connection(null);
    this.#calls.inboundCalls.resume();
  }

  /** A fresh connection, at once. Calls outlive it. */
  async reconnect(project_id: string, version: string): Promise<SessionStatus> {
    this.#used(project_id);
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
      split_rooms: this.#events.splits.all(),
      presumed_gone: this.#repositories.occupancy.countReleased(),
      live_placements: this.#repositories.occupancy.countLive(),
    };
  }

  /** A client of the feed, with its ticket; no other request comes here. */
  override async fetch(request: Request): Promise<Response> {
    return await this.#feed.feedDesk.open(request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#feed.readers.message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#feed.readers.closed(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#feed.readers.closed(socket);
  }

  override async alarm(): Promise<void> {
    await this.#scheduler.alarm();
  }

  /** What Workers ask by RPC: for calls that come over RELAY the session asks itself. */
  #ownApi(): SessionApi {
    return {
      place: (request) => this.place(request),
      look: (request) => this.look(request),
      left: async (key, lives_on) => this.left(key, lives_on),
      noticeFetched: async (conference) => this.noticeFetched(conference),
      prepare: async (request) => this.prepare(request),
      note: async (request) => this.#callHistory.note(request),
      keepRuleset: async (tenant, version) => {
        if (!this.#callHistory.serves(tenant, version.hash)) await this.#callHistory.keep(tenant, version);
      },
      lastGoodRuleset: async (tenant) => this.#callHistory.lastGood(tenant),
      keepRecords: (served) => this.#tenants.keep(served),
      lastGoodRecords: async (tenant) => this.#tenants.lastGood(tenant),
    };
  }

  /** What RELAY's connection tells the session. */
  #relayListener(): RelayManagerHost {
    return {
      sending: (command) => joinIsSending(this.#repositories.placements, command),
      record: (event) => this.#ingest.recordRelay(event),
      acted: (event, isNew) => this.#ingest.actOnRelay(event, isNew),
      rescheduled: () => this.#scheduler.changed(this.#relayManager),
      gapEnded: () => this.#gapEnded(),
      gapBegan: () => this.#gapBegan(),
      restored: (isRestored) => this.#repositories.observations.saw("session_restored", isRestored),
    };
  }

  /** What is done with each event, in this order: what changes placements comes first. */
  #eventSteps(): EventSteps {
    const { events } = this.#events;
    return {
      before: [
        () => this.#heartbeat.worked(),
        (event, how) => (how.trusted ? events.apply(event, how) : events.applyUntrusted(event, how)),
        (event, { tenant }) => this.#repositories.speech.heard(event, tenant),
        (event, { ids_known, trusted }) =>
          this.#operators.sightings.heard(ids_known ? event : withoutConference(event), trusted),
      ],
      after: [
        (event, { ids_known }) => this.#notices.heard(event, events.knowsIds(ids_known)),
        (event, { feed }) => {
          // RELAY alone tells of calls.
          if (event.kind === "conference" || feed === "relay") this.#operators.legs.heard(event);
          if (feed !== "relay") return;
          if (event.kind === "state" && event.params.call_state === "ended")
            this.#queue.callEnded(event.params.call_id);
          this.#calls.dialer.heard(event);
        },
        () => {
          this.#upkeep.dispatcher.start();
          this.#upkeep.dispatcher.heard();
        },
      ],
    };
  }

  /** A participant-join confirms the placement. */
  #joined(row: Placement): void {
    this.#calls.placement.joined(row);
    this.#operators.legs.joined(row);
    this.#notices.joined(row);
    this.#operators.roomControls.joined(row);
    this.#operators.moderation.joined(row);
    this.#calls.inboundCalls.joined(row.call_id);
  }

  #gapBegan(): void {
    this.#repositories.suspicions.gapBegan();
    this.#heartbeat.gapBegan();
    this.#calls.inboundCalls.gap();
  }

  #gapEnded(): void {
    const { dispatcher } = this.#upkeep;
    this.#repositories.pendingCommands.takeOver(RETRIED_AT_ONCE);
    dispatcher.start();
    this.#calls.held.again();
    dispatcher.verifyWhereabouts();
    dispatcher.checkRooms("gap");
    void this.#calls.dialer.askRest();
    this.#operators.legs.resume();
  }

  /** The project has something here that is to be kept, or forgotten one day. */
  #used(project_id: string): void {
    this.#repositories.settings.use(project_id);
    this.#heartbeat.keep();
  }

  /** The session has work to do for the project. */
  #worked(project_id: string): void {
    this.#repositories.settings.use(project_id);
    this.#heartbeat.worked();
  }
}

/** A form may name its conference by another id than RELAY does. */
function withoutConference(event: RelayEvent): RelayEvent {
  if (event.kind !== "conference") return event;
  const { conference_id: _, ...params } = event.params;
  return { ...event, params };
}
