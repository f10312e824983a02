import { entryAfter } from "../../../shared/entry.ts";
import { callerForm } from "../../../shared/observed-questions.ts";
import { EARLY_LEAVE_MS, isByDocument, isLive } from "../../../shared/placement.ts";
import type { Outcome } from "../../../shared/relay/outcome.ts";
import type { Wait } from "../../../shared/rules/decision.ts";
import { describeError, log } from "../../log.ts";
import { findInRooms } from "../../rest-conferences.ts";
import type { Dispatcher } from "../commands/dispatcher.ts";
import type { WebhookNote } from "../contract/history.ts";
import type {
  DocumentSaid,
  LookReply,
  LookRequest,
  PlacementKey,
  PlaceReply,
  PlaceRequest,
} from "../contract/placement.ts";
import type { Joins } from "../events/confirm-join.ts";
import type { DroppedCallers } from "../events/dropped-callers.ts";
import type { ParticipantChanges } from "../events/participant-changes.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import { wouldHaveSeen } from "../reconcile/absence.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import { liveNames } from "../seats/choose-room.ts";
import type { ConferenceMembers } from "../seats/conference-members.ts";
import { atTheDoor } from "../seats/door.ts";
import type { FullRooms } from "../seats/full-rooms.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Counters } from "../store/counters.ts";
import type { Dials } from "../store/dials.ts";
import { type Disk, isFull } from "../store/disk.ts";
import type { History } from "../store/history.ts";
import type { Observations } from "../store/observations.ts";
import { joinCommandId, replyOf } from "../store/place-reply.ts";
import { type InLine, type Placement, readTransitions } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RelayTrust } from "../store/relay-trust.ts";
import type { RoomChecks } from "../store/room-checks.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import type { Rulesets } from "../store/rulesets.ts";
import type { HeldJoins } from "./held-joins.ts";
import { locateCall } from "./locate-call.ts";
import { byDocumentReply, giveUpWaiting, heldSince, placeByRelay } from "./place-by-relay.ts";

interface PlacementServiceHost {
  disk: Disk;
  placements: Placements;
  occupancy: Occupancy;
  checks: RoomChecks;
  pendingCommands: PendingCommands;
  dispatcher: Dispatcher;
  circuitBreaker: CircuitBreaker;
  leaving: CircuitBreaker;
  observations: Observations;
  fullRooms: FullRooms;
  counters: Counters;
  history: History;
  rulesets: Rulesets;
  relayManager: RelayManager;
  queue: WaitingQueue;
  held: HeldJoins;
  heldSeats: HeldSeats;
  joins: Joins;
  trust: RelayTrust;
  members: ConferenceMembers;
  policies: RoomPolicies;
  dials: Pick<Dials, "byCall">;
  participants: Pick<ParticipantChanges, "isProved" | "joinsWereToldSince" | "stays">;
  dropped: Pick<DroppedCallers, "removed">;
  /** It has work sooner than it said before. */
  rescheduled(): void;
}

const REST_MS = 4_000;
/** Why a call waits again: its history says how often. */
const REFUSED = "its document's join failed";

/**
 * PlacementService — places calls, each once: a repeat, at the same instant or later, gets what the first got. It answers by the
 * deadline. Used by webhooks, by calls on RELAY contexts, and for calls that come back.
 */
export class PlacementService {
  readonly #host: PlacementServiceHost;
  /** Placements under way: the same webhook at the same instant waits for the same answer. */
  readonly #placing = new Map<string, Promise<PlaceReply>>();
  /** Webhooks of placements that have no row yet; written down with it. */
  readonly #notes = new Map<string, WebhookNote>();
  /** Placements that wait for their participant-join. */
  readonly #awaited = new Map<string, () => void>();
  /** Joins by RELAY that may still turn out to be too short to count, oldest first. */
  readonly #joined: { key: PlacementKey; stays_at: number }[] = [];
  /** REST is being asked whether a join was one. */
  #isProving = false;

  constructor(host: PlacementServiceHost) {
    this.#host = host;
  }

  /** Answers by the deadline, whatever happens. */
  async place(request: PlaceRequest): Promise<PlaceReply> {
    const asked = this.#entered(request);
    const entered = { ...asked, rooms: liveNames(this.#host.occupancy, asked) };
    const { entry } = entered;
    const reply = { ...(await this.#answer(entered)), ...(entry === request.entry ? {} : { entry }) };
    // A seat that is wanted may be held by somebody who has gone, and nobody said so.
    if (reply.outcome === "full" || reply.waiting?.for === "seat")
      this.#host.dispatcher.doubtSeats(entered.rooms);
    return reply;
  }

  /** The request under the entry that is the call's by now: one that was over when the call arrived gave way to the next. */
  #entered(request: PlaceRequest): PlaceRequest {
    const { placements } = this.#host;
    let { entry } = request;
    for (
      let row = placements.findCurrent(request);
      row;
      row = placements.findCurrent({ ...request, entry })
    ) {
      const next = entryAfter(entry);
      const gaveWay = !isLive(row.state) && placements.findCurrent({ ...request, entry: next }) !== null;
      if (request.arrived_at === undefined ? !gaveWay : !isNewEntry(row, request, request.arrived_at)) break;
      entry = next;
    }
    if (entry === request.entry) return request;
    return { ...request, entry, ...(request.note ? { note: { ...request.note, entry } } : {}) };
  }

  async #answer(request: PlaceRequest): Promise<PlaceReply> {
    const { placements, queue } = this.#host;
    const id = joinCommandId(request);
    const row = placements.findCurrent(request);
    // One tenant has handed the call on to another, who is to learn nothing of the one's rooms.
    if (row && row.tenant !== request.tenant)
      return byDocumentReply(request, "another tenant placed the call");
    const underWay = this.#placing.get(id);
    if (underWay) {
      this.#recordRepeat(request);
      return await underWay;
    }
    if (row && request.segment_id !== undefined && request.segment_id !== row.segment_id)
      placements.update(row, { segment_id: request.segment_id });
    if (row?.wait) {
      if (request.polled) this.#asked(row, row.wait);
      const reply = withAsked(queue.poll(row, request.fetched === true), row.wait);
      // It asks again and again while it waits: only what ends that is worth writing down.
      if (reply.outcome !== "waiting") this.#recordRepeat(request);
      return reply;
    }
    if (row) {
      this.#recordRepeat(request);
      giveUpWaiting(placements, row, heldSince(request, Date.now()));
      const reply = replyOf(row);
      this.#limit(row, request, reply);
      // Nobody heard that it had a seat, and it was told to wait: its join came to nothing, and yet it is there.
      const isLost = reply.outcome === "over" && row.joined_ts === null;
      if (!isLost || !request.wait || !queue.stand(row, request, request.wait)) return reply;
      return queue.poll(row, false);
    }
    // Before its row is written, which may be at once.
    if (request.note) this.#notes.set(id, request.note);
    const placing = this.#placeOrNot(request).finally(() => {
      this.#placing.delete(id);
      this.#awaited.delete(id);
      this.#notes.delete(id);
    });
    this.#placing.set(id, placing);
    return await placing;
  }

  /** A waiting document has asked. What it played before the first time was one piece of music. */
  #asked(row: Placement, wait: InLine): void {
    const { asked = 0 } = wait;
    const music_ms = wait.music_ms ?? Math.max(1, Date.now() - (row.seen_at ?? row.created_at));
    this.#host.placements.update(row, { wait: { ...wait, asked: asked + 1, music_ms } });
  }

  /** A participant-join confirms the placement. */
  joined(key: PlacementKey): void {
    this.#awaited.get(joinCommandId(key))?.();
    if (this.#host.placements.find(key)?.joined_by !== "relay") return;
    this.#joined.push({ key, stays_at: Date.now() + EARLY_LEAVE_MS });
    if (this.#joined.length === 1) this.#host.rescheduled();
  }

  nextWakeAt(): number | null {
    return this.#joined[0]?.stays_at ?? null;
  }

  run(now: number): void {
    for (let [first] = this.#joined; first && first.stays_at <= now; [first] = this.#joined) {
      this.#joined.shift();
      this.#stayed(first.key);
    }
  }

  /** In the turn in which the placement's row is written. */
  written(row: Placement): void {
    const note = this.#notes.get(joinCommandId(row));
    if (note) this.#host.history.webhook(row, note);
    this.#host.rulesets.used(row.tenant, row.placing.ruleset);
  }

  /** Where a call is that came back from a hold or a ring. */
  look(request: LookRequest): LookReply {
    const { relayManager, placements, joins, trust, circuitBreaker, observations, fullRooms, held, members } =
      this.#host;
    const row = placements.findCurrent(request);
    const known = row && held.gotNoAnswer(row) ? { rest: { said: "failed" } as const, ...request } : request;
    const seen = (row: Placement) => wouldHaveSeen(row, relayManager, observations, Date.now());
    const ledger = { placements, joins, trust, circuitBreaker, observations, fullRooms, members };
    const line = {
      refused: (row: Placement, said: DocumentSaid) => this.#refused(row, said),
      removed: (row: Placement) => this.#host.dropped.removed(row),
      stays: (row: Placement) => this.#host.participants.stays(row),
      backToQueue: (row: Placement) => this.#backToQueue(row),
      joinsWereToldSince: (tenant: string, at: number) =>
        this.#host.participants.joinsWereToldSince(tenant, at),
    };
    const looked = locateCall({ ...ledger, ...line, wouldHaveSeen: seen, now: Date.now() }, known);
    const keepsSeat = looked.outcome === "document" && this.#host.heldSeats.isPromised(request);
    const reply: LookReply = keepsSeat ? { ...looked, keeps_seat: true } : looked;
    this.#looked(request, reply);
    return reply;
  }

  /**
   * The room holds callers that were not counted: it is full until REST was asked. An empty room's refusal may have other reasons, as
   * may a join that was not answered; if it comes again, no caller is sent there for a minute.
   */
  #refused(row: Placement, said: DocumentSaid): void {
    const { occupancy, checks, dispatcher } = this.#host;
    const others = occupancy.taken(row.room) - (occupancy.holdsSeat(row) ? 1 : 0);
    if ((said === "failed" && others > 0) || wasRefused(row))
      checks.refused(row.room, Math.max(0, (row.placing.capacity ?? 0) - others));
    dispatcher.doubtSeats([row.room]);
  }

  /** A newcomer has no place in the line yet: where its join came to nothing, it gets one when it is placed again. */
  #backToQueue(row: Placement): boolean {
    const { queue, placements } = this.#host;
    if (queue.takeBack(row, REFUSED)) return true;
    if (row.wait !== null || row.joined_ts !== null || !isByDocument(row.state)) return false;
    return placements.move(row, "left", { reason: REFUSED });
  }

  /** A join that outlives the start of the document after it is a success; one that does not is told of by its leave. */
  #stayed(key: PlacementKey): void {
    const { placements, circuitBreaker, participants } = this.#host;
    const row = placements.find(key);
    if (row?.state !== "joined" || row.joined_by !== "relay") return;
    const isProved = participants.isProved(row);
    circuitBreaker.succeeded(Date.now(), row.tenant, isProved);
    if (!isProved && circuitBreaker.breaker.failures > 0) void this.#prove(row);
  }

  /** Where nothing but unsigned callbacks tells of joins, REST is asked, or failures would add up for ever. */
  async #prove(row: Placement): Promise<void> {
    if (this.#isProving) return;
    this.#isProving = true;
    try {
      const found = await this.#host.relayManager.rest("question", REST_MS, (project, signal) =>
        findInRooms(project, [row.room], row.call_id, signal),
      );
      if (found !== null) this.#host.circuitBreaker.succeeded(Date.now(), row.tenant, true);
    } catch (error) {
      log("info", "join.not_proved", { call: row.call_id, error: describeError(error) });
    } finally {
      this.#isProving = false;
    }
  }

  /** The webhook of a look that was answered for good. */
  #looked(request: LookRequest, reply: LookReply): void {
    const row = this.#host.placements.find(request);
    if (!row || !request.note || reply.outcome === "unsettled") return;
    const { outcome, room, reason } = reply;
    const { rule, ruleset } = row.placing;
    const ms = Math.max(0, Date.now() - request.note.received_at);
    this.#host.history.webhook(row, { ...request.note, outcome, rule, ruleset, room, reason, ms });
  }

  /** The call is answered by its document where there is no room to write anything down for it. */
  async #placeOrNot(request: PlaceRequest): Promise<PlaceReply> {
    try {
      return await this.#place(request);
    } catch (error) {
      if (!isFull(error)) throw error;
      return byDocumentReply(request, "the storage is full");
    }
  }

  async #place(request: PlaceRequest): Promise<PlaceReply> {
    const {
      placements,
      occupancy,
      pendingCommands,
      relayManager,
      queue,
      heldSeats,
      held,
      observations,
      fullRooms,
    } = this.#host;
    observations.saw("caller_forms", callerForm(request.from_before ?? request.from));
    const others = placements.currentOf(request.call_id);
    relayManager.follow(request.project_version);
    let { join_via } = request;
    for (const other of others) {
      // It lives, wherever it was before: that it left was no drop.
      this.#host.dropped.removed(other);
      if (!isLive(other.state)) continue;
      // The call came anew while it was in a room: its new document takes it out, and no second RELAY join is made.
      if (other.state !== "waiting") join_via = "document";
      for (const kind of ["expire", "overdue"] as const) pendingCommands.drop(kind, other);
      const wasThere = other.state !== "planned" && other.state !== "waiting";
      placements.move(other, wasThere ? "left" : "failed", { reason: "the call came anew" });
    }
    const room = heldSeats.take(request.call_id);
    // A caller who has a seat already stands in no queue.
    const arrived = room === null ? this.#arrive(request) : { request, rooms: [room] as [string] };
    if ("reply" in arrived) return arrived.reply;
    const { request: admitted } = arrived;
    heldSeats.promise(admitted);
    if ("row" in arrived) {
      const reply = withAsked(queue.standing(arrived.row), arrived.row.wait);
      return arrived.wait === undefined ? reply : { ...reply, wait: JSON.stringify(arrived.wait) };
    }
    const reply = await placeByRelay(
      {
        placements,
        occupancy,
        now: Date.now,
        connection: () => relayManager.connection(request.project_version),
        protocol: () => relayManager.protocol,
        avoidRelay: () => this.#avoidRelay(request.tenant),
        joinSeen: (key) => new Promise((resolve) => this.#awaited.set(joinCommandId(key), resolve)),
        commandEnded: (outcome) => this.#commandEnded(outcome, request.tenant),
        observations,
        fullRooms,
      },
      { ...admitted, join_via, rooms: arrived.rooms },
    );
    const row = placements.find(request);
    if (row) {
      this.#limit(row, request, reply);
      held.watch(row);
    }
    return reply;
  }

  /** A newcomer: into the rooms that it may enter, into their queue, or not in at all. */
  #arrive(
    came: PlaceRequest,
  ):
    | { reply: PlaceReply }
    | { request: PlaceRequest; rooms: PlaceRequest["rooms"] }
    | { request: PlaceRequest; row: Placement; wait?: Wait } {
    const { placements, queue, policies, dials } = this.#host;
    const at = atTheDoor(policies, dials, came);
    if (at.door === "closed") {
      const row = placements.plan(came, came.rooms[0], at.reason, "failed", "declined");
      return { reply: { ...replyOf(row), ...(at.say === undefined ? {} : { say: { say: at.say } }) } };
    }
    const { request } = at;
    const arrived = queue.arrive(request);
    if (!("row" in arrived)) return { request, rooms: arrived.rooms };
    return { request, row: arrived.row, ...(at.door === "lobby" ? { wait: at.wait } : {}) };
  }

  /** A document that joins says itself how long. Where the session was lost before this, it is done when the call is placed again. */
  #limit(row: Placement, { max_duration_s }: PlaceRequest, { outcome }: PlaceReply): void {
    if (max_duration_s === undefined || (outcome !== "accepted" && outcome !== "unknown")) return;
    this.#host.pendingCommands.add("expire", row, row.node_id, row.created_at + max_duration_s * 1000);
    this.#host.dispatcher.start();
  }

  #avoidRelay(tenant: string): string | null {
    // Nothing is sent for a call whose row can't be written.
    if (this.#host.disk.isFull) return "the storage is full";
    const why = this.#host.relayManager.whyNot(Date.now());
    if (why !== null) return why;
    // Last, for asking may make this call the one that tries again.
    if (!this.#host.circuitBreaker.mayTry(Date.now(), tenant)) return "the breaker is open";
    return this.#host.leaving.mayTry(Date.now(), tenant) ? null : "no evidence of leaving";
  }

  #commandEnded(outcome: Outcome, tenant: string): void {
    this.#host.counters.add(`command_${outcome.kind}`);
    if (outcome.kind === "conflict") this.#host.circuitBreaker.failed("409", Date.now(), tenant);
  }

  #recordRepeat({ note, ...request }: PlaceRequest): void {
    if (note) this.#host.history.webhook(request, { ...note, repeat: true });
  }
}

function wasRefused({ trail }: Placement): boolean {
  return readTransitions(trail).some(({ why }) => why === REFUSED);
}

function withAsked(reply: PlaceReply, wait: InLine | null): PlaceReply {
  if (!reply.waiting || !wait) return reply;
  const { asked = 0, music_ms } = wait;
  return { ...reply, waiting: { ...reply.waiting, asked, ...(music_ms === undefined ? {} : { music_ms }) } };
}

/** SignalWire waits no longer for a webhook's answer: what comes later after the first is no repeat of it. */
const REPEAT_MS = 5_000;

/**
 * Whether a call that arrives just as it did for `row` is there anew, as after a `hand_over` that leads back to us, and does not repeat
 * the webhook of then.
 * @param request as it came, under the entry that its webhook tells.
 */
export function isNewEntry(
  row: Pick<Placement, "tenant" | "created_at" | "state" | "joined_by" | "joined_ts" | "entry">,
  { tenant, entry, answered }: Pick<PlaceRequest, "tenant" | "entry" | "answered">,
  arrived_at: number,
): boolean {
  if (row.tenant !== tenant || arrived_at <= row.created_at) return false;
  const isLater = arrived_at - row.created_at > REPEAT_MS;
  // A document that joined asks for another when it is done with the room, whether or not somebody told us of the leave.
  if (isLive(row.state)) return isLater && row.joined_by === "document" && row.joined_ts !== null;
  // A call's first webhook comes before it is answered, and so do its repeats.
  return isLater || (row.state === "left" && row.entry === entry && answered);
}
