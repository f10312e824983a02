import type { PlacementKey } from "./contract.ts";

/**
 * end: the call lives on after its room. rejoin: a document of ours took it out of its room; another puts it back.
 * verify: somebody unsigned says that it left; REST is asked. after: the tenant's own document takes it over.
 * expire: it has lasted as long as the rule lets it. overdue: it has waited so long. fetch: from its line, into its room or to
 * what is said to those who are not let in.
 */
export type ErrandKind = "end" | "rejoin" | "verify" | "after" | "expire" | "overdue" | "fetch";

/** Something to do for a call that no webhook waits for; it outlives us. */
export interface Errand extends PlacementKey {
  id: number;
  kind: ErrandKind;
  node_id: string | null;
  attempts: number;
  due_at: number;
}

/** Waits before each further try. After the last, the errand is given up and logged. */
const RETRY_MS = [1_000, 2_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;
/** How long a try may take: one that has hung for so long is made again. */
const LEASE_MS = 15_000;
/** What another incarnation was at comes again within this: of what is due later it was at nothing. */
const TAKEN_OVER_MS = 30_000;
const TAKEN_OVER = 2_000;
/** With so many under way what could as well come later is not added yet. */
const MANY = 100;

/** The table of errands. */
export class Errands {
  readonly #sql: SqlStorage;
  readonly #now: () => number;
  #added = false;
  /** Those taken and not yet done or put off. */
  readonly #underWay = new Map<number, Errand>();
  /** What `nextDue` found last; undefined since the table changed. */
  #nextDue: number | null | undefined;
  /** SQLite would give the id of one that was dropped again, and whoever is still doing that one would end another. */
  #lastId: number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
    this.#lastId = sql.exec<{ id: number | null }>("SELECT MAX(id) AS id FROM errands").one().id ?? 0;
  }

  /** At most one errand of a kind for a placement. */
  add(kind: ErrandKind, key: PlacementKey, node_id: string | null, due_at = this.#now()): void {
    this.#added = true;
    this.#nextDue = undefined;
    this.#lastId += 1;
    this.#sql.exec(
      "INSERT OR IGNORE INTO errands (id, kind, call_id, entry, step, node_id, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      this.#lastId,
      kind,
      key.call_id,
      key.entry,
      key.step,
      node_id,
      due_at,
    );
  }

  /** Whatever was still to be done for the placement at a later time. */
  drop(kind: ErrandKind, key: PlacementKey): void {
    this.#nextDue = undefined;
    this.#sql.exec(
      "DELETE FROM errands WHERE kind = ? AND call_id = ? AND entry = ? AND step = ?",
      kind,
      key.call_id,
      key.entry,
      key.step,
    );
  }

  /** Whether it is being done at this moment. */
  isUnderWay(kind: ErrandKind, { call_id, entry, step }: PlacementKey): boolean {
    for (const errand of this.#underWay.values()) {
      if (errand.kind !== kind || errand.call_id !== call_id) continue;
      if (errand.entry === entry && errand.step === step) return true;
    }
    return false;
  }

  /** Whether any was added since this was last asked. */
  wereAdded(): boolean {
    const added = this.#added;
    this.#added = false;
    return added;
  }

  /** Those due, each leased: whoever takes one calls `done` or `retry`. */
  takeDue(limit: number): Errand[] {
    this.#nextDue = undefined;
    const now = this.#now();
    const due = this.#sql
      .exec(
        "SELECT * FROM errands INDEXED BY errands_by_due WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        now,
        limit,
      )
      .toArray() as unknown as Errand[]; // The table is ours alone.
    for (const errand of due) {
      this.#underWay.set(errand.id, errand);
      this.#sql.exec(
        "UPDATE errands SET attempts = attempts + 1, due_at = ? WHERE id = ?",
        now + LEASE_MS,
        errand.id,
      );
    }
    return due;
  }

  /** What another incarnation was at, or was to try again soon, is due now: it has not finished, and never will. */
  takeOver(): void {
    this.#nextDue = undefined;
    this.#sql.exec(
      `UPDATE errands SET due_at = ?1 WHERE attempts > 0 AND id IN (
         SELECT id FROM errands INDEXED BY errands_by_due WHERE due_at > ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3)`,
      this.#now(),
      this.#now() + TAKEN_OVER_MS,
      TAKEN_OVER,
    );
  }

  done(errand: Errand): void {
    this.#nextDue = undefined;
    this.#underWay.delete(errand.id);
    this.#sql.exec("DELETE FROM errands WHERE id = ?", errand.id);
  }

  /** Puts a failed try off to its next time; false where it was the last, and the errand is gone. */
  retry(errand: Errand): boolean {
    const wait = RETRY_MS[errand.attempts];
    if (wait === undefined) {
      this.done(errand);
      return false;
    }
    this.#nextDue = undefined;
    this.#underWay.delete(errand.id);
    this.#sql.exec("UPDATE errands SET due_at = ? WHERE id = ?", this.#now() + wait, errand.id);
    return true;
  }

  /** Puts it off to later. @param counts whether this was one of its tries. */
  putOff(errand: Errand, ms: number, { counts }: { counts: boolean }): void {
    this.#nextDue = undefined;
    this.#underWay.delete(errand.id);
    this.#sql.exec(
      "UPDATE errands SET due_at = ?, attempts = ? WHERE id = ?",
      this.#now() + ms,
      errand.attempts + (counts ? 1 : 0),
      errand.id,
    );
  }

  /** Whether some are due that were not taken yet, or many are under way. */
  get isBehind(): boolean {
    const due = this.nextDue();
    return this.#underWay.size >= MANY || (due !== null && due <= this.#now());
  }

  nextDue(): number | null {
    if (this.#nextDue === undefined) {
      const { due } = this.#sql
        .exec<{ due: number | null }>("SELECT MIN(due_at) AS due FROM errands INDEXED BY errands_by_due")
        .one();
      this.#nextDue = due;
    }
    return this.#nextDue;
  }
}
