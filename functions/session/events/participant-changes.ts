import { applyEvent, isLive, type MembershipEvent } from "../../../shared/placement.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { Feed } from "../store/event-log.ts";
import type { Changes, Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RelayTrust } from "../store/relay-trust.ts";
import type { Joins } from "./confirm-join.ts";
import type { FollowUps } from "./follow-ups.ts";

/** Times a call is put back by itself; what an operator or the queue does is not counted. */
const MOST_REJOINS = 2;
/** Longest delay of a command to which REST gave no answer. */
const LATE_MS = 60_000;
/** Calls remembered as having a document that may start late. */
const LATE = 5_000;

/** What conferences and the waiting queue know of a call. */
interface ElsewhereKnown {
  /** Whether the conference is known to have ended. */
  isOver(conference_id: string): boolean;
  /** The call is over: if it waits for its room, it does no more. */
  stopsWaiting(row: Placement): void;
}

/**
 * ParticipantChanges — what a join, a leave or an end changes for one participant, in the turn in which it is known: events may come twice,
 * late and in any order. Used for events, and for other evidence that a call came or went.
 */
export class ParticipantChanges {
  readonly #placements: Placements;
  readonly #joins: Joins;
  readonly #trust: RelayTrust;
  readonly #followUps: FollowUps;
  readonly #isOver: ElsewhereKnown["isOver"];
  readonly #stopsWaiting: ElsewhereKnown["stopsWaiting"];
  readonly #now: () => number;
  /** Whose joins RELAY or a signed callback told. */
  readonly #proved = new WeakSet<Placement>();
  /** By tenant: when a join of one of its calls was told last, ms. */
  readonly #joinToldAt = new Map<string, number>();
  /** By call: until when a document of ours that leads nowhere may start, ms. */
  readonly #late = new Map<string, number>();

  constructor(
    placements: Placements,
    joins: Joins,
    trust: RelayTrust,
    followUps: FollowUps,
    { isOver, stopsWaiting }: ElsewhereKnown,
    now: () => number,
  ) {
    this.#placements = placements;
    this.#joins = joins;
    this.#trust = trust;
    this.#followUps = followUps;
    this.#isOver = isOver;
    this.#stopsWaiting = stopsWaiting;
    this.#now = now;
  }

  /** The call was given a document of ours that leads nowhere and may start late: one leave within a minute is put down to it. */
  mayBeTakenOut(call_id: string): void {
    this.#late.set(call_id, this.#now() + LATE_MS);
    dropOldest(this.#late, LATE);
  }

  /** Whether RELAY or a callback told any join of the tenant's calls since then, ms. */
  joinsWereToldSince(tenant: string, at: number): boolean {
    return (this.#joinToldAt.get(tenant) ?? 0) > at;
  }

  #mayBeTakenOutLate({ call_id, state }: Placement): boolean {
    return state === "joined" && (this.#late.get(call_id) ?? 0) >= this.#now();
  }

  /** Whether its join is proved by more than the tenant's token. */
  isProved(row: Placement): boolean {
    return this.#proved.has(row);
  }

  /** A change that RELAY or a signed callback tells. */
  trusted(row: Placement, happening: MembershipEvent, feed: Feed): void {
    const isJoin = happening.happened === "joined";
    this.#trust.toldBy(feed, row, isJoin ? "joins" : "leaves");
    if (!isJoin && row.joined_by === "relay") this.#trust.leaveTold(row, this.#now());
    this.change(row, happening);
    if (!isJoin || row.state !== "joined") return;
    this.#proved.add(row);
    // An unsigned callback may have said so before.
    if (row.doubt !== "taken out") this.#trust.callLives(row, this.#now());
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
    // Its documents keep taking it out: putting it back once more would not help.
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
      if (!this.#joins.confirm(row, { ...set, reason }, this.#now())) return;
    } else if (state === undefined) this.#placements.update(row, set);
    else if (!this.#placements.move(row, state, { ...set, reason })) return;
    if (change.blames) {
      this.#trust.takenOut(row);
    } else if (row.doubt !== "taken out" && (isProved || state === "joined"))
      this.#trust.callLives(row, now, isProved);
    this.#followUps.after(row, event, { follow, wasThere, wasOut, isTakenOut, isProved, now });
  }

  /** An old join told again: a call that has joined another conference since is not back in one that has ended. */
  #isOfOneThatEnded({ state, conference_id: known }: Placement, event: MembershipEvent): boolean {
    const { happened, conference_id } = event;
    if (state !== "joined" || happened !== "joined" || conference_id === null) return false;
    return known !== null && known !== conference_id && this.#isOver(conference_id);
  }

  /** The call has ended, or is not ours any more: its seat is free, and nothing is left to do for it. The queue handles waiters. */
  callEnded(row: Placement): void {
    if (row.wait !== null && row.joined_ts === null) return;
    // It has left already, and the answer to our own end tells whether the call was up.
    if (!isLive(row.state) && this.#followUps.isEnding(row)) return;
    this.#close(row, "the call ended");
  }

  /** A leave that no event told. */
  left(row: Placement): void {
    const { room: name, conference_id } = row;
    this.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
  }

  /** REST finds the call in its room, and no event had said so. */
  found(row: Placement, changes: Changes & { reason: string }): void {
    this.#joins.confirm(row, changes, this.#now());
    this.stays(row);
  }

  /** The call is in its room after all: what was to follow its leave does not. */
  stays(row: Placement): void {
    this.#followUps.stays(row);
  }

  /** The call itself is over: it has left its room, and nothing is left to be done for it. */
  over(row: Placement, reason: string): void {
    this.#stopsWaiting(row);
    this.#close(row, reason);
  }

  #close(row: Placement, reason: string): void {
    if (row.state === "joined") this.left(row);
    this.#followUps.over(row, reason);
  }

  /** No event ever showed the call in its room, or its end: nothing is sent. */
  forget(row: Placement, reason: string): void {
    this.#followUps.close(row, reason);
  }
}
