import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import { log } from "../../log.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { Disk } from "./disk.ts";

/**
 * end: the call lives on after its room. rejoin: a document of ours took it out of its room; another puts it back.
 * verify: somebody unsigned says that it left; REST is asked. after: the tenant's own document takes it over.
 * expire: it has lasted as long as the rule lets it. overdue: it has waited so long. fetch: from its line, into its room or to
 * what is said to those who are not let in.
 */
export type CommandKind = "end" | "rejoin" | "verify" | "after" | "expire" | "overdue" | "fetch";

/** Something to do for a call that no webhook waits for; it outlives us. */
export interface PendingCommand extends PlacementKey {
  id: number;
  kind: CommandKind;
  node_id: string | null;
  attempts: number;
  due_at: number;
}

/** Waits before each further try. After the last, the command is given up and logged, or goes on. */
const RETRY_MS = [1_000, 2_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;
/** What goes on while neither RELAY nor REST can be reached is tried so often, for as long as a call may last. */
const LASTING_MS = 60_000;
const MOST_TRIES = LONGEST_CALL_MS / LASTING_MS;
/** How long a try may take: one that has hung for so long is made again. */
const LEASE_MS = 15_000;
/** What another incarnation was at comes again within this: of what is due later it was at nothing. */
const TAKEN_OVER_MS = LASTING_MS;
const TAKEN_OVER = 1_000;
/**
 * With so many under way what could as well come later is not added yet. REST takes three at once: where more stand before it, those
 * behind wait too long and ask once more.
 */
const MANY = 20;

/** Commands that are at hand alone, where the storage is full. */
const HELD = 5_000;

/**
 * PendingCommands — the table of commands that the session still owes SignalWire, and its one owner: at most one of a kind for a
 * placement, each leased while it is run. Used by what adds commands, and by runCommands.
 */
export class PendingCommands {
  readonly #disk: Disk;
  readonly #now: () => number;
  #added = false;
  /** Those taken and not yet done or put off. */
  readonly #underWay = new Map<number, PendingCommand>();
  /** Those that found no room on disk. */
  readonly #held = new Map<number, PendingCommand>();
  /** What `nextDue` found last; undefined since the table changed. */
  #nextDue: number | null | undefined;
  /** SQLite would give the id of a dropped one again, and the end of the dropped one, which may be under way, would end another. */
  #lastId: number;

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
    this.#lastId = disk.exec<{ id: number | null }>("SELECT MAX(id) AS id FROM errands").one().id ?? 0;
  }

  /** At most one command of a kind for a placement. */
  add(kind: CommandKind, key: PlacementKey, node_id: string | null, due_at = this.#now()): void {
    // It has left its room once more, while the answer to the command that had put it there was still to come.
    if (kind === "rejoin" && this.isUnderWay(kind, key)) this.drop(kind, key);
    this.#added = true;
    this.#nextDue = undefined;
    this.#lastId += 1;
    const { call_id, entry, step } = key;
    const errand = { id: this.#lastId, kind, call_id, entry, step, node_id, attempts: 0, due_at };
    if (this.#heldOf(kind, key) === undefined && !this.#insert(errand)) this.#hold(errand);
  }

  /** Whatever was still to be done for the placement at a later time. */
  drop(kind: CommandKind, key: PlacementKey): void {
    this.#nextDue = undefined;
    const held = this.#heldOf(kind, key);
    if (held) this.#held.delete(held.id);
    this.#disk.exec(
      "DELETE FROM errands WHERE kind = ? AND call_id = ? AND entry = ? AND step = ?",
      kind,
      key.call_id,
      key.entry,
      key.step,
    );
  }

  /** When it is to be done, ms; null: it is not. */
  dueOf(kind: CommandKind, key: PlacementKey): number | null {
    const held = this.#heldOf(kind, key);
    if (held) return held.due_at;
    const [row] = this.#disk.exec<{ due_at: number }>(
      "SELECT due_at FROM errands WHERE kind = ? AND call_id = ? AND entry = ? AND step = ?",
      kind,
      key.call_id,
      key.entry,
      key.step,
    );
    return row?.due_at ?? null;
  }

  /** Whether it is still to be done: nothing has dropped it since it was taken. */
  has({ id }: PendingCommand): boolean {
    return (
      this.#held.has(id) || this.#disk.exec("SELECT 1 FROM errands WHERE id = ?", id).toArray().length > 0
    );
  }

  /** Whether it is being done at this moment. */
  isUnderWay(kind: CommandKind, { call_id, entry, step }: PlacementKey): boolean {
    for (const pending of this.#underWay.values()) {
      if (pending.kind !== kind || pending.call_id !== call_id) continue;
      if (pending.entry === entry && pending.step === step) return true;
    }
    return false;
  }

  /** Whether any was added since this was last asked. */
  wereAdded(): boolean {
    const added = this.#added;
    this.#added = false;
    return added;
  }

  /** Those due, each leased: the taker calls `done` or `retry`. */
  takeDue(limit: number): PendingCommand[] {
    this.#nextDue = undefined;
    const now = this.#now();
    const due = this.#disk
      .exec(
        "SELECT * FROM errands INDEXED BY errands_by_due WHERE due_at <= ? ORDER BY due_at LIMIT ?",
        now,
        limit,
      )
      .toArray() as unknown as PendingCommand[]; // The table is ours alone.
    const held = [...this.#held.values()].filter((pending) => pending.due_at <= now);
    const taken = [...held.map((pending) => ({ ...pending })), ...due].slice(0, limit);
    for (const pending of taken) {
      this.#underWay.set(pending.id, pending);
      this.#put({ ...pending, attempts: pending.attempts + 1, due_at: now + LEASE_MS });
    }
    return taken;
  }

  /** What another incarnation was at, or what failed and is to be tried again soon, is due now: so many at most. */
  takeOver(most = TAKEN_OVER): void {
    this.#nextDue = undefined;
    this.#disk.attempt(
      `UPDATE errands SET due_at = ?1 WHERE attempts > 0 AND id IN (
         SELECT id FROM errands INDEXED BY errands_by_due WHERE due_at > ?1 AND due_at <= ?2 ORDER BY due_at LIMIT ?3)`,
      this.#now(),
      this.#now() + TAKEN_OVER_MS,
      most,
    );
  }

  done(pending: PendingCommand): void {
    this.#nextDue = undefined;
    this.#underWay.delete(pending.id);
    this.#held.delete(pending.id);
    this.#disk.exec("DELETE FROM errands WHERE id = ?", pending.id);
  }

  /**
   * Puts a failed try off to its next time; false if it was the last, and the command is gone.
   * @param lasts whether it goes on until it can be done.
   */
  retry(pending: PendingCommand, lasts = false): boolean {
    const wait =
      RETRY_MS[pending.attempts] ?? (lasts && pending.attempts < MOST_TRIES ? LASTING_MS : undefined);
    if (wait === undefined) {
      this.done(pending);
      return false;
    }
    this.#nextDue = undefined;
    this.#underWay.delete(pending.id);
    this.#put({ ...pending, attempts: pending.attempts + 1, due_at: this.#now() + wait });
    return true;
  }

  /** Puts it off to later. @param counts whether this was one of its tries. */
  putOff(pending: PendingCommand, ms: number, { counts }: { counts: boolean }): void {
    this.#nextDue = undefined;
    this.#underWay.delete(pending.id);
    const attempts = pending.attempts + (counts ? 1 : 0);
    this.#put({ ...pending, attempts, due_at: this.#now() + ms });
  }

  /** Writes what found no room before. */
  save(): void {
    for (const pending of this.#held.values()) {
      if (!this.#insert(pending)) return;
      this.#held.delete(pending.id);
    }
  }

  /** If there is no room for what becomes of it, it is at hand alone from then on: else it would be due at once, again and again. */
  #put(pending: PendingCommand): void {
    const { id, attempts, due_at } = pending;
    if (this.#held.has(id)) {
      this.#hold(pending);
      return;
    }
    const statement = "UPDATE errands SET due_at = ?, attempts = ? WHERE id = ?";
    if (this.#disk.attempt(statement, due_at, attempts, id)) return;
    // It may have been dropped while it was done.
    const [dropped] = this.#disk.exec("DELETE FROM errands WHERE id = ? RETURNING id", id);
    if (dropped) this.#hold(pending);
  }

  #insert({ id, kind, call_id, entry, step, node_id, attempts, due_at }: PendingCommand): boolean {
    const written = this.#disk.attempt(
      "INSERT OR IGNORE INTO errands (id, kind, call_id, entry, step, node_id, attempts, due_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      id,
      kind,
      call_id,
      entry,
      step,
      node_id,
      attempts,
      due_at,
    );
    return written !== null;
  }

  #hold(pending: PendingCommand): void {
    if (this.#held.size < HELD || this.#held.has(pending.id)) this.#held.set(pending.id, pending);
    else
      log("error", "errand.given_up", {
        kind: pending.kind,
        call: pending.call_id,
        why: "the storage is full",
      });
  }

  #heldOf(kind: CommandKind, { call_id, entry, step }: PlacementKey): PendingCommand | undefined {
    if (this.#held.size === 0) return undefined;
    return [...this.#held.values()].find(
      (held) => held.kind === kind && held.call_id === call_id && held.entry === entry && held.step === step,
    );
  }

  /** Whether some are due that were not taken yet, or many are under way. */
  get isBehind(): boolean {
    const due = this.nextDue();
    return this.#underWay.size >= MANY || (due !== null && due <= this.#now());
  }

  nextDue(): number | null {
    if (this.#nextDue === undefined) {
      const { due } = this.#disk
        .exec<{ due: number | null }>("SELECT MIN(due_at) AS due FROM errands INDEXED BY errands_by_due")
        .one();
      const held = [...this.#held.values()].map((pending) => pending.due_at);
      const next = Math.min(due ?? Number.POSITIVE_INFINITY, ...held);
      this.#nextDue = Number.isFinite(next) ? next : null;
    }
    return this.#nextDue;
  }
}
