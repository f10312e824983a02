import { serveLine } from "../../shared/line.ts";
import type { Wait } from "../../shared/rules/decision.ts";
import { describeError, log } from "../log.ts";
import type { PlacementKey, PlaceReply, PlaceRequest, TurnedAway } from "./contract.ts";
import type { Errands } from "./errands.ts";
import { Glance } from "./glance.ts";
import type { Placement, Placements } from "./placements.ts";
import { joinCommandId, replyOf } from "./placing.ts";
import type { Rooms } from "./rooms.ts";
import { chooseRoom, type Wanted } from "./seats.ts";
import { type Terms, termsOf } from "./terms.ts";
import { asksOften, positionOf, waitsFor, wasSeen } from "./waiters.ts";

/** Its seat waits for a waiter who is being fetched, while each of the tries is made. */
const FETCH_MS = 2 * 60_000;
/** The same for one who is not fetched: by then it has asked, or is looked for; and for one who asks every few seconds. */
const ASK_MS = 60_000;
const ASK_OFTEN_MS = 20_000;
/** A document that joins has been sent: soon it is seen in the room. */
const TAKING_MS = 5_000;
/** Reservations expire without an event: so often somebody looks, while anybody waits. */
const WATCH_MS = 1_000;
/** A leave may have been lost: REST is asked about the rooms that somebody waits for, no oftener than this. */
const DOUBT_MS = 10_000;
/** What is written of each poll is written no oftener than this. */
const SEEN_MS = 5_000;

interface LineHost {
  placements: Placements;
  rooms: Rooms;
  errands: Errands;
  /** Whether the call is walked by the session, be it that nobody has taken that up again yet. */
  isWalked(call_id: string): boolean;
  /** There are errands to run. */
  start(): void;
  /** Somebody waits before these rooms: whether their seats are all taken in truth is asked. */
  doubt(rooms: readonly string[]): void;
  now(): number;
}

/**
 * Those who wait for their rooms. Whoever is let in has its seat in the same turn, and is then fetched out of its waiting
 * document; should that fail, its own next poll brings it in, or it stands in its old place again.
 */
export class Line {
  readonly #host: LineHost;
  /** False while it is known that nobody waits. */
  #mayWait = true;
  #stirred = false;
  #doubtAt = 0;
  #watch: ReturnType<typeof setTimeout> | null = null;
  /** Waiters who need not be fetched: somebody here leads them. */
  readonly #led = new Map<string, () => void>();

  constructor(host: LineHost) {
    this.#host = host;
  }

  /** Something moved in the ledger: whom it lets in is let in at the end of this very turn. */
  stir(): void {
    if (!this.#mayWait || this.#stirred) return;
    this.#stirred = true;
    queueMicrotask(() => {
      this.#stirred = false;
      try {
        this.serve();
      } catch (error) {
        log("error", "line.broke", { error: describeError(error) });
      }
    });
  }

  /**
   * The rooms that a newcomer may enter at once, in order; or the newcomer stands in the line from now on. No await lies between
   * this and the row that takes the seat.
   */
  arrive(request: PlaceRequest): { rooms: PlaceRequest["rooms"] } | { row: Placement } {
    const { placements, rooms } = this.#host;
    const { wait } = request;
    if (!wait) return request;
    const closed = this.serve();
    const open = request.rooms.filter((room) => !closed.has(room));
    const enterable = wait.for.includes("moderator") ? open.filter((room) => rooms.isStaffed(room)) : open;
    const [first, ...rest] = enterable;
    if (first !== undefined && !wait.for.includes("admission")) {
      const chosen = chooseRoom(rooms, { ...request, rooms: [first, ...rest] });
      const isFull = chosen.room === null && chosen.turned_away === "full";
      if (!isFull || !wait.for.includes("seat")) return { rooms: [first, ...rest] };
    }
    const row = placements.plan(request, request.rooms[0], "there is a line", "waiting");
    this.#stands(row, wait);
    return { row };
  }

  /** One who left without ever having come, and is there all the same: it stands where it would have stood. False for others. */
  stand(row: Placement, request: PlaceRequest, wait: Wait): boolean {
    const { placements, now } = this.#host;
    const changes = {
      reason: "its join came to nothing",
      wait: termsOf(request, wait),
      joined_by: null,
      seen_at: now(),
    };
    if (!placements.move(row, "waiting", changes)) return false;
    this.#stands(row, wait);
    return true;
  }

  /** A waiter asks, by itself or because REST led it here: it is there, and is told how it stands. */
  polled(row: Placement, wasLed: boolean): PlaceReply {
    const { placements, errands, now } = this.#host;
    // Its seat was kept for a while, and others may have it by now.
    if (row.deadline_at <= now()) this.takeBack(row);
    if (row.state === "waiting") {
      if (now() - (row.seen_at ?? 0) >= SEEN_MS) placements.update(row, { seen_at: now() });
      this.serve();
    }
    // It is being fetched this very moment: were it to come by itself as well, the one would take it out where the other put it.
    const isFetched = !wasLed && errands.isUnderWay("fetch", row);
    if (row.state === "waiting" || isFetched) return this.standing(row);
    errands.drop("fetch", row);
    this.handedOver(row);
    return replyOf(row);
  }

  /** How a waiter stands. */
  standing(row: Placement): PlaceReply {
    const { rooms, now } = this.#host;
    return {
      ...replyOf(row),
      outcome: "waiting",
      waiting: { for: waitsFor(rooms, row), position: positionOf(rooms.waiting(), row, now()) },
    };
  }

  /** Its document joins from now on: it will be seen in its room soon, or not at all. */
  handedOver(row: Placement): void {
    if (row.state !== "by_document" || row.joined_ts !== null) return;
    this.#host.placements.update(row, { deadline_at: this.#host.now() + TAKING_MS });
  }

  /** It was let in and is not in its room, as far as anybody can say: its seat passes on, and it has its old place. */
  takeBack(row: Placement): boolean {
    const { placements, errands } = this.#host;
    if (row.wait === null || row.joined_ts !== null || row.state !== "by_document") return false;
    errands.drop("expire", row);
    placements.move(row, "waiting", { reason: "could not be fetched" });
    this.#stands(row, row.wait);
    return true;
  }

  /** Neither RELAY nor REST sees it: it has its old place again, and holds up nobody until it asks by itself. */
  missed(key: PlacementKey): void {
    const row = this.#host.placements.find(key);
    if (row && this.takeBack(row)) this.#host.placements.update(row, { seen_at: 0 });
  }

  /** An operator lets it in; false where it does not wait for that, or does no more. */
  admit(row: Placement): boolean {
    if (!row.wait?.for.includes("admission") || row.turned_away !== null) return false;
    if (row.admitted === 1) return true;
    if (row.state !== "waiting") return false;
    this.#host.placements.update(row, { admitted: 1 });
    this.serve();
    return true;
  }

  /** It is not let in, and is told so at once; false where it waits no more. */
  turnAway(row: Placement, why: TurnedAway, reason: string): boolean {
    if (row.state !== "waiting") return row.wait !== null && row.turned_away === why;
    this.#host.errands.drop("overdue", row);
    this.#host.placements.move(row, "failed", { turned_away: why, reason });
    this.#call(row);
    this.#host.start();
    return true;
  }

  /** The call is over. */
  ended(row: Placement): void {
    if (row.wait === null || row.joined_ts !== null) return;
    for (const kind of ["fetch", "overdue", "expire"] as const) this.#host.errands.drop(kind, row);
    this.#host.placements.move(row, "failed", { reason: "the caller hung up" });
  }

  /**
   * Instead of being fetched, this waiter is led by the session itself: `called` when its turn has come or it is turned away; it
   * then asks how it stands. Returns how to end that.
   */
  lead(key: PlacementKey, called: () => void): () => void {
    const id = joinCommandId(key);
    this.#led.set(id, called);
    return () => this.#led.delete(id);
  }

  /** Lets in whom it can, now. Says which rooms are closed to newcomers. */
  serve(): ReadonlySet<string> {
    const { rooms, now } = this.#host;
    if (!this.#mayWait) return new Set();
    const waiting = rooms.waiting();
    this.#mayWait = waiting.length > 0;
    const present = waiting.filter((row) => this.#isPresent(row, now()));
    // Nothing but what is done here changes the rooms in this turn.
    const glance = new Glance(rooms, present);
    const closed = serveLine(present, {
      rooms: ({ wait }) => wait?.rooms ?? [],
      isReady: (row) => waitsFor(glance, row) === "seat",
      seat: (row, open) => row.wait !== null && this.#seat(row, row.wait, open, glance),
    });
    this.#host.start();
    if (closed.size > 0 && now() >= this.#doubtAt) {
      this.#doubtAt = now() + DOUBT_MS;
      this.#host.doubt([...closed]);
    }
    this.#keepWatch();
    return closed;
  }

  #stands(row: Placement, { max_s }: Pick<Wait, "max_s">): void {
    this.#mayWait = true;
    this.#host.errands.add("overdue", row, row.node_id, row.created_at + max_s * 1000);
    this.#host.start();
    this.#keepWatch();
  }

  #seat(row: Placement, terms: Terms, open: readonly [string, ...string[]], glance: Glance): boolean {
    const { placements, errands, now } = this.#host;
    const [first, ...rest] = terms.for.includes("moderator")
      ? open.filter((room) => glance.isStaffed(room))
      : open;
    if (first === undefined) return false;
    const chosen = chooseRoom(glance, wantedBy(row, terms, [first, ...rest]));
    if (chosen.room === null) {
      if (chosen.turned_away === "full" && terms.for.includes("seat")) return false;
      return this.turnAway(row, chosen.turned_away, chosen.reason);
    }
    errands.drop("overdue", row);
    placements.move(row, "by_document", {
      room: chosen.room,
      join: chosen.join,
      joined_by: "document",
      deadline_at: now() + offeredFor(row),
      reason: "its turn has come",
    });
    glance.seated(chosen.room);
    if (terms.max_duration_s !== undefined) {
      errands.add("expire", row, row.node_id, now() + terms.max_duration_s * 1000);
    }
    this.#call(row);
    return true;
  }

  #call(row: Placement): void {
    const called = this.#led.get(joinCommandId(row));
    if (called) queueMicrotask(called);
    // Whoever takes its walk up again asks at once, and stops the music first, which a transfer would leave to be heard in the room.
    else if (!this.#host.isWalked(row.call_id)) this.#host.errands.add("fetch", row, row.node_id);
  }

  #isPresent(row: Placement, now: number): boolean {
    return wasSeen(row, now) || this.#led.has(joinCommandId(row));
  }

  #keepWatch(): void {
    if (!this.#mayWait || this.#watch !== null) return;
    this.#watch = setTimeout(() => {
      this.#watch = null;
      this.stir();
    }, WATCH_MS);
  }
}

function offeredFor(row: Placement): number {
  if (row.node_id !== null) return FETCH_MS;
  return asksOften(row) ? ASK_OFTEN_MS : ASK_MS;
}

function wantedBy(row: Placement, { strategy, coach, join }: Terms, rooms: PlaceRequest["rooms"]): Wanted {
  return {
    tenant: row.tenant,
    rooms,
    strategy,
    join,
    ...(row.capacity === null ? {} : { capacity: row.capacity }),
    ...(row.sticky_key === null ? {} : { sticky_key: row.sticky_key }),
    ...(coach === undefined ? {} : { coach }),
  };
}
