import {
  applyEvent,
  isByDocument,
  isLive,
  type MembershipEvent,
  mayMove,
} from "../../../shared/placement.ts";
import { inTime, type RelayEvent } from "../../../shared/relay/events.ts";
import { describeError, log } from "../../log.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { ConferenceMembers } from "../seats/conference-members.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { PendingCommands } from "../store/commands.ts";
import { type ConferenceEnd, ConferenceEnds } from "../store/conference-ends.ts";
import type { Counters } from "../store/counters.ts";
import type { Disk } from "../store/disk.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { Feed } from "../store/event-log.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Recordings } from "../store/recordings.ts";
import { callLives } from "../store/relay-doubt.ts";
import type { RoomChecks } from "../store/room-checks.ts";
import { kindOf } from "../store/suspicions.ts";
import { AT_ONCE, Backlog, type Job } from "./backlog.ts";
import { confirmJoin, seen, sidsAreIds } from "./confirm-join.ts";
import { noteFlags } from "./participant-flags.ts";

/** Two conferences under one name. */
export interface SplitRoom {
  room: string;
  conference_ids: string[];
  /** When it was seen last, ms. */
  at: number;
}

/** A call that an older version put on a hold comes back by itself within this. */
const OVERDUE_MS = 5_000;
/** The events of one conference's end come within this of one another. */
const SETTLING_MS = 500;

/** A drop is told from a removal by our own end of the call, sent so long after the leave: by then a call that was hung up is over. */
const ASKED_AFTER_MS = 1_000;
/** Without an answer to it for so long, it was a drop. */
const ANSWERED_WITHIN_MS = 5_000;

/** A call is put back so often without being asked to; what an operator or the queue does is not counted. */
const MOST_REJOINS = 2;

/** A call that died is known to have left its room by then, and its caller may be back before. */
const DEAD_MS = 120_000;

/** Events after which a room may hold another number than before; the others repeat it. */
const SIZED = new Set(["participant-join", "participant-leave", "conference-start", "conference-end"]);

/** Only somebody who is in a conference is muted, held or heard there. */
const ALIVE_THERE = new Set([
  "participant-mute",
  "participant-unmute",
  "participant-hold",
  "participant-unhold",
  "participant-modify",
  "participant-speech-start",
  "participant-speech-stop",
]);

/** States of a call that may have been in its room though nothing told of it. */
const MAYBE_THERE: ReadonlySet<Placement["state"]> = new Set([
  "sending",
  "accepted",
  "unknown",
  "by_document",
  "offered",
  "returning",
]);

/** Conferences of which it is remembered that they have ended. */
const CONFERENCES = 2_000;
/** What REST gave no answer to is done within this, or not at all. */
const LATE_MS = 60_000;
/** Calls of which it is remembered that a document may start late. */
const LATE = 5_000;
/** Names with two conferences that are remembered. */
const SPLIT_ROOMS = 20;

/** How an event was told. */
export interface Told {
  feed?: Feed;
  /** Whether its `conference_id` is RELAY's. A form's is where the project has shown it: by another, calls that came by another way could not be told apart. */
  ids_known?: boolean;
  /** Whose callback token it came with: it bears on that tenant's calls alone. */
  tenant?: string;
}

export interface SplitNews {
  /** Two conferences live under one name. */
  split(tenant: string, room: string, conference_ids: readonly string[]): void;
}

interface EventsHost {
  observations: Observations;
  leaving: CircuitBreaker;
  placements: Placements;
  occupancy: Occupancy;
  members: ConferenceMembers;
  pendingCommands: PendingCommands;
  circuitBreaker: CircuitBreaker;
  checks: RoomChecks;
  counters: Counters;
  heldSeats: HeldSeats;
  recordings: Recordings;
  recorded: RecordedRooms;
  news: SplitNews;
}

/**
 * ConferenceEvents — what conference events change: placements and pending commands, in the turn of the event. What is too much for one
 * turn goes on in the next ones. Used by EventIngest.
 */
export class ConferenceEvents {
  readonly #ledger: EventsHost;
  readonly #placements: Placements;
  readonly #occupancy: Occupancy;
  readonly #pendingCommands: PendingCommands;
  readonly #joined: (key: PlacementKey) => void;
  readonly #now: () => number;
  /** Names under which two conferences live, by name. */
  readonly #split = new Map<string, SplitRoom>();
  /** Whose joins RELAY or a signed callback told. */
  readonly #proved = new WeakSet<Placement>();
  /** By tenant: when a join of one of its calls was told of last, ms. */
  readonly #joinToldAt = new Map<string, number>();
  /** By call: until when a document of ours that leads nowhere may start, ms. */
  readonly #late = new Map<string, number>();
  readonly #ends: ConferenceEnds;
  readonly #backlog = new Backlog();
  /** Conferences that have ended, by id; the newest ones. */
  readonly #over = new Set<string>();
  /** Ends that are being worked through: told again, they add nothing. */
  readonly #working = new Set<string>();

  /** @param joined told of every placement that a participant-join confirms. */
  constructor(disk: Disk, ledger: EventsHost, joined: (key: PlacementKey) => void, now: () => number) {
    this.#joined = joined;
    this.#ledger = ledger;
    this.#placements = ledger.placements;
    this.#occupancy = ledger.occupancy;
    this.#pendingCommands = ledger.pendingCommands;
    this.#now = now;
    this.#ends = new ConferenceEnds(disk);
    for (const { id, ...end } of this.#ends.all()) this.#backlog.queue(this.#ending(end, id));
  }

  /** A document of ours that leads nowhere was given to the call, and may start late: a leave within a minute is its doing, once. */
  mayBeTakenOut(call_id: string): void {
    this.#late.set(call_id, this.#now() + LATE_MS);
    dropOldest(this.#late, LATE);
  }

  /** Whether the join of any call of the tenant's was told of since then, ms, by RELAY or by a callback. */
  joinsWereToldSince(tenant: string, at: number): boolean {
    return (this.#joinToldAt.get(tenant) ?? 0) > at;
  }

  #mayBeTakenOutLate({ call_id, state }: Placement): boolean {
    return state === "joined" && (this.#late.get(call_id) ?? 0) >= this.#now();
  }

  /** Whether participants are still to be seen to, for what events told of the conferences that they were in. */
  get isBehind(): boolean {
    return !this.#backlog.isEmpty;
  }

  /** Sees to a few of them. */
  catchUp(): void {
    this.#backlog.work();
  }

  /** Applies an event of RELAY's, or a signed callback's, to the placements that it bears on. */
  apply(arrived: RelayEvent, { feed = "relay", tenant, ...told }: Told = {}): void {
    const event = inTime(arrived, this.#now());
    const ids_known = this.#knowsIds(told);
    if (ids_known) this.#noteKind(event, tenant);
    for (const { row, happening } of this.#bearingOn(event, tenant))
      this.#trusted(row, ids_known ? happening : { ...happening, conference_id: null }, feed);
    if (event.kind === "state" && event.params.call_state === "ended")
      for (const row of this.#placements.currentOf(event.params.call_id)) this.callEnded(row);
    noteFlags(this.#placements, event, tenant);
    this.#bringBack(event, tenant);
    this.#noteSize(event, ids_known);
    this.#ended(event, { feed, trusted: true, tenant: tenant ?? null }, ids_known);
  }

  #knowsIds({ ids_known = true }: Told): boolean {
    return ids_known || sidsAreIds(this.#ledger.observations);
  }

  /** Whether something better than a token proves that it joined. */
  isProved(row: Placement): boolean {
    return this.#proved.has(row);
  }

  #trusted(row: Placement, happening: MembershipEvent, feed: Feed): void {
    if (feed === "relay") this.#observeFeed(row, happening);
    if (happening.happened !== "joined" && row.joined_by === "relay")
      this.#ledger.leaving.succeeded(this.#now(), row.tenant, true);
    this.change(row, happening);
    if (happening.happened !== "joined" || row.state !== "joined") return;
    this.#proved.add(row);
    // Somebody unsigned had said so before.
    if (row.doubt !== "taken out") callLives(this.#ledger, row, this.#now());
  }

  /** An event without a signature: a join is believed; a leave releases the seat, and a second source is looked for. */
  applyUntrusted(arrived: RelayEvent, { feed = "callback", tenant, ...told }: Told): void {
    const event = inTime(arrived, this.#now());
    const ids_known = this.#knowsIds(told);
    for (const { row, happening } of this.#bearingOn(event, tenant))
      this.#untrusted(row, ids_known ? happening : { ...happening, conference_id: null });
    noteFlags(this.#placements, event, tenant);
    // What it gives cause for is a question, and questions are asked only so often.
    this.#noteSize(event, false);
    this.#ended(event, { feed, trusted: false, tenant: tenant ?? null }, ids_known);
  }

  #untrusted(row: Placement, happening: MembershipEvent): void {
    if (happening.happened === "joined") this.change(row, happening, false);
    else if (applyEvent(row, happening, this.#now())) this.#unsignedLeave(row);
  }

  /** The end of a conference bears on everybody in it. What one turn can't do of that is written down, to be done all the same. */
  #ended(
    event: RelayEvent,
    told: Pick<ConferenceEnd, "feed" | "trusted" | "tenant">,
    ids_known: boolean,
  ): void {
    if (event.kind !== "conference" || event.params.status !== "conference-end") return;
    const { name: room = "", conference_id = "", call_id_ending_conf: ended_by = null } = event.params;
    const at = this.#now();
    if (told.trusted) {
      this.#ledger.checks.ended(room);
      this.#backlog.begin(this.#emptying(room, at));
    }
    if (room === "" || conference_id === "") return;
    if (told.trusted) this.#rememberOver(conference_id);
    const found =
      told.trusted && ids_known
        ? this.#ledger.members.foundBy(room, conference_id, {
            ended_ts: event.timestamp ?? 0,
            isSplit: this.#split.has(room),
          })
        : { found_cxml: false, found_others: false };
    const end = { ...told, ...found, room, conference_id, ended_by, ts: event.timestamp ?? null, at };
    const isLong = this.#participantsOf(end).length > AT_ONCE;
    // The same end told again while it is worked through adds nothing.
    if (isLong && this.#working.has(keyOf(end))) return;
    if (isLong) this.#working.add(keyOf(end));
    this.#backlog.begin(this.#ending(end, isLong ? this.#ends.add(end) : null));
  }

  #rememberOver(conference_id: string): void {
    this.#over.delete(conference_id);
    this.#over.add(conference_id);
    dropOldest(this.#over, CONFERENCES);
  }

  /** @param id of its row, where it has one. */
  *#ending(end: ConferenceEnd, id: number | null): Job {
    const { room: name, conference_id, at, tenant } = end;
    const isIn = (row: LivePlacement) =>
      // Another conference may have the name by now, and this call may have come for that.
      row.room === name &&
      row.created_at <= at &&
      (row.conference_id === conference_id || this.#ledger.members.wasIn(row, end));
    const isItsTenants = (row: LivePlacement) => tenant === null || row.tenant === tenant;
    for (const key of inSlices(this.#participantsOf(end))) {
      if (key === null) yield;
      else {
        if (!isIn(key) || !isItsTenants(key)) continue;
        // One participant that breaks keeps none of the others in a conference that is over.
        try {
          this.#endFor(key, end);
        } catch (error) {
          log("error", "backlog.broke", { call: key.call_id, error: describeError(error) });
        }
      }
    }
    this.#working.delete(keyOf(end));
    if (id !== null) this.#ends.done(id);
  }

  #endFor(key: LivePlacement, { room: name, conference_id, ts, trusted, feed, ...end }: ConferenceEnd): void {
    const row = this.#placements.find(key);
    if (!row) return;
    if (row.conference_id === null) this.#placements.update(row, { conference_id });
    const ended_by = endedBy(end.ended_by, row);
    const happening = { happened: "conference_ended", name, conference_id, ts, ended_by } as const;
    if (trusted) this.#trusted(row, happening, feed);
    else this.#untrusted(row, happening);
  }

  /** Those whom the end of the conference bears on: in it by an event that told its id, or by all that is known. */
  #participantsOf(end: ConferenceEnd): LivePlacement[] {
    const { room, conference_id } = end;
    const found = this.#occupancy
      .joinedTo(room, conference_id)
      .perhaps.filter((row) => this.#ledger.members.wasIn(row, end));
    return [...this.#occupancy.inConference(room, conference_id), ...found];
  }

  /** No caller is to come back to a conference that is over. */
  *#emptying(room: string, ended_at: number): Job {
    for (let isMore = true; isMore; ) {
      isMore = this.#ledger.heldSeats.emptied(room, ended_at, AT_ONCE);
      this.#placements.touched(room);
      if (isMore) yield;
    }
  }

  /** Which kinds of calls were seen to join which conference. */
  #noteKind(event: RelayEvent, tenant?: string): void {
    if (event.kind !== "conference" || event.params.status !== "participant-join") return;
    const { call_id, conference_id } = event.params;
    const [row] = call_id === undefined ? [] : this.#placements.currentOf(call_id, tenant);
    if (row && conference_id !== undefined) this.#ledger.members.joined(row, conference_id);
  }

  /** What happens to a participant happens in the room: somebody whose seat was released is there after all. */
  #bringBack(event: RelayEvent, tenant?: string): void {
    if (event.kind !== "conference" || !ALIVE_THERE.has(event.params.status)) return;
    const { call_id, conference_id } = event.params;
    const [row] = call_id === undefined ? [] : this.#placements.currentOf(call_id, tenant);
    if (!row || row.presumed_gone_at === null) return;
    if (conference_id !== undefined && row.conference_id !== null && row.conference_id !== conference_id)
      return;
    const since = row.unsigned_leave_at ?? row.presumed_gone_at;
    if (event.timestamp !== undefined && event.timestamp * 1000 <= since) return;
    this.#placements.update(row, seen(this.#now()));
  }

  splitRooms(): SplitRoom[] {
    return [...this.#split.values()];
  }

  /**
   * A join of one conference while somebody joined another of the same name: where a later join was in the earlier conference,
   * both are live. Where it was not, the earlier one may have ended without our being told: its participants are in doubt.
   */
  #noteSplit(row: Placement, isProved: boolean): void {
    const { room, conference_id, joined_ts } = row;
    if (conference_id === null) return;
    const others = this.#occupancy
      .participants(room)
      .filter((other) => other.conference_id !== null && other.conference_id !== conference_id);
    if (others.length === 0) return;
    const mine = this.#occupancy.joinedTo(room, conference_id).surely;
    const began = Math.min(...mine.map((one) => one.joined_ts ?? Number.POSITIVE_INFINITY));
    const otherBegan = Math.min(...others.map((one) => one.joined_ts ?? Number.POSITIVE_INFINITY));
    const otherNewest = Math.max(...others.map((one) => one.joined_ts ?? 0));
    const interleaved = otherNewest > began && (joined_ts ?? 0) > otherBegan;
    if (interleaved) {
      const conference_ids = [
        ...new Set([conference_id, ...others.flatMap((one) => one.conference_id ?? [])]),
      ];
      this.#isSplit(row, conference_ids, isProved);
      return;
    }
    this.#backlog.begin(this.#doubting(others, this.#now()));
    this.#ledger.checks.demand(room);
  }

  *#doubting(rows: readonly LivePlacement[], doubted_at: number): Job {
    for (const key of inSlices(rows.filter((row) => row.doubted_at === null))) {
      const row = key && this.#placements.find(key);
      if (key === null) yield;
      else if (row?.state === "joined" && row.doubted_at === null)
        this.#placements.update(row, { doubted_at });
    }
  }

  /** Two conferences live under one name. What that says of SignalWire is learned from what is proved. */
  #isSplit({ tenant, room }: Placement, conference_ids: string[], isProved: boolean): void {
    const known = this.#split.get(room);
    const at = this.#now();
    this.#split.delete(room);
    this.#split.set(room, { room, conference_ids, at });
    dropOldest(this.#split, SPLIT_ROOMS);
    if (isProved) this.#ledger.observations.saw("two_conferences_under_one_name", true);
    if (known?.conference_ids.every((id) => conference_ids.includes(id))) return;
    log("error", "room.split", { room, conferences: conference_ids });
    this.#ledger.news.split(tenant, room, conference_ids);
  }

  #unsignedLeave(row: Placement): void {
    const now = this.#now();
    if (row.unsigned_leave_at === null) {
      const changes = { unsigned_leave_at: now, doubted_at: row.doubted_at ?? now, missed_at: null };
      const released = row.state === "joined" ? { presumed_gone_at: row.presumed_gone_at ?? now } : {};
      this.#placements.update(row, { ...changes, ...released });
      this.#ledger.counters.add("unsigned_leaves");
      this.#placements.touched(row.room);
    }
    this.#pendingCommands.add("verify", row, row.node_id);
  }

  #noteSize(event: RelayEvent, isTrusted: boolean): void {
    if (event.kind !== "conference") return;
    const { status, name, size, conference_id } = event.params;
    if (name === undefined || size === undefined || conference_id === undefined || !SIZED.has(status)) return;
    const { observations, checks } = this.#ledger;
    const isLeave = status === "participant-leave";
    if (isLeave && size === 0 && isTrusted) observations.saw("size_counts_self", "after");
    const mayCountLeaver = isLeave && !observations.has("size_counts_self", "after");
    const sized = { conference_id, room: name, size, isTrusted, mayCountLeaver };
    checks.heard(sized, event.timestamp ?? null);
  }

  /** RELAY's feed is relied on for a kind of call only once it was seen to speak of that kind. */
  #observeFeed(row: Placement, { happened }: MembershipEvent): void {
    const { ingress, joined_by } = kindOf(row);
    const what = happened === "joined" ? "joins" : "leaves";
    this.#ledger.observations.saw(`relay_tells_${what}`, `${ingress} by ${joined_by ?? "relay"}`);
  }

  /** Those of a call's placements that were not in a room yet when it ended. */
  waitingOf(event: RelayEvent): Placement[] {
    if (event.kind !== "state" || event.params.call_state !== "ended") return [];
    return this.#placements.currentOf(event.params.call_id).filter(({ wait }) => wait !== null);
  }

  #bearingOn(event: RelayEvent, tenant?: string): { row: Placement; happening: MembershipEvent }[] {
    if (event.kind !== "conference") return [];
    const { status, call_id, conference_id, name } = event.params;
    if (conference_id === undefined || name === undefined) return [];
    const base = { name, conference_id, ts: event.timestamp ?? null };
    const happened =
      status === "participant-join" ? "joined" : status === "participant-leave" ? "left" : null;
    if (call_id === undefined || happened === null) return [];
    const [row] = this.#placements.currentOf(call_id, tenant);
    return row ? [{ row, happening: { ...base, happened, ended_by: null } }] : [];
  }

  /**
   * One placement's change, with what follows from it.
   * @param isProved by more than a token.
   */
  change(row: Placement, event: MembershipEvent, isProved = true): void {
    const now = this.#now();
    if (this.#isOfOneThatEnded(row, event)) return;
    if (event.happened === "joined") this.#joinToldAt.set(row.tenant, now);
    const isTakenOut = event.happened === "left" && this.#mayBeTakenOutLate(row);
    const change = applyEvent(isTakenOut ? { ...row, stay_at: now, lives_on: 1 } : row, event, now);
    if (!change) return;
    if (isTakenOut) this.#late.delete(row.call_id);
    const wasThere = row.state === "joined";
    const wasOut = row.state === "left";
    const isOutOfRelays = event.happened !== "joined" && row.joined_by === "relay";
    // Its documents take it out again and again: putting it back once more would not keep it there.
    const follow = change.follow === "rejoin" && row.rejoins >= MOST_REJOINS ? "end_call" : change.follow;
    const { state: to, ...changes } = change.set;
    const state = follow === change.follow ? to : "left";
    const set = isOutOfRelays ? { ...changes, may_stand: 0 } : changes;
    const reason = {
      joined: "participant-join",
      left: "participant-leave",
      conference_ended: "conference-end",
    }[event.happened];
    if (state === "joined") {
      if (!confirmJoin(this.#ledger, row, { ...set, reason }, this.#now())) return;
    } else if (state === undefined) this.#placements.update(row, set);
    else if (!this.#placements.move(row, state, { ...set, reason })) return;
    if (change.blames) {
      this.#ledger.observations.saw("document_takes_call_out_of_conference", true);
      this.#placements.update(row, { doubt: "taken out" });
    } else if (row.doubt !== "taken out" && (isProved || state === "joined"))
      callLives(this.#ledger, row, now, isProved);
    if (row.state === "joined") {
      this.#noteSplit(row, isProved);
      this.#joined(row);
      this.#ledger.heldSeats.unkeep(row);
      // It is not over after all.
      if (wasOut) for (const kind of ["end", "after"] as const) this.#pendingCommands.drop(kind, row);
    }
    let isSeatKept = false;
    if (row.state === "left") {
      // A call whose own document joined comes back to us in the same moment if it lives on.
      const undecided_ms = follow === "end_call" ? ASKED_AFTER_MS + ANSWERED_WITHIN_MS : 0;
      if (wasThere && event.happened === "left")
        isSeatKept = this.#keepSeat(row, event.conference_id, undecided_ms);
      this.#pendingCommands.drop("expire", row);
      this.#pendingCommands.drop("rejoin", row);
    }
    if (event.happened !== "joined")
      this.#ledger.recordings.left(row, row.conference_id ?? event.conference_id);
    if (follow === "end_call") {
      const end_at = isSeatKept ? this.#now() + ASKED_AFTER_MS : this.#endAt(row);
      this.#pendingCommands.add(
        row.placing.after?.swml === undefined ? "end" : "after",
        row,
        row.node_id,
        end_at,
      );
    }
    if (follow === "rejoin") {
      // What it was answered before the late document took it out is no answer to that.
      const anew = isTakenOut ? { asking_step: null, answer: null, stay_at: now } : {};
      this.#placements.update(row, { rejoins: row.rejoins + 1, ...anew });
      this.#pendingCommands.add("rejoin", row, row.node_id, this.#rejoinAt(row));
    }
  }

  /** A join before, told of once more: a call that has joined another conference since is not back in one that has ended. */
  #isOfOneThatEnded({ state, conference_id: known }: Placement, event: MembershipEvent): boolean {
    const { happened, conference_id } = event;
    if (state !== "joined" || happened !== "joined" || conference_id === null) return false;
    return known !== null && known !== conference_id && this.#over.has(conference_id);
  }

  /**
   * The call is over, or nothing answers for it: if it has left its room, the caller dropped. Its leave may have looked like one of our
   * documents' doing, so that the call was to be put back and no seat was kept yet.
   */
  dropped(row: Placement): void {
    if (MAYBE_THERE.has(row.state)) this.#ledger.recordings.left(row);
    if (isByDocument(row.state) && row.joined_ts !== null && row.left_ts !== null) {
      // The seat is counted once: as one that is kept.
      if (this.#keepSeat(row, row.conference_id, 0) && row.presumed_gone_at === null)
        this.#placements.update(row, { presumed_gone_at: this.#now() });
    } else this.#ledger.heldSeats.dropped(row);
    this.#placements.touched(row.room);
  }

  /** The call has ended, or is no more ours: it holds no seat, and there is nothing left to do for it. A waiter is the queue's. */
  callEnded(row: Placement): void {
    // It may have ended because of our own end: then the answer to that tells whether it was up.
    if (this.#pendingCommands.isUnderWay("end", row) || this.#pendingCommands.isUnderWay("after", row))
      return;
    if (row.wait !== null && row.joined_ts === null) return;
    const { room: name, conference_id } = row;
    if (row.state === "joined")
      this.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
    this.dropped(row);
    if (isLive(row.state))
      this.#placements.move(row, mayMove(row.state, "left") ? "left" : "failed", {
        reason: "the call ended",
      });
    for (const kind of ["expire", "rejoin", "end", "after"] as const) this.#pendingCommands.drop(kind, row);
  }

  /** The call lives on outside of its room, and none of our documents took it out: nothing is kept for its caller. */
  removed(key: PlacementKey): void {
    const room = this.#ledger.heldSeats.removed(key);
    if (room !== null) this.#placements.touched(room);
  }

  /** Nothing is kept of a conference whose end is known: its leaves may be told of after it. */
  #keepSeat(row: Placement, conference_id: string | null, undecided_ms: number): boolean {
    const id = conference_id ?? row.conference_id;
    if (id !== null && this.#over.has(id)) return false;
    if (this.#occupancy.isBack(row, this.#now() - DEAD_MS)) return false;
    const { joined_ts, wait, created_at } = row;
    // The time of a caller who waited begins with the seat.
    const since = wait === null || joined_ts === null ? created_at : joined_ts * 1000;
    return this.#ledger.heldSeats.keep(row, row.room, undecided_ms, since);
  }

  /** Where RELAY's join may have taken the call out of its document's, a moment is left for that join to be told of. */
  #endAt({ joined_by, may_stand }: Placement): number {
    return this.#now() + (joined_by === "document" && may_stand === 1 ? SETTLING_MS : 0);
  }

  /**
   * On its hold a call comes back by itself, and is put back where it does not. Past it nothing comes but what we send;
   * a moment is left for the end of the conference to show that there is nowhere to go back to.
   */
  #rejoinAt(row: Placement): number {
    return row.stay_at === null ? (row.hold_at ?? this.#now()) + OVERDUE_MS : this.#now() + SETTLING_MS;
  }
}

function keyOf({ room, conference_id, feed, trusted, tenant }: ConferenceEnd): string {
  return JSON.stringify([room, conference_id, feed, trusted, tenant]);
}

/** null: the turn is over. */
function* inSlices<T>(rows: readonly T[]): Generator<T | null> {
  for (const [index, row] of rows.entries()) {
    if (index > 0 && index % AT_ONCE === 0) yield null;
    yield row;
  }
}

function endedBy(ending_call: string | null, row: Placement): MembershipEvent["ended_by"] {
  if (ending_call === null) return null;
  return ending_call === row.call_id ? "this call" : "another call";
}
