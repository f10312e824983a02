import { forgottenAt, openGuard, type PinGuard } from "../../../shared/pin-guard.ts";
import type { ClosedPins, PinAttempt, PinsClosed } from "../contract/pins.ts";
import type { Disk } from "./disk.ts";
import { dropOldest } from "./drop-oldest.ts";

/** A webhook that comes twice does so within seconds; an hour is for the ones that do not. */
const VERDICT_MS = 3_600_000;
/** Operators are shown so many at most, those that last longest first. */
const SHOWN = 500;
/** So many callers and numbers are counted without a row, where the storage is full; past that no PIN is taken. */
const UNWRITTEN = 10_000;

/** Whose guard: a caller's or a dialled number's. */
export interface Guarded {
  tenant: string;
  kind: PinsClosed;
  who: string;
}

type Verdict = "allowed" | PinsClosed;
type Try = Pick<PinAttempt, "call_id" | "entry" | "step" | "answer">;

/**
 * The tables of wrong PINs: what is remembered of callers and numbers, and what was said of each try. What finds no room there is
 * remembered until it does, or until we are lost: a full storage gives no caller another try.
 */
export class PinRows {
  readonly #disk: Disk;
  readonly #guards = new Map<string, { whose: Guarded; guard: PinGuard; window_ms: number }>();
  readonly #verdicts = new Map<string, { of: Try; verdict: Verdict; forget_at: number }>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  guard({ tenant, kind, who }: Guarded): PinGuard {
    const unwritten = this.#guards.get(idOf({ tenant, kind, who }));
    if (unwritten) return unwritten.guard;
    const [row] = this.#disk.exec<{ tries: string; closings: number; closed_until: number }>(
      "SELECT tries, closings, closed_until FROM pin_guards WHERE tenant = ? AND kind = ? AND who = ?",
      tenant,
      kind,
      who,
    );
    return row ? { ...row, tries: JSON.parse(row.tries) as number[] } : openGuard; // As putGuard wrote it.
  }

  putGuard(whose: Guarded, guard: PinGuard, window_ms: number): void {
    const id = idOf(whose);
    if (this.#writeGuard(whose, guard, window_ms)) {
      this.#guards.delete(id);
      return;
    }
    if (this.#guards.size >= UNWRITTEN && !this.#guards.has(id))
      throw new Error("there is no room to count PINs");
    this.#guards.set(id, { whose, guard, window_ms });
  }

  /** False if there was no room. */
  #writeGuard({ tenant, kind, who }: Guarded, guard: PinGuard, window_ms: number): boolean {
    const written = this.#disk.attempt(
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
    return written !== null;
  }

  forgetGuard({ tenant, kind, who }: Guarded): void {
    this.#guards.delete(idOf({ tenant, kind, who }));
    this.#disk.exec("DELETE FROM pin_guards WHERE tenant = ? AND kind = ? AND who = ?", tenant, kind, who);
  }

  closed(tenant: string, kind: PinsClosed, now: number): ClosedPins[] {
    const unwritten = [...this.#guards.values()].flatMap(({ whose, guard: { closed_until, closings } }) =>
      whose.tenant === tenant && whose.kind === kind && closed_until > now
        ? [{ who: whose.who, until: closed_until, closings }]
        : [],
    );
    const written = this.#disk
      .exec<{ who: string; until: number; closings: number }>(
        `SELECT who, closed_until AS until, closings FROM pin_guards INDEXED BY pin_guards_closed
         WHERE tenant = ? AND kind = ? AND closed_until > ? AND closed_until > 0 ORDER BY closed_until DESC LIMIT ?`,
        tenant,
        kind,
        now,
        SHOWN,
      )
      .toArray()
      .filter(({ who }) => !this.#guards.has(idOf({ tenant, kind, who })));
    return [...unwritten, ...written].sort((a, b) => b.until - a.until).slice(0, SHOWN);
  }

  /** What was said of this try; null: it is new. */
  verdict({ call_id, entry, step, answer }: Try): Verdict | null {
    const unwritten = this.#verdicts.get(JSON.stringify([call_id, entry, step, answer]));
    if (unwritten) return unwritten.verdict;
    const [row] = this.#disk.exec<{ verdict: Verdict }>(
      "SELECT verdict FROM pin_tries WHERE call_id = ? AND entry = ? AND step = ? AND answer = ?",
      call_id,
      entry,
      step,
      answer,
    );
    return row?.verdict ?? null;
  }

  keepVerdict({ call_id, entry, step, answer }: Try, verdict: Verdict, now: number): void {
    const of = { call_id, entry, step, answer };
    const forget_at = now + VERDICT_MS;
    if (!this.#writeVerdict(of, verdict, forget_at)) {
      const id = JSON.stringify([call_id, entry, step, answer]);
      this.#verdicts.set(id, { of, verdict, forget_at });
      dropOldest(this.#verdicts, UNWRITTEN);
    }
  }

  /** False if there was no room. */
  #writeVerdict({ call_id, entry, step, answer }: Try, verdict: Verdict, forget_at: number): boolean {
    const written = this.#disk.attempt(
      "INSERT INTO pin_tries (call_id, entry, step, answer, verdict, forget_at) VALUES (?, ?, ?, ?, ?, ?)",
      call_id,
      entry,
      step,
      answer,
      verdict,
      forget_at,
    );
    return written !== null;
  }

  /** Writes what found no room before. */
  save(): void {
    for (const [id, { whose, guard, window_ms }] of this.#guards) {
      if (!this.#writeGuard(whose, guard, window_ms)) return;
      this.#guards.delete(id);
    }
    for (const [id, { of, verdict, forget_at }] of this.#verdicts) {
      if (!this.#writeVerdict(of, verdict, forget_at)) return;
      this.#verdicts.delete(id);
    }
  }

  forget(now: number, limit: number): number {
    for (const [id, { guard, window_ms }] of this.#guards)
      if (forgottenAt(guard, window_ms) <= now) this.#guards.delete(id);
    for (const [id, { forget_at }] of this.#verdicts) if (forget_at <= now) this.#verdicts.delete(id);
    const guards = this.#disk.exec(
      `DELETE FROM pin_guards WHERE (tenant, kind, who) IN
         (SELECT tenant, kind, who FROM pin_guards INDEXED BY pin_guards_by_age WHERE forget_at <= ? LIMIT ?) RETURNING 1`,
      now,
      limit,
    );
    const tries = this.#disk.exec(
      `DELETE FROM pin_tries WHERE seq IN
         (SELECT seq FROM pin_tries INDEXED BY pin_tries_by_age WHERE forget_at <= ? LIMIT ?) RETURNING 1`,
      now,
      limit,
    );
    return guards.toArray().length + tries.toArray().length;
  }

  nextForget(): number | null {
    const guards = this.#disk
      .exec<{ at: number | null }>("SELECT MIN(forget_at) AS at FROM pin_guards INDEXED BY pin_guards_by_age")
      .one().at;
    const tries = this.#disk
      .exec<{ at: number | null }>("SELECT MIN(forget_at) AS at FROM pin_tries INDEXED BY pin_tries_by_age")
      .one().at;
    return guards === null || tries === null ? (guards ?? tries) : Math.min(guards, tries);
  }
}

function idOf({ tenant, kind, who }: Guarded): string {
  return JSON.stringify([tenant, kind, who]);
}
