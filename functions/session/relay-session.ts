import { DurableObject } from "cloudflare:workers";
import type { RelayEvent } from "../../shared/relay/events.ts";
import { fewReads } from "../few-reads.ts";
import { CallFlowRunner } from "./calls/call-flow-runner.ts";
import { InboundCalls } from "./calls/inbound-calls.ts";
import { Dispatcher } from "./commands/dispatcher.ts";
import { runCommands } from "./commands/run-commands.ts";
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
import { Dialer } from "./dial/dialer.ts";
import { EventIngest } from "./event-ingest.ts";
import { ConferenceEvents } from "./events/conference-events.ts";
import { RecordingEvents } from "./events/recording-events.ts";
import { Notices } from "./events/recording-notices.ts";
import { Feed } from "./feed/feed.ts";
import { OutgoingWebhooks } from "./feed/outgoing-webhooks.ts";
import { FeedReaders } from "./feed/readers.ts";
import { Snapshot } from "./feed/snapshot.ts";
import { Heartbeat } from "./heartbeat.ts";
import { ApiAccess } from "./operator/api-access.ts";
import { CallHistory } from "./operator/call-history.ts";
import { ConferenceControl } from "./operator/conference-control.ts";
import { Control } from "./operator/controls.ts";
import { FeedDesk } from "./operator/feed-desk.ts";
import { Lobby } from "./operator/lobby.ts";
import { Moderation } from "./operator/moderation.ts";
import { Move } from "./operator/move.ts";
import { ParticipantControls } from "./operator/participant-controls.ts";
import { Reach } from "./operator/reach.ts";
import { RoomControls } from "./operator/room-controls.ts";
import { RunningCommands } from "./operator/running-commands.ts";
import type { SessionStatus } from "./operator/session-status.ts";
import { Sightings } from "./operator/sightings.ts";
import { tellCommand } from "./operator/tell-commands.ts";
import { TenantRecords } from "./operator/tenant-records.ts";
import { WebhookDesk } from "./operator/webhook-desk.ts";
import { PinLimiter } from "./pins/pin-limiter.ts";
import { HeldJoins } from "./placement/held-joins.ts";
import { byDocumentReply, joinIsSending } from "./placement/place-by-relay.ts";
import { PlacementService } from "./placement/placement-service.ts";
import { WaitingQueue } from "./queue/waiting-queue.ts";
import { RecordingCopier } from "./reconcile/copy-recordings.ts";
import { Corrections } from "./reconcile/corrections.ts";
import { RecordingReconciler } from "./reconcile/reconcile-recordings.ts";
import { askingBy, Reconciler } from "./reconcile/reconciler.ts";
import { RelayManager } from "./relay/relay-manager.ts";
import { Repositories } from "./repositories.ts";
import { Retention } from "./retention.ts";
import { Scheduler } from "./scheduler.ts";
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
 * RelaySession — the Durable Object of a project: it keeps the project's RELAY session and its placements. This class only puts the parts
 * together and answers RPC.
 */
export class RelaySession extends DurableObject<Env> {
  readonly #repositories: Repositories;
  readonly #callHistory: CallHistory;
  readonly #apiAccess: ApiAccess;
  readonly #tenants: TenantRecords;
  readonly #events: ConferenceEvents;
  readonly #queue: WaitingQueue;
  readonly #relayManager: RelayManager;
  readonly #dispatcher: Dispatcher;
  readonly #held: HeldJoins;
  readonly #placement: PlacementService;
  readonly #lobby: Lobby;
  readonly #control: Control;
  readonly #sightings: Sightings;
  readonly #roomControls: RoomControls;
  readonly #conferenceControl: ConferenceControl;
  readonly #moderation: Moderation;
  readonly #inboundCalls: InboundCalls;
  readonly #scheduler: Scheduler;
  readonly #heartbeat: Heartbeat;
  readonly #pinLimiter: PinLimiter;
  readonly #dialer: Dialer;
  readonly #notices: Notices;
  readonly #recordings: RecordingEvents;
  readonly #readers: FeedReaders;
  readonly #feed: Feed;
  readonly #feedDesk: FeedDesk;
  readonly #webhookDesk: WebhookDesk;
  readonly #ingest: EventIngest;

  /** @param deciderFor makes what decides on its calls: the session imports no call flow. */
  constructor(ctx: DurableObjectState, env: Env, deciderFor: MakeCallDecider) {
    super(ctx, env);
    migrate(ctx.storage);
    const { sql } = ctx.storage;
    const now = Date.now;
    this.#scheduler = new Scheduler(ctx.storage);
    this.#repositories = new Repositories(sql, now, env.CREDENTIALS_KEY, {
      written: (row) => this.#placement.written(row),
      moved: (rooms) => {
        this.#queue.moved(rooms);
        this.#moderation.moved(rooms);
      },
      counted: () => this.#scheduler.changed(this.#repositories.counters),
      news: {
        isFollowed: (tenant) => this.#feed.isFollowed(tenant),
        placed: (row, before) => this.#feed.placed(row, before),
        dropped: (row) => this.#feed.dropped(row),
        recorded: (row, before) => this.#feed.recorded(row, before),
        dialled: (dial) => this.#feed.dialled(dial),
        refused: (about, row) => this.#feed.refused(about, row),
        rulesServed: (tenant, hash) => this.#feed.rulesServed(tenant, hash),
        locked: (tenant, room, mode, until) => this.#feed.locked(tenant, room, mode, until),
        unlocked: (tenant, room) => this.#feed.unlocked(tenant, room),
        split: (tenant, room, ids) => this.#feed.split(tenant, room, ids),
        spoke: (tenant, room, call_id, speaking) => this.#feed.spoke(tenant, room, call_id, speaking),
      },
    });
    const { settings, placements, occupancy, pendingCommands, counters, history, rulesets, callFlows } =
      this.#repositories;
    this.#pinLimiter = new PinLimiter(this.#repositories.disk, now, () => this.#heartbeat.keep());
    this.#apiAccess = new ApiAccess(
      this.#repositories,
      now,
      () => this.#heartbeat.keep(),
      (tenant, token) => this.#feed.revoke(tenant, token),
    );
    this.#queue = new WaitingQueue({
      placements,
      occupancy,
      pendingCommands,
      hasCallFlow: (call_id) => callFlows.isOpen(call_id),
      start: () => this.#dispatcher.start(),
      doubt: (doubted) => this.#dispatcher.doubtSeats(doubted),
      rescheduled: () => this.#scheduler.changed(this.#queue),
      now,
      policies: this.#repositories.policies,
    });
    this.#callHistory = new CallHistory(
      sql,
      history,
      placements,
      occupancy,
      this.#repositories.suspicions,
      rulesets,
      this.#repositories.recordings,
      this.#repositories.policies,
      this.#repositories.speech,
      ({ project_id }) => {
        settings.use(project_id);
        this.#heartbeat.keep();
      },
    );
    // An object may have few connections at once: RELAY's connect and commands would wait behind reads of KV.
    const own = { ...env, DIRECTORY: fewReads(env.DIRECTORY) };
    this.#relayManager = new RelayManager(own, settings, counters, {
      sending: (command) => joinIsSending(placements, command),
      record: (event) => this.#ingest.recordRelay(event),
      acted: (event, isNew) => this.#ingest.actOnRelay(event, isNew),
      rescheduled: () => this.#scheduler.changed(this.#relayManager),
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
    };
    const live = { ...this.#repositories, live: placements.live, now };
    const outgoing = new OutgoingWebhooks({
      ...parts,
      pool: this.#relayManager.pool,
      credentials_key: env.CREDENTIALS_KEY,
      fetch: (url, init) => fetch(url, init),
      rescheduled: () => this.#scheduler.changed(outgoing),
      now,
      random: Math.random,
    });
    // Answered without waking the object: a client sees that its connection lives.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#readers = new FeedReaders({ ...live, sockets: ctx, snapshot: new Snapshot(live) });
    this.#feed = new Feed({ ...live, readers: this.#readers, outgoing });
    this.#feedDesk = new FeedDesk(this.#repositories, this.#feed, now);
    this.#webhookDesk = new WebhookDesk({
      ...this.#repositories,
      feed: this.#feed,
      outgoing,
      credentials_key: env.CREDENTIALS_KEY,
      now,
      used: (project_id) => {
        settings.use(project_id);
        this.#heartbeat.keep();
      },
    });
    this.#events = new ConferenceEvents(this.#repositories.disk, parts, (key) => this.#joined(key), now);
    this.#recordings = new RecordingEvents(this.#repositories.recordings, occupancy, now);
    const corrections = new Corrections({ ...parts, events: this.#events }, now);
    this.#dispatcher = new Dispatcher(
      { ...parts, events: this.#events },
      corrections,
      {
        commands: () => runCommands({ ...parts, corrections, now }),
        reconciler: new Reconciler({ ...parts, corrections, ...askingBy(this.#relayManager) }, now),
        recordingReconciler: new RecordingReconciler(parts, now),
      },
      () => this.#scheduler.changed(this.#dispatcher),
    );
    this.#held = new HeldJoins({
      ...parts,
      corrections,
      rescheduled: () => this.#scheduler.changed(this.#held),
    });
    this.#placement = new PlacementService({
      ...parts,
      dispatcher: this.#dispatcher,
      held: this.#held,
      events: this.#events,
      rescheduled: () => this.#scheduler.changed(this.#placement),
    });
    const decider = deciderFor(own, this.#ownApi(), this.#relayManager, (work) => ctx.waitUntil(work));
    const worked = {
      ...parts,
      dispatcher: this.#dispatcher,
      events: this.#events,
      pinLimiter: this.#pinLimiter,
    };
    this.#inboundCalls = new InboundCalls(
      { ...parts, events: this.#events, rescheduled: () => this.#scheduler.changed(this.#inboundCalls) },
      (...call) => new CallFlowRunner({ ...worked, decider }, ...call),
    );
    this.#dialer = new Dialer({
      ...worked,
      now,
      inboundCalls: this.#inboundCalls,
      asked: (project_id) => {
        settings.use(project_id);
        this.#heartbeat.worked();
      },
      rescheduled: () => this.#scheduler.changed(this.#dialer),
    });
    this.#notices = new Notices(parts, env.CREDENTIALS_KEY);
    this.#ingest = new EventIngest(this.#repositories, this.#inboundCalls, this.#recordings, {
      before: [
        () => this.#heartbeat.worked(),
        (event, how) =>
          how.trusted ? this.#events.apply(event, how) : this.#events.applyUntrusted(event, how),
        (event, { tenant }) => this.#repositories.speech.heard(event, tenant),
        (event, { ids_known, trusted }) =>
          this.#sightings.heard(ids_known ? event : withoutConference(event), trusted),
      ],
      after: [
        (event, { ids_known }) => this.#notices.heard(event, ids_known),
        (event, { feed }) => {
          // RELAY alone tells of calls.
          if (feed !== "relay") return;
          for (const row of this.#events.waitingOf(event)) this.#queue.ended(row);
          this.#dialer.heard(event);
        },
        () => {
          this.#dispatcher.start();
          this.#dispatcher.heard();
        },
      ],
    });
    this.#heartbeat = new Heartbeat(
      this.#relayManager,
      occupancy,
      new Retention({ ...this.#repositories, pinLimiter: this.#pinLimiter }, now),
      [placements, pendingCommands, this.#pinLimiter],
      {
        dispatcher: this.#dispatcher,
        inboundCalls: this.#inboundCalls,
        dialer: this.#dialer,
        notices: this.#notices,
        moderation: { resume: () => this.#moderation.resume() },
        outgoing,
      },
      () => this.#scheduler.heartbeatChanged(),
    );
    this.#scheduler.start(this.#heartbeat);
    this.#scheduler.add("relay", this.#relayManager);
    this.#scheduler.add("calls", this.#inboundCalls);
    this.#scheduler.add("held joins", this.#held);
    this.#scheduler.add("placement", this.#placement);
    this.#scheduler.add("queue", this.#queue);
    this.#scheduler.add("commands", this.#dispatcher);
    this.#scheduler.add("dials", this.#dialer);
    this.#scheduler.add("webhooks", outgoing);
    this.#scheduler.add("counters", this.#repositories.counters);
    if (env.RECORDINGS) {
      const copier = new RecordingCopier({
        ...parts,
        bucket: env.RECORDINGS,
        project: () => this.#relayManager.project(),
        run: (tenant, request) =>
          outgoing.spare.run(tenant, () => this.#relayManager.pool.run("list", request)),
        now,
      });
      this.#repositories.recordingCopies.begin(() => this.#scheduler.changed(copier));
      this.#scheduler.add("copies", copier);
    }
    this.#lobby = new Lobby(parts);
    this.#control = new Control({ ...parts, dispatcher: this.#dispatcher });
    this.#sightings = new Sightings(now);
    const running = new RunningCommands(
      this.#repositories.controls,
      history,
      (command, tenant) => tellCommand(this.#feed, tenant, command),
      now,
    );
    const reach = new Reach(parts, env.CREDENTIALS_KEY, now);
    const controlled = {
      ...parts,
      events: this.#events,
      corrections: this.#dispatcher.corrections,
      reach,
      running,
      sightings: this.#sightings,
      now,
      asked: (project_id: string) => {
        settings.use(project_id);
        this.#heartbeat.worked();
      },
    };
    const participants = new ParticipantControls(controlled);
    this.#roomControls = new RoomControls({
      ...controlled,
      participants,
      opensAt: (room, at) => this.#moderation.opensAt(room, at),
    });
    this.#moderation = new Moderation({
      ...controlled,
      rooms: this.#roomControls,
      feed: this.#feed,
      rescheduled: () => this.#scheduler.changed(this.#moderation),
    });
    this.#scheduler.add("moderation", this.#moderation);
    this.#conferenceControl = new ConferenceControl({
      ...controlled,
      participants,
      rooms: this.#roomControls,
      moves: new Move(controlled),
    });
    void occupancy.known();
    // What happened while nobody was here to hear of it is not told again.
    if (placements.live.areAny) this.#repositories.suspicions.gapBegan();
    void this.#queue.begin();
    void this.#held.takeOver();
    pendingCommands.takeOver();
    this.#heartbeat.began();
    this.#moderation.resume();
  }

  /** Puts a call into a room, once; a repeat gets what the first got. Answers by the deadline, whatever happens. */
  async place(request: PlaceRequest): Promise<PlaceReply> {
    if (request.v !== CONTRACT_VERSION)
      return byDocumentReply(request, `the session does not know contract ${request.v}`);
    this.#repositories.settings.use(request.project_id);
    this.#heartbeat.worked();
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
    this.#heartbeat.worked();
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

  /** What operators do to live conferences. */
  conferenceControl(): ConferenceControl {
    return this.#conferenceControl;
  }

  /** Has people called into conferences. */
  dialer(): Dialer {
    return this.#dialer;
  }

  /** Lets clients listen to what happens to a tenant's calls. */
  feed(): FeedDesk {
    return this.#feedDesk;
  }

  /** The servers to which a tenant has that sent. */
  webhooks(): WebhookDesk {
    return this.#webhookDesk;
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
  prepare({ returning, pins, seat }: PrepareRequest): PrepareReply {
    const placing = returning === undefined ? null : this.#lobby.returning(returning);
    if (placing !== null) return { v: 1, returning: placing };
    const verdict = pins && this.#pinLimiter.ask(pins);
    const answered = { v: 1 as const, ...(verdict === undefined ? {} : { pins: verdict }) };
    if (!seat || verdict?.allowed === false) return answered;
    return { ...answered, number: this.#lobby.callerNumber(seat), recorded: this.#lobby.isRecorded(seat) };
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
    this.#repositories.settings.use(project_id);
    // The alarm takes an idle connection down again.
    this.#heartbeat.worked();
    // What was refused or out of reach a while ago may be right by now: a person asks, so it is tried at once.
    if (!this.#relayManager.isReady(version)) await this.#relayManager.reconnect(version);
    await this.#relayManager.settled(Date.now() + Math.min(wait_ms, 10_000));
    return await this.status();
  }

  /** Sees to it that the connection is up where the project's record wants it up; who calls by a context wakes nobody. */
  async wake(project_id: string, version: string): Promise<void> {
    this.#repositories.settings.use(project_id);
    this.#heartbeat.keep();
    await this.#relayManager.refresh(version);
    // The record may want the alarm more often than was known.
    this.#heartbeat.keep();
    await this.#relayManager.connection(null);
    this.#inboundCalls.resume();
  }

  /** A fresh connection, at once. Calls outlive it. */
  async reconnect(project_id: string, version: string): Promise<SessionStatus> {
    this.#repositories.settings.use(project_id);
    this.#heartbeat.keep();
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

  /** A client of the feed, with its ticket; no other request comes here. */
  override async fetch(request: Request): Promise<Response> {
    return await this.#feedDesk.open(request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#readers.message(socket, message);
  }

  override webSocketClose(socket: WebSocket): void {
    this.#readers.closed(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#readers.closed(socket);
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

  #joined(key: PlacementKey): void {
    this.#placement.joined(key);
    this.#notices.joined(key);
    const row = this.#repositories.placements.find(key);
    if (row) this.#roomControls.joined(row);
    if (row) this.#moderation.joined(row);
    this.#inboundCalls.joined(key.call_id);
  }

  #gapBegan(): void {
    this.#repositories.suspicions.gapBegan();
    this.#heartbeat.gapBegan();
    this.#inboundCalls.gap();
  }
}

/** A form may name its conference by another id than RELAY does. */
function withoutConference(event: RelayEvent): RelayEvent {
  if (event.kind !== "conference") return event;
  const { conference_id: _, ...params } = event.params;
  return { ...event, params };
}
