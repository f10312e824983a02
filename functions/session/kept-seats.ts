import { LONGEST_CALL_MS } from "../../shared/placement.ts";
import type { Placing } from "../../shared/seal.ts";
import type { PlacementKey, PlaceRequest } from "./contract.ts";

/** A seat that is claimed is kept for the placement that follows, and is anybody's to claim again after this. */
const CLAIM_MS = 15_000;

/** A caller who may be one that dropped: the same numbers. */
export interface Returning {
  tenant: string;
  from: string;
  to: string;
  call_id: string;
}

/** Seats of callers who dropped and may come back: the only place that reads and writes their table. */
export class KeptSeats {
  readonly #sql: SqlStorage;
  readonly #now: () => number;
  /** No seat is kept from then on, ms. */
  #until: number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
    const { until } = sql.exec<{ until: number | null }>("SELECT MAX(until) AS until FROM kept_seats").one();
    this.#until = until ?? 0;
  }

  /** The caller's seat is to be kept, should the call drop. */
  promise({ call_id, entry, step, tenant, from, rejoin }: PlaceRequest): void {
    if (!rejoin) return;
    this.#sql.exec(
      `INSERT OR IGNORE INTO kept_seats (call_id, entry, step, tenant, "from", "to", keep_s, placing, made_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      call_id,
      entry,
      step,
      tenant,
      from,
      rejoin.to,
      rejoin.s,
      JSON.stringify(rejoin.placing),
      this.#now(),
    );
  }

  /** The call has dropped out of this room: its seat is kept from now on, where that was promised. */
  keep(key: PlacementKey, room: string): void {
    const [kept] = this.#sql.exec<{ until: number }>(
      `UPDATE kept_seats SET room = ?, until = ? + keep_s * 1000 WHERE call_id = ? AND entry = ? AND step = ? RETURNING until`,
      room,
      this.#now(),
      key.call_id,
      key.entry,
      key.step,
    );
    if (kept) this.#until = Math.max(this.#until, kept.until);
  }

  /** It is in its room after all. */
  unkeep({ call_id, entry, step }: PlacementKey): void {
    if (this.#until === 0) return;
    this.#sql.exec(
      "UPDATE kept_seats SET until = NULL WHERE until IS NOT NULL AND call_id = ? AND entry = ? AND step = ?",
      call_id,
      entry,
      step,
    );
  }

  /** The conference has ended: there is nothing to come back to. */
  emptied(room: string): void {
    if (this.#now() < this.#until) this.#sql.exec("DELETE FROM kept_seats WHERE room = ?", room);
  }

  /** How many seats of the room are kept. */
  countIn(room: string): number {
    const now = this.#now();
    if (now >= this.#until) return 0;
    return this.#sql
      .exec<{ kept: number }>(
        "SELECT COUNT(*) AS kept FROM kept_seats WHERE room = ? AND until > ?",
        room,
        now,
      )
      .one().kept;
  }

  /** The same of every room that has any, and until when the first of them is kept, ms. */
  counts(): ReadonlyMap<string, { room: string; kept: number; until: number }> {
    const now = this.#now();
    if (now >= this.#until) return new Map();
    const kept = this.#sql.exec<{ room: string; kept: number; until: number }>(
      "SELECT room, COUNT(*) AS kept, MIN(until) AS until FROM kept_seats WHERE room IS NOT NULL AND until > ? GROUP BY room",
      now,
    );
    return new Map([...kept].map((row) => [row.room, row]));
  }

  /** What a caller who comes back was placed by, and may be again; claimed for this call for a while. */
  claim({ tenant, from, to, call_id }: Returning): Placing | null {
    const now = this.#now();
    if (now >= this.#until) return null;
    const [found] = this.#sql.exec<{ placing: string }>(
      `UPDATE kept_seats SET claimed_by = ?, claimed_until = ?, until = MAX(until, ?) WHERE seq = (
         SELECT seq FROM kept_seats WHERE tenant = ? AND "from" = ? AND "to" = ? AND until > ?
           AND (claimed_by = ? OR (room IS NOT NULL AND (claimed_by IS NULL OR claimed_until <= ?)))
         ORDER BY claimed_by = ? DESC, until DESC LIMIT 1
       ) RETURNING placing`,
      call_id,
      now + CLAIM_MS,
      now + CLAIM_MS,
      tenant,
      from,
      to,
      now,
      call_id,
      now,
      call_id,
    );
    this.#until = Math.max(this.#until, now + CLAIM_MS);
    return found ? (JSON.parse(found.placing) as Placing) : null;
  }

  /**
   * The room of the seat that this call has claimed; the seat is kept no more, and whoever asks has it. A webhook that comes
   * twice finds the claim for a while.
   */
  take(call_id: string): string | null {
    const now = this.#now();
    if (now >= this.#until) return null;
    const [taken] = this.#sql.exec<{ seq: number; room: string }>(
      "SELECT seq, room FROM kept_seats WHERE claimed_by = ? AND until > ? AND room IS NOT NULL",
      call_id,
      now,
    );
    if (!taken) return null;
    this.#sql.exec("UPDATE kept_seats SET room = NULL, until = ? WHERE seq = ?", now + CLAIM_MS, taken.seq);
    return taken.room;
  }

  /** Forgets what is over, and up to `limit` promises to calls that have long ended; returns how many. */
  forget(limit: number): number {
    const now = this.#now();
    return this.#sql
      .exec(
        `DELETE FROM kept_seats WHERE until <= ?
           OR (made_at < ? AND seq IN (SELECT seq FROM kept_seats ORDER BY seq LIMIT ?)) RETURNING seq`,
        now,
        now - LONGEST_CALL_MS,
        limit,
      )
      .toArray().length;
  }

  /** When the oldest promise is forgotten, ms; null: there is none. */
  nextForget(): number | null {
    const [row] = this.#sql.exec<{ at: number }>("SELECT made_at AS at FROM kept_seats ORDER BY seq LIMIT 1");
    return row ? row.at + LONGEST_CALL_MS : null;
  }
}
