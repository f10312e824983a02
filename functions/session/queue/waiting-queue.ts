import { EARLY_LEAVE_MS, isByDocument } from "../../../shared/placement.ts";
import { placingIn } from "../../../shared/placing.ts";
import type { Wait } from "../../../shared/rules/decision.ts";
import { drainQueue, type QueueRules } from "../../../shared/waiting.ts";
import { describeError, log } from "../../log.ts";
import type {
  PlacementKey,
  PlaceReply,
  PlaceRequest,
  RoomRequest,
  TurnedAway,
} from "../contract/placement.ts";
import { chooseRoom } from "../seats/choose-room.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import { OccupancySnapshot } from "../seats/occupancy-snapshot.ts";
import type { PendingCommands } from "../store/commands.ts";
import { joinCommandId, replyOf } from "../store/place-reply.ts";
import { dueBy, type Placement, readTransitions, standing } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RoomPolicies } from "../store/room-policies.ts";
import { asksOften, roomsOf } from "../store/wait-terms.ts";
import type { WaitingIndex } from "../store/waiting-index.ts";
import { waitsFor } from "./waiters.ts";

/** How long a seat is offered to a waiter who is being fetched: while each of the tries is made. */
const FETCH_MS = 2 * 60_000;
/** The same for one who is not fetched: by then it has asked, or is looked for; and for one who asks every few seconds. */
const ASK_MS = 60_000;
const ASK_OFTEN_MS = 20_000;
/** A document that joins has been sent: soon it is seen in the room. */
const TAKING_MS = 5_000;
/** A timer comes no sooner than this, so that rooms whose looks are due at about the same time share one. */
const TOGETHER_MS = 200;
/** A leave may have been lost: a room that somebody stands before is looked at, and REST asked about it, this often. */
const DOUBT_MS = 10_000;
/** After a fault of ours the line is served again this soon. */
const RETRY_MS = 1_000;
/** What is written of each poll is written no oftener than this. */
const SEEN_MS = 5_000;

interface WaitingQueueHost {
  placements: Placements;
  occupancy: Occupancy;
  pendingCommands: PendingCommands;
  policies: Pick<RoomPolicies, "lockOf">;
}

/** What the queue asks of the rest of the session, and tells it. */
interface QueueListener {
  /** Whether the session leads the call itself, also if a new incarnation has not taken that up yet. */
  hasCallFlow(call_id: string): boolean;
  /** There are commands to run. */
  start(): void;
  /** Somebody waits before these rooms: whether their seats are all taken in truth is asked. */
  doubt(rooms: readonly string[]): void;
  /** It has work sooner than it said before. */
  rescheduled(): void;
}

/** When a room is looked at again though nothing happens in it, and when REST is asked about it again, ms. */
interface Look {
  at: number;
  doubt_at: number;
}

/**
 * WaitingQueue — callers who wait for their rooms, first come first served. A caller who is let in has its seat in the same turn and is
 * then fetched out of its waiting document; if that fails, its own next poll brings it in, or it stands in its old place again.
 * A room is looked at only while somebody waits for it, when something changes in it or a reservation lapses.
 */
export class WaitingQueue {
  readonly #host: WaitingQueueHost;
  readonly #listener: QueueListener;
  readonly #now: () => number;
  /** Rooms that somebody waits for, and in which something changed since they were served; all of them at the start. */
  readonly #changed = new Set<string>();
  /** Whether it is known which rooms somebody waits for. */
  #hasBegun = false;
  /** Of each room that somebody stands before for want of a seat. */
  readonly #looks = new Map<string, Look>();
  /** No look is due before then, ms. */
  #next_look = Number.POSITIVE_INFINITY;
  /** When it is served at the latest, ms. */
  #wakes_at = Number.POSITIVE_INFINITY;
  #stirred = false;
  /** Waiters who need not be fetched: somebody here leads them. */
  readonly #led = new Map<string, () => void>();

  constructor(host: WaitingQueueHost, listener: QueueListener, now: () => number) {
    this.#host = host;
    this.#listener = listener;
    this.#now = now;
  }

  /** Reads those who have waited since before a restart, in turns of their own if they are many, and serves them. */
  async begin(): Promise<void> {
    try {
      while (this.#host.placements.readWaiting()) await scheduler.wait(0);
      this.#waiting();
      this.#schedule();
    } catch (error) {
      this.#broke(error);
    }
  }

  /** Something changed in these rooms. */
  moved(rooms: readonly string[]): void {
    // At the beginning all rooms are served.
    if (!this.#hasBegun) return;
    const { waiting } = this.#host.occupancy;
    for (const room of rooms) if (waiting.has(room) || this.#looks.has(room)) this.#changed.add(room);
    this.#schedule();
  }

  /** Serves the rooms in which something changed at the end of this very turn. */
  #schedule(): void {
    if (this.#changed.size === 0 || this.#stirred) return;
    this.#stirred = true;
    queueMicrotask(() => {
      this.#stirred = false;
      this.#drainSafely();
    });
  }

  /**
   * The rooms that a newcomer may enter at once, in order; or the newcomer stands in the line from now on. No await lies between
   * this and the row that takes the seat.
   */
  arrive(request: PlaceRequest): { rooms: PlaceRequest["rooms"] } | { row: Placement } {
    const { placements, occupancy } = this.#host;
    const { wait } = request;
    if (!wait) return request;
    const closed = this.drain(request.rooms);
    const open = request.rooms.filter((room) => !closed.has(room));
    const enterable = wait.for.includes("moderator")
      ? open.filter((room) => occupancy.isStaffed(room))
      : open;
    const [first, ...rest] = enterable;
    if (first !== undefined && !wait.for.includes("admission")) {
      const chosen = chooseRoom(occupancy, { ...request, rooms: [first, ...rest] });
      const isFull = chosen.room === null && chosen.turned_away === "full";
      if (!isFull || !wait.for.includes("seat")) return { rooms: [first, ...rest] };
    }
    const row = placements.plan(request, request.rooms[0], reasonToWait(wait), "waiting");
    this.#stands(row, wait);
    return { row };
  }

  /** One who left without ever having come, and is there all the same: it stands where it would have stood. False for others. */
  stand(row: Placement, request: PlaceRequest, wait: Wait): boolean {
    const { placements } = this.#host;
    const changes = {
      reason: "its join came to nothing",
      placing: { ...placingIn(request), wait },
      wait: standing(request),
      joined_by: null,
      seen_at: this.#now(),
    };
    if (!placements.move(row, "waiting", changes)) return false;
    this.#stands(row, wait);
    return true;
  }

  /** A waiter asks, by itself or because REST led it here: it is there, and is told how it stands. */
  poll(row: Placement, wasLed: boolean): PlaceReply {
    const { placements, occupancy, pendingCommands } = this.#host;
    // Its seat was kept for a while, and others may have it by now.
    if (dueBy(row) <= this.#now()) this.takeBack(row);
    if (row.state === "waiting") {
      if (occupancy.waiting.isAway(row)) this.moved(roomsOf(row));
      if (this.#now() - (row.seen_at ?? 0) >= SEEN_MS) placements.update(row, { seen_at: this.#now() });
      this.drain();
    }
    // It is being fetched this very moment: were it to come by itself as well, the one would take it out where the other put it.
    const isFetched = !wasLed && pendingCommands.isUnderWay("fetch", row);
    if (row.state === "waiting" || isFetched) return this.standing(row);
    pendingCommands.drop("fetch", row);
    this.handedOver(row);
    // REST led it here late, and so took it out of the room that it had come to by itself.
    const isTakenOut = wasLed && row.state === "left" && leftAt(row) > this.#now() - EARLY_LEAVE_MS;
    return isTakenOut ? { ...replyOf(row), outcome: "document" } : replyOf(row);
  }

  /** How a waiter stands. */
  standing(row: Placement): PlaceReply {
    const { occupancy } = this.#host;
    return {
      ...replyOf(row),
      outcome: "waiting",
      waiting: { for: waitsFor(occupancy, row), position: occupancy.waiting.positionOf(row) },
    };
  }

  /** Its document joins from now on: it will be seen in its room soon, or not at all. */
  handedOver(row: Placement): void {
    if (!isByDocument(row.state) || row.joined_ts !== null) return;
    const { placements } = this.#host;
    const changes = { deadline_at: this.#now() + TAKING_MS, conference_id: null };
    if (!placements.move(row, "by_document", changes)) placements.update(row, changes);
    this.moved([row.room]);
  }

  /** It was let in and is not in its room, as far as anybody can say: its seat passes on, and it has its old place. */
  takeBack(row: Placement, reason = "could not be fetched"): boolean {
    const { placements, pendingCommands } = this.#host;
    const { wait } = row.placing;
    if (row.wait === null || wait === undefined || row.joined_ts !== null) return false;
    if (!isByDocument(row.state)) return false;
    pendingCommands.drop("expire", row);
    placements.move(row, "waiting", { reason });
    this.#stands(row, wait);
    return true;
  }

  /** Neither RELAY nor REST sees it: it has its old place again, and holds up nobody until it asks by itself. */
  missed(key: PlacementKey): void {
    const row = this.#host.placements.find(key);
    if (row && this.takeBack(row)) this.#host.placements.update(row, { seen_at: 0 });
  }

  /** An operator lets it in; false where it does not wait for that, or does no more. */
  admit(row: Placement): boolean {
    const isLocked = row.wait !== null && this.#unlocked(row, roomsOf(row)) === null;
    const isToAdmit = row.wait !== null && row.placing.wait?.for.includes("admission");
    if (!(isToAdmit || isLocked) || row.turned_away !== null) return false;
    if (row.admitted === 1) return true;
    if (row.state !== "waiting") return false;
    this.#host.placements.update(row, { admitted: 1 });
    this.moved(roomsOf(row));
    this.drain();
    return true;
  }

  /** It is not let in, and is told so at once; false where it waits no more. */
  turnAway(row: Placement, why: TurnedAway, reason: string): boolean {
    if (row.state !== "waiting") return row.wait !== null && row.turned_away === why;
    this.#host.pendingCommands.drop("overdue", row);
    this.#host.placements.move(row, "failed", { turned_away: why, reason });
    this.#call(row);
    this.#listener.start();
    return true;
  }

  /** RELAY says that the call has ended. */
  callEnded(call_id: string): void {
    for (const row of this.#host.placements.currentOf(call_id)) this.ended(row);
  }

  /** The call is over. */
  ended(row: Placement): void {
    if (row.wait === null || row.joined_ts !== null) return;
    for (const kind of ["fetch", "overdue", "expire"] as const) this.#host.pendingCommands.drop(kind, row);
    this.#host.placements.move(row, "failed", { reason: "the caller hung up" });
  }

  /**
   * Instead of being fetched, this waiter is led by the session itself: `called` when its turn has come or it is turned away; it
   * then asks how it stands. Returns how to end that.
   */
  attach(key: PlacementKey, called: () => void): () => void {
    const { waiting } = this.#host.occupancy;
    const id = joinCommandId(key);
    const row = waiting.get(key);
    if (row && waiting.isAway(row)) this.moved(roomsOf(row));
    this.#led.set(id, called);
    const release = waiting.hold(key);
    return () => {
      this.#led.delete(id);
      release();
    };
  }

  /**
   * Lets in whom it can, now: in rooms in which something changed, in those whose look is due, and in `before`. Says which of
   * all these are closed to newcomers.
   */
  drain(before: readonly string[] = []): ReadonlySet<string> {
    const { occupancy } = this.#host;
    const waiting = this.#waiting();
    const asked = [...before, ...this.#changed, ...this.#due()];
    const components = waiting.connected(asked);
    const served = new Set(components.flatMap((component) => [...component]));
    // Nothing but what is done here changes the rooms in this turn.
    const snapshot = new OccupancySnapshot(occupancy, served);
    const closed = new Set<string>();
    for (const component of components) {
      const rules: QueueRules<Placement> = {
        rooms: roomsOf,
        isReady: (row) => waitsFor(snapshot, row) === "seat" && this.#unlocked(row, roomsOf(row)) !== null,
        seat: (row, open) => {
          const unlocked = this.#unlocked(row, open);
          return unlocked !== null && this.#seat(row, unlocked, snapshot);
        },
      };
      drainQueue(waiting.present(component, closed), rules, closed);
    }
    for (const room of asked) if (!waiting.has(room)) this.#looks.delete(room);
    // Also rooms that our own moves changed: a waiter refused before such a move finds no more seats after it.
    this.#changed.clear();
    this.#lookAgain(served, closed, snapshot);
    this.#listener.start();
    return closed;
  }

  /** The rooms that the waiter may enter; null: none. One that an operator let in comes in though they are locked. */
  #unlocked({ admitted }: Placement, rooms: readonly string[]): readonly [string, ...string[]] | null {
    const [first, ...others] = rooms.filter(
      (room) => admitted === 1 || this.#host.policies.lockOf(room) === null,
    );
    return first === undefined ? null : [first, ...others];
  }

  /** Those who wait, all of them. */
  #waiting(): WaitingIndex {
    const { waiting } = this.#host.occupancy;
    if (!this.#hasBegun) for (const room of waiting.rooms()) this.#changed.add(room);
    this.#hasBegun = true;
    return waiting;
  }

  #drainSafely(): void {
    try {
      this.drain();
    } catch (error) {
      this.#broke(error);
    }
  }

  #broke(error: unknown): void {
    log("error", "line.broke", { error: describeError(error) });
    this.#wake(this.#now() + RETRY_MS);
  }

  /** Rooms whose look is due. */
  #due(): string[] {
    const now = this.#now();
    if (now < this.#next_look) return [];
    return [...this.#looks].flatMap(([room, { at }]) => (at <= now ? [room] : []));
  }

  /** Sets when the rooms that were served are looked at again, and has REST asked about those for which that is due. */
  #lookAgain(served: ReadonlySet<string>, closed: ReadonlySet<string>, snapshot: OccupancySnapshot): void {
    const { occupancy } = this.#host;
    const now = this.#now();
    const doubted: string[] = [];
    for (const room of served) {
      // Where everybody waits for more than a seat, nothing comes by the clock alone.
      if (!closed.has(room)) {
        this.#looks.delete(room);
        continue;
      }
      let doubt_at = this.#looks.get(room)?.doubt_at ?? 0;
      if (doubt_at <= now) {
        doubted.push(room);
        doubt_at = now + DOUBT_MS;
      }
      const at = Math.min(doubt_at, snapshot.lapsesAt(room), occupancy.waiting.presentUntil(room) + 1);
      this.#looks.set(room, { at, doubt_at });
      this.#next_look = Math.min(this.#next_look, at);
    }
    if (this.#next_look <= now) {
      this.#next_look = Number.POSITIVE_INFINITY;
      for (const { at } of this.#looks.values()) this.#next_look = Math.min(this.#next_look, at);
    }
    this.#wake(this.#next_look);
    if (doubted.length > 0) this.#listener.doubt(doubted);
  }

  /** Sees to it that the line is served at about that time. */
  #wake(at: number): void {
    const wakes_at = Math.max(at, this.#now() + TOGETHER_MS);
    if (wakes_at >= this.#wakes_at) return;
    this.#wakes_at = wakes_at;
    this.#listener.rescheduled();
  }

  nextWakeAt(): number | null {
    return Number.isFinite(this.#wakes_at) ? this.#wakes_at : null;
  }

  run(): void {
    this.#wakes_at = Number.POSITIVE_INFINITY;
    this.#drainSafely();
  }

  #stands(row: Placement, { max_s }: Pick<Wait, "max_s">): void {
    this.#host.pendingCommands.add("overdue", row, row.node_id, row.created_at + max_s * 1000);
    this.#listener.start();
  }

  #seat(row: Placement, open: readonly [string, ...string[]], snapshot: OccupancySnapshot): boolean {
    const { placements, pendingCommands } = this.#host;
    const { wait, max_duration_s } = row.placing;
    if (wait === undefined) return false;
    const [first, ...rest] = wait.for.includes("moderator")
      ? open.filter((room) => snapshot.isStaffed(room))
      : open;
    if (first === undefined) return false;
    const chosen = chooseRoom(snapshot, wantedBy(row, [first, ...rest]));
    if (chosen.room === null) {
      if (chosen.turned_away === "full" && wait.for.includes("seat")) return false;
      return this.turnAway(row, chosen.turned_away, chosen.reason);
    }
    pendingCommands.drop("overdue", row);
    placements.move(row, "offered", {
      room: chosen.room,
      join: chosen.join,
      joined_by: "document",
      lease_until: this.#now() + offeredFor(row),
      conference_id: null,
      reason: "its turn has come",
      // It was let in before, maybe: what was answered about that join is no answer about this one.
      asking_step: null,
      answer: null,
    });
    snapshot.seated(chosen.room);
    if (max_duration_s !== undefined) {
      pendingCommands.add("expire", row, row.node_id, this.#now() + max_duration_s * 1000);
    }
    this.#call(row);
    return true;
  }

  #call(row: Placement): void {
    const called = this.#led.get(joinCommandId(row));
    if (called) queueMicrotask(called);
    // A new incarnation that takes its flow up asks at once, and stops the music first: a transfer would leave that to be heard in the room.
    else if (!this.#listener.hasCallFlow(row.call_id))
      this.#host.pendingCommands.add("fetch", row, row.node_id);
  }
}

function leftAt({ trail }: Placement): number {
  return readTransitions(trail).at(-1)?.at ?? 0;
}

/** One who waits for an operator or a moderator may be alone, and no line is before them. */
function reasonToWait({ for: wanted }: Wait): string {
  if (wanted.includes("admission")) return "it waits to be let in";
  return wanted.includes("moderator") ? "it waits for a moderator" : "there is a line";
}

function offeredFor(row: Placement): number {
  if (row.node_id !== null) return FETCH_MS;
  return asksOften(row) ? ASK_OFTEN_MS : ASK_MS;
}

function wantedBy(
  { tenant, placing, sticky_key, wait }: Placement,
  rooms: PlaceRequest["rooms"],
): RoomRequest {
  const { sticky_key: _, ...decided } = placing;
  return {
    ...decided,
    tenant,
    rooms,
    ...(sticky_key === null ? {} : { sticky_key }),
    ...(wait?.room_proofs === undefined ? {} : { room_proofs: wait.room_proofs }),
  };
}
