import { DurableObject } from "cloudflare:workers";
import type { Breaker } from "../../shared/breaker.ts";
import { type ForwardTo, isWanted } from "../../shared/callbacks.ts";
import { EARLY_LEAVE_MS, isLive } from "../../shared/placement.ts";
import type { RelayEvent } from "../../shared/relay/events.ts";
import type { Outcome } from "../../shared/relay/outcome.ts";
import { describeError, log } from "../log.ts";
import { Archive } from "./archive.ts";
import { ConferenceEvents } from "./conference-events.ts";
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
import { isBeingPutBack, runErrands } from "./errand-runner.ts";
import { Errands } from "./errands.ts";
import { Facts } from "./facts.ts";
import { Health } from "./health.ts";
import { Journal } from "./journal.ts";
import type { WebhookNote } from "./journal-contract.ts";
import { Link, type LinkStatus } from "./link.ts";
import { look } from "./looking.ts";
import { type Placement, Placements } from "./placements.ts";
import { giveUpWaiting, joinCommandId, joinIsSending, placeByRelay, replyOf } from "./placing.ts";
import { Rulesets } from "./rulesets.ts";
import { migrate } from "./schema.ts";

/** While there is work the alarm comes this often and brings a lost session back. */
const HEARTBEAT_MS = 30_000;
/** An errand that is due is being done: the alarm for it comes no sooner than this, lest alarm follow alarm. */
const BACKSTOP_MS = 1_000;
/** While RELAY is down the alarm comes this often, for its events can't be seen. */
const DOWN_CHECK_MS = 6_000;
/** A call that was not seen in its room so long after its deadline is looked for. */
const UNCONFIRMED_MS = 10_000;
/** A placement that nothing was heard of for this long holds the session up no more: no call is longer. */
const LONGEST_CALL_MS = 24 * 3_600_000;
const FORGET_BATCH = 1_000;

/** How a project's session is; for operators. Counters run since the session was first made. */
export interface SessionStatus extends LinkStatus {
  counters: Record<string, number>;
  breaker: Breaker;
  /** Calls that are, or may be, in a room. */
  live_placements: number;
}

/** One per project: keeps its RELAY session, and the ledger of who was put where. */
export class RelaySession extends DurableObject<Env> {
  readonly #journal: Journal;
  readonly #rulesets: Rulesets;
  readonly #archive: Archive;
  readonly #placements: Placements;
  readonly #errands: Errands;
  readonly #events: ConferenceEvents;
  readonly #facts: Facts;
  readonly #health: Health;
  readonly #counters: Counters;
  /** Placements under way: the same webhook at the same instant waits for the same answer. */
  readonly #placing = new Map<string, Promise<PlaceReply>>();
  /** Webhooks of placements that have no row yet; written down with it. */
  readonly #notes = new Map<string, WebhookNote>();
  /** Placements that wait for their participant-join. */
  readonly #awaited = new Map<string, () => void>();
  readonly #link: Link;
  #lastWorkAt = Date.now();
  #alarmAt: number | null = null;
  #errandTimer: { due: number; id: ReturnType<typeof setTimeout> } | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    migrate(ctx.storage);
    const { sql } = ctx.storage;
    this.#journal = new Journal(sql, Date.now);
    this.#rulesets = new Rulesets(sql, Date.now);
    this.#placements = new Placements(sql, Date.now, (row) => this.#journalPlaced(row));
    this.#archive = new Archive(sql, this.#journal, this.#placements, this.#rulesets, ({ project_id }) => {
      this.#facts.set("project_id", project_id);
      this.#arm(HEARTBEAT_MS);
    });
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
    this.#link = new Link(env, this.#facts, this.#counters, {
      sending: (command) => joinIsSending(this.#placements, command),
      record: (event) => this.#events.record(event, "relay"),
      acted: (event, isNew) => this.#act(event, isNew),
      gapEnded: () => this.#verifyWhereabouts(),
      gapBegan: () => this.#arm(DOWN_CHECK_MS),
    });
  }

  /** Puts a call into a room, once; a repeat gets what the first got. Answers by the deadline, whatever happens. */
  async place(request: PlaceRequest): Promise<PlaceReply> {
    if (request.v !== CONTRACT_VERSION)
      return byDocumentReply(request, `the session does not know contract ${request.v}`);
    this.#lastWorkAt = Date.now();
    const id = joinCommandId(request);
    const underWay = this.#placing.get(id);
    if (underWay) {
      this.#journalRepeat(request);
      return await underWay;
    }
    const row = this.#placements.find(request);
    if (row) {
      this.#journalRepeat(request);
      giveUpWaiting(this.#placements, row, Date.now());
      return replyOf(row);
    }
    const placing = this.#place(request).finally(() => {
      this.#placing.delete(id);
      this.#awaited.delete(id);
      this.#notes.delete(id);
    });
    if (request.note) this.#notes.set(id, request.note);
    this.#placing.set(id, placing);
    return await placing;
  }

  /** Where a call is that came back from a hold or a ring. */
  async look(request: LookRequest): Promise<LookReply> {
    if (request.v !== CONTRACT_VERSION) {
      return { v: 1, outcome: "unsettled", reason: `the session does not know contract ${request.v}` };
    }
    this.#lastWorkAt = Date.now();
    const reply = look(
      {
        placements: this.#placements,
        health: this.#health,
        feed_since: this.#link.readySince,
        now: Date.now(),
      },
      request,
    );
    if (reply.outcome === "joined") this.#watchStay(request);
    this.#journalLook(request, reply);
    return reply;
  }

  /** What is remembered of calls, and the versions of rulesets. */
  archive(): Archive {
    return this.#archive;
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
    // What was refused or out of reach a while ago may be right by now: a person asks, so it is tried at once.
    if (!this.#link.isReady(version)) await this.#link.reconnect(version);
    await this.#link.settled(Date.now() + Math.min(wait_ms, 10_000));
    return this.status();
  }

  /** A fresh connection, at once. Calls outlive it. */
  async reconnect(project_id: string, version: string): Promise<SessionStatus> {
    this.#facts.set("project_id", project_id);
    this.#arm(HEARTBEAT_MS);
    await this.#link.reconnect(version);
    return this.status();
  }

  /** How the session is. Connects nothing. */
  status(): SessionStatus {
    return {
      ...this.#link.status(),
      counters: this.#counters.all(),
      breaker: this.#health.breaker,
      live_placements: this.#placements.countLive(LONGEST_CALL_MS),
    };
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const { keep_ms } = this.#link;
    const forgotten =
      this.#placements.forget(keep_ms, FORGET_BATCH) +
      this.#events.forget(keep_ms, FORGET_BATCH) +
      this.#journal.forget(keep_ms, FORGET_BATCH) +
      this.#rulesets.forget(keep_ms);
    this.#verifyWhereabouts();
    if (this.#hasWork()) {
      try {
        await this.#link.connection(null);
      } catch (error) {
        log("error", "session.unreachable", { error: describeError(error) });
      }
      this.#arm(this.#link.ready ? HEARTBEAT_MS : DOWN_CHECK_MS);
    } else if (this.#link.isOpen) {
      if (Date.now() - this.#lastWorkAt >= this.#link.idle_disconnect_ms) this.#link.close();
      this.#arm(HEARTBEAT_MS);
    } else if (forgotten > 0) {
      this.#arm(HEARTBEAT_MS);
    } else {
      const oldest = this.#journal.oldest();
      if (oldest !== null) this.#arm(Math.max(HEARTBEAT_MS, oldest + keep_ms - Date.now()));
    }
    // Not awaited: while an alarm runs the next one waits, and a try may take its time. A lost try is leased out again.
    void this.#doErrands();
  }

  async #place(request: PlaceRequest): Promise<PlaceReply> {
    const others = this.#placements.ofCall(request.call_id);
    this.#facts.set("project_id", request.project_id);
    this.#arm(HEARTBEAT_MS);
    this.#link.follow(request.project_version);
    let { join_via } = request;
    for (const other of others) {
      if (!isLive(other.state)) continue;
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
        connection: () => this.#link.connection(request.project_version),
        avoidRelay: () => this.#avoidRelay(),
        joinSeen: (key) => new Promise((resolve) => this.#awaited.set(joinCommandId(key), resolve)),
        commandEnded: (outcome) => this.#commandEnded(outcome),
      },
      { ...request, join_via },
    );
    const row = this.#placements.find(request);
    if (row && (reply.outcome === "accepted" || reply.outcome === "unknown")) {
      if (request.max_duration_s !== undefined) {
        this.#errands.add("expire", row, row.node_id, row.created_at + request.max_duration_s * 1000);
        this.#startErrands();
      }
    }
    return reply;
  }

  /** In the turn in which the placement's row is written. */
  #journalPlaced(row: Placement): void {
    const note = this.#notes.get(joinCommandId(row));
    if (note) this.#journal.webhook(row, note);
    this.#rulesets.used(row.tenant, row.ruleset);
  }

  #journalRepeat({ note, ...request }: PlaceRequest): void {
    if (note) this.#journal.webhook(request, { ...note, repeat: true });
  }

  #journalLook(request: LookRequest, reply: LookReply): void {
    const row = this.#placements.find(request);
    if (!row || !request.note || reply.outcome === "unsettled") return;
    const { outcome, room, reason } = reply;
    const { rule, ruleset } = row;
    const ms = Math.max(0, Date.now() - request.note.received_at);
    this.#journal.webhook(row, { ...request.note, outcome, rule, ruleset, room, reason, ms });
  }

  #avoidRelay(): string | null {
    const why = this.#link.whyNot(Date.now());
    if (why !== null) return why;
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

  #act(event: RelayEvent, isNew: boolean): void {
    this.#counters.add(isNew ? "events" : "duplicate_events");
    if (!isNew) return;
    this.#lastWorkAt = Date.now();
    this.#events.apply(event);
    this.#startErrands();
  }

  #forwardTo({ kind, event }: ConferenceEventRequest): ForwardTo[] {
    const { call_id, name, status } = event.params as Record<string, unknown>;
    const ofCall = typeof call_id === "string" ? this.#placements.ofCall(call_id)[0] : undefined;
    const forwarding =
      ofCall?.forwarding ?? (typeof name === "string" ? this.#placements.forwardingOfRoom(name) : null);
    const to = forwarding?.[kind];
    return to && typeof status === "string" && isWanted(to, status) ? [to] : [];
  }

  /** REST does not find the call in its room, and no event said why. */
  #leftUnseen(row: Placement): void {
    this.#counters.add("repaired_leaves");
    log("info", "ledger.repaired", { call: row.call_id, room: row.room, was: row.state });
    if (row.state !== "joined") {
      // Never seen there, and never came back: the caller hung up, most likely. If not, nothing else would end the call.
      if (
        this.#placements.move(row, "left", { reason: "REST: not in its room" }) &&
        row.joined_by === "relay"
      ) {
        this.#errands.add("end", row, row.node_id);
      }
      return;
    }
    const { room: name, conference_id } = row;
    this.#events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
  }

  /** Events are not replayed: after a gap, and while it lasts, REST is asked about whomever one may have passed by. */
  #verifyWhereabouts(): void {
    for (const row of this.#placements.inDoubt(Date.now() - UNCONFIRMED_MS, this.#link.readySince)) {
      if (!isBeingPutBack(row)) this.#errands.add("verify", row, row.node_id);
    }
    this.#startErrands();
  }

  /** What was added now is done now, or by a timer when it is due; the alarm stands behind that, should we vanish. */
  #startErrands(): void {
    if (this.#errands.wereAdded()) void this.#doErrands();
  }

  async #doErrands(): Promise<void> {
    await runErrands({
      errands: this.#errands,
      placements: this.#placements,
      health: this.#health,
      found: (row) => {
        if (row.state !== "joined") {
          this.#counters.add("repaired_joins");
          this.#placements.move(row, "joined", {
            joined_by: row.joined_by ?? "relay",
            reason: "REST found the call",
          });
        }
        this.#placements.update(row, { verified_at: Date.now() });
      },
      left: (row) => this.#leftUnseen(row),
      told: (row, deed, by, said) => this.#journal.deed(row, { deed, by, said }),
      now: Date.now,
      connection: () => this.#link.ready,
      project: () => this.#link.project(),
    });
    this.#scheduleErrands();
  }

  #scheduleErrands(): void {
    const due = this.#errands.nextDue();
    if (due === null) return;
    this.#arm(Math.max(BACKSTOP_MS, due - Date.now()));
    if (this.#errandTimer && this.#errandTimer.due <= due) return;
    if (this.#errandTimer) clearTimeout(this.#errandTimer.id);
    const id = setTimeout(
      () => {
        this.#errandTimer = null;
        void this.#doErrands();
      },
      Math.max(0, due - Date.now()),
    );
    this.#errandTimer = { due, id };
  }

  #hasWork(): boolean {
    return (
      this.#errands.nextDue() !== null ||
      this.#placements.countLive(LONGEST_CALL_MS) > 0 ||
      this.#link.staysUp
    );
  }

  /** Sees to it that the alarm comes within `in_ms`; an earlier one stands. */
  #arm(in_ms: number): void {
    const at = Date.now() + in_ms;
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    void this.ctx.storage.setAlarm(at);
  }
}

function byDocumentReply(request: PlaceRequest, reason: string): PlaceReply {
  return { v: 1, outcome: "document", room: request.rooms[0], join: request.join, counted: false, reason };
}
