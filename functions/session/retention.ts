import { log } from "../log.ts";
import type { PinLimiter } from "./pins/pin-limiter.ts";
import type { HeldSeats } from "./seats/held-seats.ts";
import type { Audit } from "./store/audit.ts";
import type { CallFlows } from "./store/call-flows.ts";
import type { Dials } from "./store/dials.ts";
import type { Disk } from "./store/disk.ts";
import type { EventLog } from "./store/event-log.ts";
import type { FeedLog } from "./store/feed-log.ts";
import type { History } from "./store/history.ts";
import type { Placements } from "./store/placements.ts";
import type { Recordings } from "./store/recordings.ts";
import type { Rulesets } from "./store/rulesets.ts";
import type { Tokens } from "./store/tokens.ts";
import type { WebhookDeliveries } from "./store/webhook-deliveries.ts";

/** Rows of one table that are forgotten in one turn, and turns of one run: 2,000 rows of each table, at most once a second. */
const BATCH = 200;
const TURNS = 10;
/** Parts of rulesets, half a megabyte each. */
const RULESETS = 20;
/** Of what the storage holds at most; above it old history goes before its time. */
const NEARLY_FULL = 0.8;
/** What happened within this stays even then: repeats of webhooks and events are told by it. */
const LEAST_MS = 3_600_000;
const LOGGED_EVERY_MS = 3_600_000;

interface RetentionHost {
  disk: Disk;
  placements: Placements;
  eventLog: EventLog;
  history: History;
  callFlows: CallFlows;
  dials: Dials;
  pinLimiter: PinLimiter;
  heldSeats: HeldSeats;
  rulesets: Rulesets;
  recordings: Recordings;
  feedLog: FeedLog;
  deliveries: WebhookDeliveries;
  tokens: Tokens;
  audit: Audit;
}

/** How long is kept what has happened, and how long recordings are; ms. */
export interface Keeping {
  keep_ms: number;
  keep_recordings_ms: number;
}

/** Forgets up to a batch of rows; returns how many, or how many it went through: 0 where those were all. */
type Forget = () => number;

/** What a run came to. */
export interface Forgotten {
  rows: number;
  /** Whether more is due now. */
  isMore: boolean;
}

/**
 * Retention — deletes what is older than it is to be kept, and the oldest history before its time where the storage is nearly full.
 * Nothing live is deleted. Used by the heartbeat.
 */
export class Retention {
  readonly #host: RetentionHost;
  readonly #now: () => number;
  /** How old history may be while the storage is nearly full; halved until it is not. */
  #age_ms = Number.POSITIVE_INFINITY;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(host: RetentionHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  async run({ keep_ms, keep_recordings_ms }: Keeping): Promise<Forgotten> {
    const { placements, eventLog, history, callFlows, dials, feedLog, ...others } = this.#host;
    const { rulesets, pinLimiter, heldSeats, recordings, deliveries, tokens, audit } = others;
    const tables = [placements, eventLog, history, callFlows, dials, feedLog];
    const forgotten = await this.#each([
      ...tables.map((table) => () => table.forget(keep_ms, BATCH)),
      () => rulesets.forget(keep_ms, RULESETS),
      () => pinLimiter.forget(BATCH),
      () => heldSeats.forget(BATCH),
      () => deliveries.forget(BATCH),
      () => recordings.forget(keep_recordings_ms, BATCH),
      () => tokens.forget(BATCH),
      () => audit.forget(BATCH),
    ]);
    if (!this.#isNearlyFull()) {
      this.#age_ms = Number.POSITIVE_INFINITY;
      return forgotten;
    }
    const early = await this.#early(keep_ms);
    return { rows: forgotten.rows + early.rows, isMore: forgotten.isMore || early.isMore };
  }

  /** When something is next old enough, ms; infinite where there is nothing. */
  next({ keep_ms, keep_recordings_ms }: Keeping): number {
    const { history, callFlows, dials, recordings, ...others } = this.#host;
    const oldest = [history.oldest(), callFlows.oldest(), dials.oldest()].flatMap((at) => at ?? []);
    const recording = recordings.oldest();
    const recorded = recording === null ? null : recording + keep_recordings_ms;
    const { pinLimiter, heldSeats, audit, feedLog, deliveries } = others;
    const own = [pinLimiter, heldSeats, audit, feedLog, deliveries].map((table) => table.nextForget());
    const next = [...own, recorded].flatMap((at) => at ?? []);
    return Math.min(...oldest.map((at) => at + keep_ms), ...next);
  }

  /** History alone, the oldest first: nothing that is live, kept for somebody, shut out, done by an operator, or recorded. */
  async #early(keep_ms: number): Promise<Forgotten> {
    const { placements, eventLog, history, callFlows, dials, rulesets, feedLog } = this.#host;
    const age_ms = Math.max(LEAST_MS, Math.min(this.#age_ms, keep_ms / 2));
    this.#warn(age_ms);
    const { rows, isMore } = await this.#each([
      () => feedLog.forget(age_ms, BATCH),
      () => eventLog.forget(age_ms, BATCH),
      () => history.forgetHistory(age_ms, BATCH),
      () => callFlows.forgetOver(age_ms, BATCH),
      () => dials.forget(age_ms, BATCH),
      () => placements.forgetOver(age_ms, BATCH),
      () => rulesets.forget(age_ms, RULESETS),
    ]);
    if (!isMore) this.#age_ms = age_ms / 2;
    return { rows, isMore: isMore || (age_ms > LEAST_MS && this.#isNearlyFull()) };
  }

  /** Each slice in a turn of its own: what comes meanwhile is not kept waiting. */
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
    const { used, limit } = this.#host.disk.usage();
    return used > limit * NEARLY_FULL;
  }

  #warn(age_ms: number): void {
    if (this.#now() - this.#loggedAt < LOGGED_EVERY_MS) return;
    this.#loggedAt = this.#now();
    const kept_h = Math.round(age_ms / 3_600_000);
    log("warn", "storage.nearly_full", { ...this.#host.disk.usage(), kept_h });
  }
}
