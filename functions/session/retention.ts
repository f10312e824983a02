import { log } from "../log.ts";
import type { PinLimiter } from "./pins/pin-limiter.ts";
import type { Repositories } from "./repositories.ts";
import type { Disk } from "./store/disk.ts";

/** Rows deleted in one turn, and turns in one run: 2,000 rows of each table, at most once a second. */
const BATCH = 200;
const TURNS = 10;
/** Parts of rulesets, half a megabyte each. */
const RULESETS = 20;
/** Share of the storage above which old history is deleted early. */
const NEARLY_FULL = 0.8;
/** History younger than this is always kept: repeated webhooks and events are recognised by it. */
const LEAST_MS = 3_600_000;
const LOGGED_EVERY_MS = 3_600_000;

/** The tables from which something is deleted, each as it says how. */
export interface KeptTables {
  /** How much of the storage is used, bytes. */
  usage(): ReturnType<Disk["usage"]>;
  /** Deletes what is past its time. */
  forgetters(keeping: Keeping): Forget[];
  /** History alone: nothing that is live, kept for somebody, shut out, done by an operator, or recorded. */
  early(age_ms: number): Forget[];
  /** When each has something due for deletion, ms. */
  next(keeping: Keeping): number[];
}

/** How long history and recordings are kept, ms. */
export interface Keeping {
  keep_ms: number;
  keep_recordings_ms: number;
}

/** Deletes up to a batch of rows. Returns how many it deleted or went through; 0: nothing is left. */
type Forget = () => number;

/** Result of a run. */
export interface Forgotten {
  rows: number;
  /** Whether more is due now. */
  isMore: boolean;
}

/**
 * Retention — deletes what is past its time, and the oldest history early if the storage is nearly full. It deletes nothing that is
 * live. Used by the heartbeat.
 */
export class Retention {
  readonly #tables: KeptTables;
  readonly #now: () => number;
  /** How old history may be while the storage is nearly full; halved until it is not. */
  #age_ms = Number.POSITIVE_INFINITY;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(tables: KeptTables, now: () => number) {
    this.#tables = tables;
    this.#now = now;
  }

  async run(keeping: Keeping): Promise<Forgotten> {
    const forgotten = await this.#each(this.#tables.forgetters(keeping));
    if (!this.#isNearlyFull()) {
      this.#age_ms = Number.POSITIVE_INFINITY;
      return forgotten;
    }
    const early = await this.#early(keeping.keep_ms);
    return { rows: forgotten.rows + early.rows, isMore: forgotten.isMore || early.isMore };
  }

  /** When something is next due for deletion, ms; infinite: nothing is. */
  next(keeping: Keeping): number {
    return Math.min(...this.#tables.next(keeping));
  }

  /** Old history before its time. */
  async #early(keep_ms: number): Promise<Forgotten> {
    const age_ms = Math.max(LEAST_MS, Math.min(this.#age_ms, keep_ms / 2));
    this.#warn(age_ms);
    const { rows, isMore } = await this.#each(this.#tables.early(age_ms));
    if (!isMore) this.#age_ms = age_ms / 2;
    return { rows, isMore: isMore || (age_ms > LEAST_MS && this.#isNearlyFull()) };
  }

  /** Each slice in its own turn, so that calls do not wait. */
  async #each(forgetters: readonly Forget[]): Promise<Forgotten> {
    let rows = 0;
    let isMore = false;
    for (const forget of forgetters) {
      let some = 1;
      for (let turn = 0; turn < TURNS && some > 0; turn += 1) {
        some = forget();
        rows += some;
        if (some > 0) await scheduler.wait(0);
      }
      if (some > 0) isMore = true;
    }
    return { rows, isMore };
  }

  #isNearlyFull(): boolean {
    const { used, limit } = this.#tables.usage();
    return used > limit * NEARLY_FULL;
  }

  #warn(age_ms: number): void {
    if (this.#now() - this.#loggedAt < LOGGED_EVERY_MS) return;
    this.#loggedAt = this.#now();
    const kept_h = Math.round(age_ms / 3_600_000);
    log("warn", "storage.nearly_full", { ...this.#tables.usage(), kept_h });
  }
}

/** The tables of a session, and the age at which each deletes its rows. */
export function keptIn(tables: Repositories, pinLimiter: PinLimiter): KeptTables {
  const { placements, eventLog, history, callFlows, dials, feedLog, rulesets, recordings } = tables;
  const { heldSeats, deliveries, tokens, audit } = tables;
  return {
    usage: () => tables.disk.usage(),
    forgetters: ({ keep_ms, keep_recordings_ms }) => [
      ...[placements, eventLog, history, callFlows, dials, feedLog].map(
        (table) => () => table.forget(keep_ms, BATCH),
      ),
      () => rulesets.forget(keep_ms, RULESETS),
      ...[pinLimiter, heldSeats, deliveries].map((table) => () => table.forget(BATCH)),
      () => recordings.forget(keep_recordings_ms, BATCH),
      ...[tokens, audit].map((table) => () => table.forget(BATCH)),
    ],
    early: (age_ms) => [
      () => feedLog.forget(age_ms, BATCH),
      () => eventLog.forget(age_ms, BATCH),
      () => history.forgetHistory(age_ms, BATCH),
      () => callFlows.forgetOver(age_ms, BATCH),
      () => dials.forget(age_ms, BATCH),
      () => placements.forgetOver(age_ms, BATCH),
      () => rulesets.forget(age_ms, RULESETS),
    ],
    next: ({ keep_ms, keep_recordings_ms }) => {
      const oldest = [history, callFlows, dials].flatMap((table) => table.oldest() ?? []);
      const recorded = recordings.oldest();
      const own = [pinLimiter, heldSeats, audit, feedLog, deliveries];
      return [
        ...oldest.map((at) => at + keep_ms),
        ...(recorded === null ? [] : [recorded + keep_recordings_ms]),
        ...own.flatMap((table) => table.nextForget() ?? []),
      ];
    },
  };
}
