import type { Forwarding } from "../../shared/callbacks.ts";
import { isLive, LONGEST_CALL_MS } from "../../shared/placement.ts";
import type { PlacementKey } from "./contract.ts";
import type { KeptSeats } from "./kept-seats.ts";
import type { Placement, Placements } from "./placements.ts";
import type { WaitingIndex } from "./waiting-index.ts";

/** How long past its deadline a placement keeps its seat without having been seen in the room. */
const RESERVED_MS = 30_000;

/** Of the rows that are written, with RESERVED_MS and the time. */
const HOLDS_SEAT =
  "live = 1 AND presumed_gone_at IS NULL AND (state = 'joined' OR (state != 'waiting' AND deadline_at + ? > ?))";

/** How many seats of a room are taken, and when the first lapses that nobody was seen to take, ms; infinite: none does. */
export interface Seats {
  taken: number;
  lapses_at: number;
}

type Key = PlacementKey & Record<string, SqlStorageValue>;

/** The ledger read room by room: who is where, and how many seats are taken. Writes nothing. */
export class Rooms {
  readonly #sql: SqlStorage;
  readonly #placements: Placements;
  readonly #strangers: (room: string) => number;
  readonly #kept: Pick<KeptSeats, "countIn" | "counts">;
  readonly #now: () => number;

  /**
   * @param strangers how many are in a room, by REST, whom nobody placed there: they take seats like everybody.
   * @param kept seats that are kept for callers who dropped.
   */
  constructor(
    sql: SqlStorage,
    placements: Placements,
    strangers: (room: string) => number,
    kept: Pick<KeptSeats, "countIn" | "counts">,
    now: () => number,
  ) {
    this.#sql = sql;
    this.#placements = placements;
    this.#strangers = strangers;
    this.#kept = kept;
    this.#now = now;
  }

  /** The newest placement in a room whose rule wants to be told of its conference. */
  forwardingOf(room: string): Forwarding | null {
    const [row] = this.#sql.exec<{ forwarding: string }>(
      "SELECT forwarding FROM placements WHERE room = ? AND forwarding IS NOT NULL ORDER BY created_at DESC LIMIT 1",
      room,
    );
    return row ? (JSON.parse(row.forwarding) as Forwarding) : null;
  }

  /** Those who are in the conference, or seem to have been taken out of it by a document. */
  inConference(room: string, conference_id: string): Placement[] {
    return this.#found(
      this.#sql.exec<Key>(
        "SELECT call_id, entry, step FROM placements WHERE room = ? AND live = 1 AND conference_id = ?",
        room,
        conference_id,
      ),
    );
  }

  /**
   * Those whom an event may have passed by: not seen in their room by `seen_by`, and in no document of ours that holds them since;
   * or in it by RELAY since before its feed of events began (null: it has a gap now), and not found there by REST after. Rows
   * older than any call tell nothing.
   */
  inDoubt(seen_by: number, feed_since: number | null): Placement[] {
    return this.#found(
      this.#sql.exec<Key>(
        `SELECT call_id, entry, step FROM placements INDEXED BY placements_by_seat WHERE live = 1 AND created_at > ?
           AND ((state NOT IN ('joined', 'waiting') AND deadline_at < ? AND COALESCE(hold_at, 0) < ?)
             OR (state = 'joined' AND joined_by = 'relay' AND COALESCE(verified_at, created_at) < ?))`,
        this.#oldest(),
        seen_by,
        seen_by,
        feed_since ?? Number.MAX_SAFE_INTEGER,
      ),
    );
  }

  /** Those whose join RELAY accepted, and that were not seen in their rooms. */
  accepted(): Placement[] {
    return this.#found(
      this.#sql.exec<Key>(
        `SELECT call_id, entry, step FROM placements INDEXED BY placements_by_seat
         WHERE live = 1 AND state = 'accepted' AND created_at > ?`,
        this.#oldest(),
      ),
    );
  }

  /** Who is in a room now, the longest there first. */
  participants(room: string): Placement[] {
    return this.#found(
      this.#sql.exec<Key>(
        "SELECT call_id, entry, step FROM placements WHERE room = ? AND live = 1 AND state = 'joined' ORDER BY created_at",
        room,
      ),
    );
  }

  /** Those that are, or may be, in a room, or wait for it. */
  around(room: string): Placement[] {
    return this.#found(
      this.#sql.exec<Key>(
        "SELECT call_id, entry, step FROM placements WHERE room = ? AND live = 1 ORDER BY created_at",
        room,
      ),
    );
  }

  /** Those who wait, whatever for and wherever. */
  get waiting(): WaitingIndex {
    return this.#placements.waiting;
  }

  /** Whether a moderator was seen in the room. */
  isStaffed(room: string): boolean {
    return this.staffedOf([room]).has(room);
  }

  /** Those of the rooms in which a moderator was seen. */
  staffedOf(rooms: readonly string[]): ReadonlySet<string> {
    const staffed = this.#sql.exec<{ room: string }>(
      `SELECT DISTINCT room FROM placements INDEXED BY placements_by_seat
       WHERE room IN (SELECT value FROM json_each(?)) AND live = 1 AND state = 'joined' AND role = 'moderator'`,
      JSON.stringify(rooms),
    );
    return new Set([...staffed].map(({ room }) => room));
  }

  /** The tenant's rooms in which calls are, or may be, or for which they wait, by name. */
  ofTenant(tenant: string, limit: number): string[] {
    return this.#sql
      .exec<{ room: string }>(
        `SELECT DISTINCT room FROM placements INDEXED BY placements_by_seat
         WHERE live = 1 AND tenant = ? ORDER BY room LIMIT ?`,
        tenant,
        limit,
      )
      .toArray()
      .map(({ room }) => room);
  }

  /** Whether another call of the same caller came for the room when this one was in it, and since then: it may be back already. */
  isBack({ call_id, tenant, room, from, created_at }: Placement, since: number): boolean {
    return (
      this.#sql
        .exec<{ back: number }>(
          `SELECT EXISTS (SELECT 1 FROM placements WHERE room = ? AND live = 1 AND tenant = ? AND "from" = ? AND call_id != ?
           AND created_at >= ?) AS back`,
          room,
          tenant,
          from,
          call_id,
          Math.max(created_at, since),
        )
        .one().back === 1
    );
  }

  /** Whether the row's seat counts. */
  holdsSeat(row: Placement): boolean {
    return row.presumed_gone_at === null && this.isExpected(row);
  }

  /** Whether the call was seen in the room, or may yet be; its seat may have been released all the same. */
  isExpected(row: Placement): boolean {
    if (row.state === "joined") return true;
    return isLive(row.state) && row.state !== "waiting" && this.heldUntil(row) > this.#now();
  }

  /** When the seat of a row that nobody has seen in the room lapses, ms. */
  heldUntil({ deadline_at }: Placement): number {
    return deadline_at + RESERVED_MS;
  }

  /** Whether others have every seat of the room that the row joins, those not counted who joined over capacity. */
  isFullWithout(row: Placement): boolean {
    if (row.capacity === null) return false;
    const { flagged } = this.#sql
      .exec<{ flagged: number }>(
        `SELECT COUNT(*) AS flagged FROM placements
         WHERE room = ? AND live = 1 AND state = 'joined' AND over_capacity = 1`,
        row.room,
      )
      .one();
    return this.taken(row.room) - (this.holdsSeat(row) ? 1 : 0) - flagged >= row.capacity;
  }

  strangersIn(room: string): number {
    return this.#strangers(room);
  }

  /** Whether seats of the room were released without evidence that their participants left. */
  hasReleased(room: string): boolean {
    return (
      this.#sql
        .exec<{ released: number }>(
          `SELECT EXISTS (SELECT 1 FROM placements INDEXED BY placements_by_seat
             WHERE room = ? AND live = 1 AND presumed_gone_at IS NOT NULL) AS released`,
          room,
        )
        .one().released === 1
    );
  }

  /** How many seats are not counted, though nothing says for sure that their participants left. */
  countReleased(): number {
    return this.#sql
      .exec<{ released: number }>(
        `SELECT COUNT(*) AS released FROM placements INDEXED BY placements_by_seat
         WHERE live = 1 AND presumed_gone_at IS NOT NULL`,
      )
      .one().released;
  }

  /** Up to `limit` participants after the one with this `seq` whom nothing has confirmed since then, in the order of their rows. */
  unconfirmedSince(before: number, after_seq: number, limit: number): { row: Placement; seq: number }[] {
    return this.#sql
      .exec<Key & { seq: number }>(
        `SELECT call_id, entry, step, seq FROM placements
         WHERE seq > ? AND live = 1 AND state = 'joined' AND presumed_gone_at IS NULL
           AND COALESCE(verified_at, created_at) < ? ORDER BY seq LIMIT ?`,
        after_seq,
        before,
        limit,
      )
      .toArray()
      .flatMap(({ seq, ...key }) => {
        const row = this.#placements.find(key);
        return row ? [{ row, seq }] : [];
      });
  }

  /** How many of ours were seen in the room and have not left it. */
  countJoined(room: string): number {
    return this.#sql
      .exec<{ joined: number }>(
        "SELECT COUNT(*) AS joined FROM placements WHERE room = ? AND live = 1 AND state = 'joined'",
        room,
      )
      .one().joined;
  }

  /** The room's participants in the conference with this id; and those of whom nothing told in which conference they are. */
  joinedTo(room: string, conference_id: string): { surely: Placement[]; perhaps: Placement[] } {
    const joined = this.participants(room);
    return {
      surely: joined.filter((row) => row.conference_id === conference_id),
      perhaps: joined.filter((row) => row.conference_id === null),
    };
  }

  /** Rooms that somebody may still be in who was placed there before then, and by a document where only those are meant. */
  occupied(placed_before: number, joined_by: "document" | "anyhow", limit: number): string[] {
    return this.#sql
      .exec<{ room: string }>(
        `SELECT DISTINCT room FROM placements INDEXED BY placements_by_seat
         WHERE live = 1 AND state = 'joined' AND created_at > ? AND created_at < ? AND joined_by IN ('document', ?) LIMIT ?`,
        this.#oldest(),
        placed_before,
        joined_by === "document" ? "document" : "relay",
        limit,
      )
      .toArray()
      .map(({ room }) => room);
  }

  /**
   * How many seats of a room are taken: by those who joined, for a while by those who were sent there and have not been
   * seen yet, and by strangers. Ours are counted anew each time, so that no seat can leak.
   */
  taken(room: string): number {
    const { taken } = this.#sql
      .exec<{ taken: number }>(
        `SELECT COUNT(*) AS taken FROM placements WHERE room = ? AND ${HOLDS_SEAT}`,
        room,
        RESERVED_MS,
        this.#now(),
      )
      .one();
    return taken + this.#unplacedIn(room, this.#kept.countIn(room));
  }

  /** The same of many rooms, and when the first of these seats lapses. */
  seatsIn(rooms: readonly string[]): Map<string, Seats> {
    const placed = this.#sql.exec<{ room: string; taken: number; deadline_at: number | null }>(
      `SELECT room, COUNT(*) AS taken, MIN(CASE state WHEN 'joined' THEN NULL ELSE deadline_at END) AS deadline_at
       FROM placements INDEXED BY placements_by_seat
       WHERE room IN (SELECT value FROM json_each(?)) AND ${HOLDS_SEAT} GROUP BY room`,
      JSON.stringify(rooms),
      RESERVED_MS,
      this.#now(),
    );
    const ours = new Map([...placed].map((row) => [row.room, row]));
    const kept = this.#kept.counts();
    return new Map(
      rooms.map((room) => {
        const { taken = 0, deadline_at } = ours.get(room) ?? {};
        const { kept: kept_seats = 0, until = Number.POSITIVE_INFINITY } = kept.get(room) ?? {};
        const reserved_until = (deadline_at ?? Number.POSITIVE_INFINITY) + RESERVED_MS;
        const lapses_at = Math.min(reserved_until, until);
        return [room, { taken: taken + this.#unplacedIn(room, kept_seats), lapses_at }];
      }),
    );
  }

  /** The room that the caller with this key was in last. */
  ofCaller(tenant: string, sticky_key: string): string | null {
    const [row] = this.#sql.exec<{ room: string }>(
      `SELECT room FROM placements WHERE tenant = ? AND sticky_key = ? AND turned_away IS NULL AND state != 'waiting'
       ORDER BY created_at DESC LIMIT 1`,
      tenant,
      sticky_key,
    );
    return row?.room ?? null;
  }

  /** How many calls are, or may be, in a room: a lost leave does not count for ever. */
  countLive(): number {
    const { live } = this.#sql
      .exec<{ live: number }>(
        "SELECT COUNT(*) AS live FROM placements INDEXED BY placements_by_seat WHERE live = 1 AND created_at > ?",
        this.#oldest(),
      )
      .one();
    return live + this.#placements.unwritten;
  }

  /** Whatever was placed before then is over. */
  #oldest(): number {
    return this.#now() - LONGEST_CALL_MS;
  }

  #unplacedIn(room: string, kept: number): number {
    return this.#placements.unwrittenIn(room) + this.#strangers(room) + kept;
  }

  #found(keys: Iterable<PlacementKey>): Placement[] {
    return [...keys].flatMap((key) => this.#placements.find(key) ?? []);
  }
}
