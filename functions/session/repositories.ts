import { Joins } from "./events/confirm-join.ts";
import type { SplitNews } from "./events/split-rooms.ts";
import { ConferenceMembers } from "./seats/conference-members.ts";
import { FullRooms } from "./seats/full-rooms.ts";
import { HeldSeats } from "./seats/held-seats.ts";
import { Occupancy } from "./seats/occupancy.ts";
import { RecordedRooms } from "./seats/recorded-rooms.ts";
import { Namings } from "./seats/room-naming.ts";
import { Speech, type SpeechNews } from "./seats/speech.ts";
import { Audit } from "./store/audit.ts";
import { CallFlows } from "./store/call-flows.ts";
import { CircuitBreaker } from "./store/circuit-breaker.ts";
import { PendingCommands } from "./store/commands.ts";
import { ControlLog } from "./store/control-log.ts";
import { Counters } from "./store/counters.ts";
import { type DialNews, Dials } from "./store/dials.ts";
import { Disk } from "./store/disk.ts";
import { EventLog } from "./store/event-log.ts";
import { FeedLog } from "./store/feed-log.ts";
import { FeedTickets } from "./store/feed-tickets.ts";
import { History, type HistoryNews } from "./store/history.ts";
import type { PlacementNews } from "./store/news.ts";
import { Observations } from "./store/observations.ts";
import type { Placement } from "./store/placement-row.ts";
import { Placements } from "./store/placements.ts";
import { RecordingCopies } from "./store/recording-copies.ts";
import { type RecordingNews, Recordings } from "./store/recordings.ts";
import { RelayTrust } from "./store/relay-trust.ts";
import { RoomChecks } from "./store/room-checks.ts";
import { type LockNews, RoomPolicies } from "./store/room-policies.ts";
import { Rulesets, type RulesNews } from "./store/rulesets.ts";
import { Settings } from "./store/settings.ts";
import { Suspicions } from "./store/suspicions.ts";
import { Tokens } from "./store/tokens.ts";
import { Turns } from "./store/turns.ts";
import { WebhookDeliveries } from "./store/webhook-deliveries.ts";
import { Webhooks } from "./store/webhooks.ts";

type News = PlacementNews &
  HistoryNews &
  RecordingNews &
  DialNews &
  RulesNews &
  SplitNews &
  LockNews &
  SpeechNews;

interface Listener {
  /** Told of each new row of the ledger in the turn in which it is written. */
  written(row: Placement): void;
  /** Told, in the turn in which a row of it is planned or moves, in which rooms that may change who has a seat. */
  moved(rooms: readonly string[]): void;
  /** Told what the tables tell of their changes. */
  news: News;
  /** Told when something was counted that is not written down yet. */
  counted(): void;
}

/**
 * Repositories — the tables of a session, each with one owner that reads and writes it, in storage that has been migrated. Used by the
 * session to build its parts.
 */
export class Repositories {
  readonly disk: Disk;
  readonly settings: Settings;
  /** Whether RELAY can be relied on to place this project's calls. */
  readonly circuitBreaker: CircuitBreaker;
  /** Whether SignalWire tells of it when a call that RELAY joined has left its room. */
  readonly leaving: CircuitBreaker;
  readonly observations: Observations;
  readonly suspicions: Suspicions;
  readonly counters: Counters;
  readonly eventLog: EventLog;
  readonly history: History;
  readonly rulesets: Rulesets;
  readonly pendingCommands: PendingCommands;
  readonly placements: Placements;
  readonly checks: RoomChecks;
  readonly heldSeats: HeldSeats;
  readonly occupancy: Occupancy;
  readonly members: ConferenceMembers;
  readonly speech: Speech;
  readonly recorded: RecordedRooms;
  readonly joins: Joins;
  readonly trust: RelayTrust;
  readonly namings: Namings;
  readonly callFlows: CallFlows;
  readonly dials: Dials;
  readonly turns = new Turns();
  readonly recordings: Recordings;
  readonly recordingCopies: RecordingCopies;
  readonly fullRooms: FullRooms;
  readonly news: News;
  readonly feedLog: FeedLog;
  readonly feedTickets: FeedTickets;
  readonly webhooks: Webhooks;
  readonly deliveries: WebhookDeliveries;
  readonly controls: ControlLog;
  readonly policies: RoomPolicies;
  readonly tokens: Tokens;
  readonly audit: Audit;

  /**
   * @param credentials_key seals what of it is secret.
   * @param limit_bytes what the storage holds at most, where that is not Cloudflare's limit.
   */
  constructor(
    sql: SqlStorage,
    now: () => number,
    credentials_key: string | undefined,
    { written, moved, news, counted }: Listener,
    limit_bytes?: number,
  ) {
    this.disk = new Disk(sql, now, limit_bytes);
    this.settings = new Settings(this.disk, credentials_key);
    this.circuitBreaker = new CircuitBreaker(this.settings);
    this.leaving = new CircuitBreaker(this.settings, "leaving");
    this.observations = new Observations(this.disk, now);
    this.suspicions = new Suspicions(this.settings, now);
    this.counters = new Counters(this.disk, counted);
    this.eventLog = new EventLog(this.disk, this.counters, now);
    this.history = new History(this.disk, now, news);
    this.rulesets = new Rulesets(this.disk, now, news);
    this.pendingCommands = new PendingCommands(this.disk, now);
    this.placements = new Placements(this.disk, now, credentials_key, written, moved, news);
    this.checks = new RoomChecks(this.disk, now);
    this.heldSeats = new HeldSeats(this.disk, now);
    this.occupancy = new Occupancy(
      sql,
      this.placements,
      (room) => this.checks.strangersIn(room),
      this.heldSeats,
      now,
    );
    this.members = new ConferenceMembers(this.occupancy, this.observations);
    this.speech = new Speech(this.placements, news);
    this.recordingCopies = new RecordingCopies(this.disk, now);
    this.recordings = new Recordings(this.disk, now, news, this.recordingCopies);
    this.recorded = new RecordedRooms(this.disk, this.occupancy, this.recordings, now);
    this.joins = new Joins(this.placements, this.occupancy, this.recorded, this.counters);
    this.trust = new RelayTrust(this.placements, this.circuitBreaker, this.leaving, this.observations);
    this.namings = new Namings(this.disk, this.occupancy, now);
    this.callFlows = new CallFlows(this.disk, now);
    this.dials = new Dials(this.disk, now, news);
    this.fullRooms = new FullRooms(this);
    this.news = news;
    this.feedLog = new FeedLog(this.disk, now);
    this.feedTickets = new FeedTickets(this.disk, now);
    this.webhooks = new Webhooks(this.disk);
    this.deliveries = new WebhookDeliveries(this.disk, now);
    this.controls = new ControlLog(this.disk);
    this.policies = new RoomPolicies(this.disk, (room) => this.occupancy.taken(room) > 0, now, news);
    this.tokens = new Tokens(this.disk, now);
    this.audit = new Audit(this.disk, now);
  }
}
