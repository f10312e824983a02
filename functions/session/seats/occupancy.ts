import type { CallbackKind, Forwarding, ForwardTo } from "../../../shared/callbacks.ts";
import { isSameCaller, sameCallerKey } from "../../../shared/identity.ts";
import { isLive, LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { LivePlacement, LiveRows } from "../store/live-placements.ts";
import { dueBy, type Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { WaitingIndex } from "../store/waiting-index.ts";
import type { HeldSeats } from "./held-seats.ts";

/** How long past its deadline or its lease a placement keeps its seat without having been seen in the room. */
const RESERVED_MS = 30_000;
/** A caller's newest placements, in which the room that they were in last is looked for. */
const OF_CALLER = 30;

/** Of a room's placements the newest, among which one is looked for whose rule wants to be told. */
const FORWARDING = 10;

/** How many seats of a room are taken, and when the first lapses that no caller was seen to take, ms; infinite: none does. */
export interface Seats {
  taken: number;
  lapses_at: number;
}

type NewestRoom = { room: string; created_at: number };

/** What tells whether a placement's seat counts. */
type Seated = Pick<Placement, "state" | "deadline_at" | "lease_until" | "presumed_gone_at">;

/**
 * Occupancy — the placements read room by room: who is where, and how many seats are taken. Writes nothing. Used by whatever chooses a
 * room or counts one.
 */
export class Occupancy {
  readonly #sql: SqlStorage;
  readonly #placements: Placements;
  readonly #live: LiveRows;
  readonly #strangers: (room: string) => number;
  readonly #heldSeats: Pick<HeldSeats, "keptIn">;
  readonly #now: () => number;

  /**
   * @param strangers how many are in a room, by REST, whom nobody placed there: they take seats like everybody.
   * @param kept seats that are kept for callers who dropped.
   */
  constructor(
    sql: SqlStorage,
    placements: Placements,
    strangers: (room: string) => number,
    heldSeats: Pick<HeldSeats, "keptIn">,
    now: () => number,
  ) {
    this.#sql = sql;
    this.#placements = placements;
    this.#live = placements.live;
    this.#strangers = strangers;
    this.#heldSeats = heldSeats;
    this.#now = now;
  }

  /** Whom the newest placement in a room wants told whose rule wants anybody told of this kind. */
  forwardingOf(room: string, kind: CallbackKind, tenant?: string): ForwardTo | null {
    const rows = this.#sql.exec<{ forwarding: string; tenant: string }>(
      `SELECT forwarding, tenant FROM placements INDEXED BY placements_by_forwarding
       WHERE room = ? AND forwarding IS NOT NULL ORDER BY created_at DESC LIMIT ?`,
      room,
      FORWARDING,
    );
    for (const row of rows) {
      // A room is one tenant's; only where plain names have changed hands may another's placement be there.
      if (tenant !== undefined && row.tenant !== tenant) return null;
      const to = (JSON.parse(row.forwarding) as Forwarding)[kind];
      if (to) return to;
    }
    return null;
  }

  /** Those who are in the conference, or seem to have been taken out of it by a document. */
  inConference(room: string, conference_id: string): LivePlacement[] {
    return [...this.#live.in(room)].filter((row) => row.conference_id === conference_id);
  }

  /** All live rows, room by room, so that one list serves several who are asked about together. The caller may pause between them. */
  *byRoom(): Generator<LivePlacement> {
    for (const room of [...this.#live.rooms()]) yield* this.#live.in(room);
  }

  /**
   * Whether an event may have passed it by: not seen in its room by `seen_by`, and in no document of ours that holds it since;
   * or in it by RELAY since before its feed of events began (null: it has a gap now), and not found there by REST after. A row
   * older than any call tells nothing.
   */
  isInDoubt(row: LivePlacement, seen_by: number, feed_since: number | null): boolean {
    if (row.created_at <= this.#oldest()) return false;
    switch (row.state) {
      case "waiting":
        return false;
      case "joined":
        return row.joined_by === "relay" && confirmedAt(row) < (feed_since ?? Number.MAX_SAFE_INTEGER);
      default:
        return dueBy(row) < seen_by && (row.hold_at ?? 0) < seen_by;
    }
  }

  /** Those whose join RELAY accepted, and that were not seen in their rooms. */
  accepted(): LivePlacement[] {
    const oldest = this.#oldest();
    return [...this.#live.all()].filter((row) => row.state === "accepted" && row.created_at > oldest);
  }

  /** Who is in a room now, the longest there first. */
  participants(room: string): LivePlacement[] {
    return this.around(room).filter(({ state }) => state === "joined");
  }

  /** Those that are, or may be, in a room, or wait for it. */
  around(room: string): LivePlacement[] {
    return [...this.#live.in(room)].sort((a, b) => a.created_at - b.created_at);
  }

  /** The tenant whose calls are, or may be, in a room, or wait for it; null: there are none. */
  tenantIn(room: string): string | null {
    for (const { tenant } of this.#live.in(room)) return tenant;
    return null;
  }

  /** Those who wait, whatever for and wherever. */
  get waiting(): WaitingIndex {
    return this.#placements.waiting;
  }

  /** How many of the tenant's calls wait for each room, and since when the first of them does, ms. */
  waitersOf(tenant: string): ReadonlyMap<string, { count: number; since: number }> {
    const waiters = new Map<string, { count: number; since: number }>();
    for (const { tenant: owner, waits_for, created_at } of this.#live.all()) {
      if (owner !== tenant) continue;
      for (const room of waits_for) {
        const { count: others, since } = waiters.get(room) ?? { count: 0, since: created_at };
        waiters.set(room, { count: others + 1, since: Math.min(since, created_at) });
      }
    }
    return waiters;
  }

  /** Whether a moderator was seen in the room. */
  isStaffed(room: string): boolean {
    for (const { state, role } of this.#live.in(room))
      if (state === "joined" && role === "moderator") return true;
    return false;
  }

  /** Those of the rooms in which a moderator was seen. */
  staffedOf(rooms: readonly string[]): ReadonlySet<string> {
    return new Set(rooms.filter((room) => this.isStaffed(room)));
  }

  /** The tenant's rooms behind this one in which calls are, or may be, or for which they wait, by name. */
  ofTenant(tenant: string, after: string, limit: number): string[] {
    const rooms = new Set<string>();
    for (const row of this.#live.all()) if (row.tenant === tenant && row.room > after) rooms.add(row.room);
    return [...rooms].sort().slice(0, limit);
  }

  /** Whether another call of the same caller came for the room when this one was in it, and since then: it may be back already. */
  isBack({ call_id, tenant, room, from, created_at }: Placement, since: number): boolean {
    const came_after = Math.max(created_at, since);
    for (const row of this.#live.in(room)) {
      if (row.tenant !== tenant || row.call_id === call_id || row.created_at < came_after) continue;
      if (isSameCaller(row.from, from)) return true;
    }
    return false;
  }

  /** Whether the row's seat counts. */
  holdsSeat(row: Seated): boolean {
    return row.presumed_gone_at === null && this.isExpected(row);
  }

  /** Whether the call was seen in the room, or may yet be; its seat may have been released all the same. */
  isExpected(row: Seated): boolean {
    if (row.state === "joined") return true;
    return isLive(row.state) && row.state !== "waiting" && this.heldUntil(row) > this.#now();
  }

  /** When the seat of a row that nobody has seen in the room lapses, ms. */
  heldUntil(row: Pick<Placement, "deadline_at" | "lease_until">): number {
    return dueBy(row) + RESERVED_MS;
  }

  /** Whether others have every seat of the room that the row joins, those not counted who joined over capacity. */
  isFullWithout(row: Placement): boolean {
    const { capacity } = row.placing;
    if (capacity === undefined) return false;
    const flagged = count(
      this.#live.in(row.room),
      ({ state, over_capacity }) => state === "joined" && over_capacity === 1,
    );
    return this.taken(row.room) - (this.holdsSeat(row) ? 1 : 0) - flagged >= capacity;
  }

  strangersIn(room: string): number {
    return this.#strangers(room);
  }

  /** Whether seats of the room are not counted, without evidence that their callers left, or never came. */
  hasReleased(room: string): boolean {
    for (const row of this.#live.in(room)) if (row.state !== "waiting" && !this.holdsSeat(row)) return true;
    return false;
  }

  /** How many seats are not counted, though nothing says for sure that their participants left. */
  countReleased(): number {
    return count(this.#live.all(), ({ presumed_gone_at }) => presumed_gone_at !== null);
  }

  /** Of the participants those whom nothing has confirmed since then. */
  *unconfirmedSince(before: number): Generator<LivePlacement> {
    for (const row of this.#live.all()) {
      if (row.state === "joined" && row.presumed_gone_at === null && confirmedAt(row) < before) yield row;
    }
  }

  /** How many of ours were seen in the room and have not left it. */
  countJoined(room: string): number {
    return count(this.#live.in(room), ({ state }) => state === "joined");
  }

  /** The room's participants in the conference with this id; and those of whom nothing told in which conference they are. */
  joinedTo(room: string, conference_id: string): { surely: LivePlacement[]; perhaps: LivePlacement[] } {
    const joined = this.participants(room);
    return {
      surely: joined.filter((row) => row.conference_id === conference_id),
      perhaps: joined.filter((row) => row.conference_id === null),
    };
  }

  /** Rooms with anybody in them. */
  all(): Iterable<string> {
    return this.#live.rooms();
  }

  /** Whether somebody may still be in the room who was placed there before then, and by a document where only those are meant. */
  isOccupied(room: string, placed_before: number, joined_by: "document" | "anyhow"): boolean {
    const oldest = this.#oldest();
    for (const row of this.#live.in(room)) {
      if (row.state !== "joined" || (joined_by === "document" && row.joined_by !== "document")) continue;
      if (row.created_at > oldest && row.created_at < placed_before) return true;
    }
    return false;
  }

  /**
   * How many seats of a room are taken: by those who joined, for a while by those who were sent there and have not been
   * seen yet, and by strangers. Ours are counted anew each time, so that no seat can leak.
   */
  taken(room: string): number {
    return this.#seatsOf(room).taken;
  }

  /** The same of many rooms, and when the first of these seats lapses. */
  seatsIn(rooms: readonly string[]): Map<string, Seats> {
    return new Map(rooms.map((room) => [room, this.#seatsOf(room)]));
  }

  #seatsOf(room: string): Seats {
    const { kept, until } = this.#heldSeats.keptIn(room);
    let taken = this.#strangers(room) + kept;
    let lapses_at = until;
    for (const row of this.#live.in(room)) {
      if (!this.holdsSeat(row)) continue;
      taken += 1;
      if (row.state !== "joined") lapses_at = Math.min(lapses_at, this.heldUntil(row));
    }
    return { taken, lapses_at };
  }

  /** Whether calls are, or may be, in the room, or wait for it. */
  isLive(room: string): boolean {
    return this.tenantIn(room) !== null;
  }

  /**
   * The room that the caller with this key was in last.
   * @param before What the version before kept the caller by.
   */
  ofCaller(tenant: string, sticky_key: string, before?: string): string | null {
    const caller = sameCallerKey(sticky_key, "from");
    if (caller === null) return null;
    const keys = new Set([caller, sticky_key, ...(before === undefined ? [] : [before])]);
    const newest = [...keys]
      .flatMap((key) => this.#newestOf(tenant, key))
      .reduce<NewestRoom | null>(
        (best, row) => (best && best.created_at >= row.created_at ? best : row),
        null,
      );
    return newest?.room ?? null;
  }

  #newestOf(tenant: string, sticky_key: string): NewestRoom[] {
    return this.#sql
      .exec<NewestRoom>(
        `SELECT room, created_at FROM (
           SELECT room, turned_away, state, created_at FROM placements INDEXED BY placements_by_sticky_key
           WHERE tenant = ? AND sticky_key = ? ORDER BY created_at DESC LIMIT ?
         ) WHERE turned_away IS NULL AND state != 'waiting' LIMIT 1`,
        tenant,
        sticky_key,
        OF_CALLER,
      )
      .toArray();
  }

  /** How many calls are, or may be, in a room: a lost leave does not count for ever. */
  countLive(): number {
    const oldest = this.#oldest();
    return count(this.#live.all(), ({ created_at }) => created_at > oldest);
  }

  /** Resolves when all rooms are known, as they are a moment after a start. */
  known(): Promise<void> {
    return this.#live.whole();
  }

  /** Whatever was placed before then is over. */
  #oldest(): number {
    return this.#now() - LONGEST_CALL_MS;
  }
}

function confirmedAt({ verified_at, created_at }: LivePlacement): number {
  return verified_at ?? created_at;
}

function count(rows: Iterable<LivePlacement>, isCounted: (row: LivePlacement) => boolean): number {
  let counted = 0;
  for (const row of rows) if (isCounted(row)) counted += 1;
  return counted;
}
