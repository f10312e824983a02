import { forgottenAt, openGuard, type PinGuard } from "../../../shared/pin-guard.ts";
import type { ClosedPins, PinAttempt, PinsClosed } from "../contract/pins.ts";

/** A webhook that comes twice does so within seconds; an hour is for the ones that do not. */
const VERDICT_MS = 3_600_000;
/** Operators are shown so many at most, those that last longest first. */
const SHOWN = 500;

/** Whose guard: a caller's or a dialled number's. */
export interface Guarded {
  tenant: string;
  kind: PinsClosed;
  who: string;
}

/** The tables of wrong PINs: what is remembered of callers and numbers, and what was said of each try. */
export class PinRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  guard({ tenant, kind, who }: Guarded): PinGuard {
    const [row] = this.#sql.exec<{ tries: string; closings: number; closed_until: number }>(
      "SELECT tries, closings, closed_until FROM pin_guards WHERE tenant = ? AND kind = ? AND who = ?",
      tenant,
      kind,
      who,
    );
    return row ? { ...row, tries: JSON.parse(row.tries) as number[] } : openGuard; // As putGuard wrote it.
  }

  putGuard({ tenant, kind, who }: Guarded, guard: PinGuard, window_ms: number): void {
    this.#sql.exec(
      `INSERT INTO pin_guards (tenant, kind, who, tries, closings, closed_until, forget_at) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET tries = excluded.tries, closings = excluded.closings,
         closed_until = excluded.closed_until, forget_at = excluded.forget_at`,
      tenant,
      kind,
      who,
      JSON.stringify(guard.tries),
      guard.closings,
      guard.closed_until,
      forgottenAt(guard, window_ms),
    );
  }

  forgetGuard({ tenant, kind, who }: Guarded): void {
    this.#sql.exec("DELETE FROM pin_guards WHERE tenant = ? AND kind = ? AND who = ?", tenant, kind, who);
  }

  closed(tenant: string, kind: PinsClosed, now: number): ClosedPins[] {
    return this.#sql
      .exec<{ who: string; until: number; closings: number }>(
        `SELECT who, closed_until AS until, closings FROM pin_guards INDEXED BY pin_guards_closed
         WHERE tenant = ? AND kind = ? AND closed_until > ? AND closed_until > 0 ORDER BY closed_until DESC LIMIT ?`,
        tenant,
        kind,
        now,
        SHOWN,
      )
      .toArray();
  }

  /** What was said of this try; null: it is new. */
  verdict({ call_id, entry, step, answer }: PinAttempt): "allowed" | PinsClosed | null {
    const [row] = this.#sql.exec<{ verdict: "allowed" | PinsClosed }>(
      "SELECT verdict FROM pin_tries WHERE call_id = ? AND entry = ? AND step = ? AND answer = ?",
      call_id,
      entry,
      step,
      answer,
    );
    return row?.verdict ?? null;
  }

  keepVerdict(
    { call_id, entry, step, answer }: PinAttempt,
    verdict: "allowed" | PinsClosed,
    now: number,
  ): void {
    this.#sql.exec(
      "INSERT INTO pin_tries (call_id, entry, step, answer, verdict, forget_at) VALUES (?, ?, ?, ?, ?, ?)",
      call_id,
      entry,
      step,
      answer,
      verdict,
      now + VERDICT_MS,
    );
  }

  forget(now: number, limit: number): number {
    const guards = this.#sql.exec(
      `DELETE FROM pin_guards WHERE (tenant, kind, who) IN
         (SELECT tenant, kind, who FROM pin_guards INDEXED BY pin_guards_by_age WHERE forget_at <= ? LIMIT ?) RETURNING 1`,
      now,
      limit,
    );
    const tries = this.#sql.exec(
      `DELETE FROM pin_tries WHERE seq IN
         (SELECT seq FROM pin_tries INDEXED BY pin_tries_by_age WHERE forget_at <= ? LIMIT ?) RETURNING 1`,
      now,
      limit,
    );
    return guards.toArray().length + tries.toArray().length;
  }

  nextForget(): number | null {
    const guards = this.#sql
      .exec<{ at: number | null }>("SELECT MIN(forget_at) AS at FROM pin_guards INDEXED BY pin_guards_by_age")
      .one().at;
    const tries = this.#sql
      .exec<{ at: number | null }>("SELECT MIN(forget_at) AS at FROM pin_tries INDEXED BY pin_tries_by_age")
      .one().at;
    return guards === null || tries === null ? (guards ?? tries) : Math.min(guards, tries);
  }
}
