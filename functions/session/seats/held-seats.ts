import { sameCallerKey, samePortKey } from "../../../shared/identity.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { Placing } from "../../../shared/placing.ts";
import type { PlacementKey, PlaceRequest, Returning } from "../contract/placement.ts";
import type { Disk } from "../store/disk.ts";

/** A seat that is claimed is kept for the placement that follows, and is anybody's to claim again after this. */
const CLAIM_MS = 15_000;
/** A call whose time was over may have been answered so long before it was placed, and was then ended so much earlier. */
const SPENT_MS = 15_000;
/** Of one caller's kept seats the newest are looked at: callers without a number share theirs. */
const OF_CALLER = 40;

/** A seat that may be claimed. */
type Claimable = {
  seq: number;
  call_id: string;
  room: string | null;
  until: number;
  claimed_by: string | null;
  claimed_until: number | null;
};

/**
 * HeldSeats — the seats of callers who dropped and may come back: the one owner of their table. Used by placing, by events and by
 * commands.
 */
export class HeldSeats {
  readonly #disk: Disk;
  readonly #now: () => number;
  /** No seat is kept from then on, ms. */
  #until: number;
  /** The seats that are kept of a room, and until when, by their rows. A room without is not here, nor one not asked about yet. */
  readonly #rooms = new Map<string, Map<number, number>>();

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
    const { until } = disk
      .exec<{ until: number | null }>(
        "SELECT MAX(until) AS until FROM kept_seats INDEXED BY kept_seats_by_end WHERE until IS NOT NULL",
      )
      .one();
    this.#until = until ?? 0;
  }

  /** The caller's seat is to be kept, should the call drop. */
  promise({ call_id, entry, step, tenant, from, rejoin }: PlaceRequest): void {
    const caller = rejoin?.placing.secret ? samePortKey(from) : sameCallerKey(from, "from");
    if (!rejoin || caller === null) return;
    this.#disk.attempt(
      `INSERT OR IGNORE INTO kept_seats (call_id, entry, step, tenant, "from", "to", keep_s, placing, made_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      call_id,
      entry,
      step,
      tenant,
      caller,
      numberKey(rejoin.to),
      rejoin.s,
      JSON.stringify(rejoin.placing),
      this.#now(),
    );
  }

  /**
   * The call has left this room: its seat is kept from now on, if that was promised; returns whether it was. Idempotent.
   * @param undecided_ms How long it may turn out that the caller was removed. The call that left claims the seat for that time, so
   * that no other call can; without an answer it was a drop.
   * @param since When the time began that the rule lets the call last, ms. One that has lasted so long did not drop.
   */
  keep(key: PlacementKey, room: string, undecided_ms: number, since = this.#now()): boolean {
    const now = this.#now();
    const [kept] =
      this.#disk.attempt<{ seq: number; until: number; placing: string }>(
        `UPDATE kept_seats SET room = ?, until = ? + keep_s * 1000, claimed_by = call_id, claimed_until = ?
         WHERE call_id = ? AND entry = ? AND step = ? AND until IS NULL RETURNING seq, until, placing`,
        room,
        now,
        now + undecided_ms,
        key.call_id,
        key.entry,
        key.step,
      ) ?? [];
    if (!kept) return false;
    const { max_duration_s = Number.POSITIVE_INFINITY } = JSON.parse(kept.placing) as Placing; // As `promise` wrote it.
    const longest_ms = max_duration_s * 1000;
    if (now - since >= longest_ms - Math.min(SPENT_MS, longest_ms / 10)) {
      this.removed(key);
      return false;
    }
    this.#until = Math.max(this.#until, kept.until);
    this.#rooms.get(room)?.set(kept.seq, kept.until);
    return true;
  }

  /** The call that left is over: the caller dropped, and may claim the seat at once. */
  dropped({ call_id, entry, step }: PlacementKey): void {
    if (this.#now() >= this.#until) return;
    this.#disk.attempt(
      `UPDATE kept_seats SET claimed_by = NULL, claimed_until = NULL
       WHERE call_id = ? AND entry = ? AND step = ? AND claimed_by = call_id`,
      call_id,
      entry,
      step,
    );
  }

  /**
   * The caller was removed and nothing is kept. Returns the room in which a seat is free because of that, or null. A seat that is
   * known to be of a drop stays.
   */
  removed({ call_id, entry, step }: PlacementKey): string | null {
    const [gone] =
      this.#disk.attempt<{ seq: number; room: string | null; until: number | null }>(
        `DELETE FROM kept_seats WHERE call_id = ? AND entry = ? AND step = ? AND (until IS NULL OR claimed_by = call_id)
         RETURNING seq, room, until`,
        call_id,
        entry,
        step,
      ) ?? [];
    if (gone?.room == null || gone.until === null) return null;
    this.#rooms.get(gone.room)?.delete(gone.seq);
    return gone.room;
  }

  /** Whether a seat is kept for the call's caller, or is to be, should the call drop. */
  isPromised({ call_id, entry, step }: PlacementKey): boolean {
    const [row] = this.#disk.exec(
      "SELECT 1 FROM kept_seats WHERE call_id = ? AND entry = ? AND step = ?",
      call_id,
      entry,
      step,
    );
    return row !== undefined;
  }

  /** It is in its room after all. */
  unkeep({ call_id, entry, step }: PlacementKey): void {
    if (this.#until === 0) return;
    const [kept] =
      this.#disk.attempt<{ seq: number; room: string | null }>(
        `UPDATE kept_seats SET until = NULL, claimed_by = NULL, claimed_until = NULL
         WHERE until IS NOT NULL AND call_id = ? AND entry = ? AND step = ? RETURNING seq, room`,
        call_id,
        entry,
        step,
      ) ?? [];
    if (kept?.room != null) this.#rooms.get(kept.room)?.delete(kept.seq);
  }

  /**
   * The room's conference ended then: there is nothing to come back to. Forgets up to `limit` seats; false where those were all.
   */
  emptied(room: string, ended_at: number, limit: number): boolean {
    if (this.#now() >= this.#until) return false;
    const forgotten = this.#disk
      .exec(
        `DELETE FROM kept_seats WHERE seq IN (
           SELECT seq FROM kept_seats INDEXED BY kept_seats_by_room
           WHERE room = ? AND until > 0 AND until - keep_s * 1000 <= ? LIMIT ?
         ) RETURNING seq`,
        room,
        ended_at,
        limit,
      )
      .toArray();
    this.#rooms.delete(room);
    return forgotten.length === limit;
  }

  /** How many seats of the room are kept. */
  countIn(room: string): number {
    return this.keptIn(room).kept;
  }

  /** The same, and until when the first of them is kept, ms; infinite: none is. */
  keptIn(room: string): { kept: number; until: number } {
    const now = this.#now();
    if (now >= this.#until) return { kept: 0, until: Number.POSITIVE_INFINITY };
    const kept = this.#rooms.get(room) ?? this.#read(room, now);
    let first = Number.POSITIVE_INFINITY;
    for (const [seq, until] of kept) {
      if (until <= now) kept.delete(seq);
      else first = Math.min(first, until);
    }
    if (kept.size === 0) this.#rooms.delete(room);
    else this.#rooms.set(room, kept);
    return { kept: kept.size, until: first };
  }

  /** What a caller who comes back was placed by, and may be again; claimed for this call for a while. */
  claim({ tenant, from, to, call_id, before }: Returning): Placing | null {
    const now = this.#now();
    const caller = sameCallerKey(from, "from");
    if (now >= this.#until || caller === null) return null;
    const number = numberKey(to);
    const with_port = samePortKey(from) ?? caller;
    const as_before: [string, string] = [before?.from ?? from, before?.to ?? to];
    const is_known = as_before[1] === number && [caller, with_port].includes(as_before[0]);
    const numbers: [string, string][] = [
      [caller, number],
      ...(with_port === caller ? [] : ([[with_port, number]] as [string, string][])),
      ...(is_known ? [] : [as_before]),
    ];
    const seats = numbers
      .flatMap(([one, other]) => this.#newestOf(tenant, one, other))
      .filter(
        (seat) =>
          seat.until > now &&
          // A call that is back itself did not drop.
          seat.call_id !== call_id &&
          (seat.claimed_by === call_id ||
            (seat.room !== null && (seat.claimed_by === null || (seat.claimed_until ?? 0) <= now))),
      );
    // A webhook that comes twice finds what the first has claimed.
    const best =
      seats.find(({ claimed_by }) => claimed_by === call_id) ?? seats.sort((a, b) => b.until - a.until)[0];
    if (best === undefined) return null;
    const [found] =
      this.#disk.attempt<{ seq: number; room: string | null; until: number; placing: string }>(
        `UPDATE kept_seats SET claimed_by = ?, claimed_until = ?, until = MAX(until, ?) WHERE seq = ?
         RETURNING seq, room, until, placing`,
        call_id,
        now + CLAIM_MS,
        now + CLAIM_MS,
        best.seq,
      ) ?? [];
    if (found?.room != null) this.#rooms.get(found.room)?.set(found.seq, found.until);
    this.#until = Math.max(this.#until, now + CLAIM_MS);
    return found ? (JSON.parse(found.placing) as Placing) : null;
  }

  /**
   * The room of the seat that this call has claimed; the seat is kept no more, and the caller has it. A webhook that comes
   * twice finds the claim for a while.
   */
  take(call_id: string): string | null {
    const now = this.#now();
    if (now >= this.#until) return null;
    const [taken] = this.#disk.exec<{ seq: number; room: string }>(
      `SELECT seq, room FROM kept_seats INDEXED BY kept_seats_by_claim
       WHERE claimed_by = ? AND call_id != claimed_by AND until > ? AND room IS NOT NULL LIMIT 1`,
      call_id,
      now,
    );
    if (!taken) return null;
    this.#disk.attempt(
      "UPDATE kept_seats SET room = NULL, until = ? WHERE seq = ?",
      now + CLAIM_MS,
      taken.seq,
    );
    this.#rooms.get(taken.room)?.delete(taken.seq);
    return taken.room;
  }

  /** Forgets up to `limit` seats that are kept no more, and as many promises to calls that have long ended; returns how many. */
  forget(limit: number): number {
    const now = this.#now();
    const over = this.#disk.exec(
      `DELETE FROM kept_seats WHERE seq IN (
         SELECT seq FROM kept_seats INDEXED BY kept_seats_by_end WHERE until <= ? LIMIT ?
       ) RETURNING seq`,
      now,
      limit,
    );
    const promises = this.#disk.exec(
      "DELETE FROM kept_seats WHERE seq < (SELECT MIN(seq) + ? FROM kept_seats) AND made_at < ? RETURNING seq",
      limit,
      now - LONGEST_CALL_MS,
    );
    return over.toArray().length + promises.toArray().length;
  }

  /** When the oldest promise is forgotten, ms; null: there is none. */
  nextForget(): number | null {
    const [row] = this.#disk.exec<{ at: number }>(
      "SELECT made_at AS at FROM kept_seats WHERE seq = (SELECT MIN(seq) FROM kept_seats)",
    );
    return row ? row.at + LONGEST_CALL_MS : null;
  }

  #newestOf(tenant: string, from: string, to: string): Claimable[] {
    return this.#disk
      .exec<Claimable>(
        `SELECT seq, call_id, room, until, claimed_by, claimed_until FROM kept_seats INDEXED BY kept_seats_by_caller
         WHERE tenant = ? AND "from" = ? AND "to" = ? AND until IS NOT NULL ORDER BY seq DESC LIMIT ?`,
        tenant,
        from,
        to,
        OF_CALLER,
      )
      .toArray();
  }

  #read(room: string, now: number): Map<number, number> {
    const kept = this.#disk.exec<{ seq: number; until: number }>(
      "SELECT seq, until FROM kept_seats INDEXED BY kept_seats_by_room WHERE room = ? AND until > ?",
      room,
      now,
    );
    return new Map([...kept].map(({ seq, until }) => [seq, until]));
  }
}

/** What was dialled, however it is written; a text that names nobody stands for itself. */
function numberKey(to: string): string {
  return sameCallerKey(to, "to") ?? to;
}
