import { type CallStatuses, evidenceOfStatuses } from "../../rest-calls.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Suspicions } from "../store/suspicions.ts";
import type { Corrections } from "./corrections.ts";

/** Missing calls of one list that are asked about; the others wait for the next list. */
const ASKED_AT_ONCE = 20;
/** Time before a call in doubt is asked about again; no time at all while somebody waits for its room. */
const ASKED_AGAIN_MS = 30_000;
/**
 * Calls not in doubt that nothing has confirmed for this long are asked about too, a few at a time: the one event of their end
 * may be lost.
 */
const UNHEARD_MS = 60_000;
const UNHEARD_AT_ONCE = 3;

interface MissingCallsHost {
  placements: Placements;
  occupancy: Occupancy;
  suspicions: Suspicions;
  corrections: Corrections;
}

/** The call's own status. Rejects if REST does not answer. */
export type AskStatuses = (row: Placement) => Promise<CallStatuses>;

/**
 * MissingCalls — asks SignalWire how calls are that REST does not list in their rooms: that alone says nothing about them. A few per
 * list. Used by RoomReconciler.
 */
export class MissingCalls {
  readonly #host: MissingCallsHost;
  readonly #statuses: AskStatuses;
  readonly #now: () => number;
  /** When a call in doubt that no list shows was asked about last, ms. */
  readonly #askedAt = new WeakMap<LivePlacement, number>();

  constructor(host: MissingCallsHost, statuses: AskStatuses, now: () => number) {
    this.#host = host;
    this.#statuses = statuses;
    this.#now = now;
  }

  /** A proved list does not show these. */
  async missing(rows: readonly LivePlacement[], asked_at: number): Promise<void> {
    const { placements, corrections } = this.#host;
    const ask = async (key: LivePlacement): Promise<void> => {
      const row = placements.find(key);
      if (!row) return;
      const { trail } = row;
      const said = evidenceOfStatuses(await this.#statuses(row));
      // A row that changed meanwhile is newer than REST's answer.
      if (row.trail !== trail) return;
      if (said === "over") corrections.over(row, "its status says that the call is over");
      else corrections.missing(row, asked_at);
    };
    await Promise.all(rows.slice(0, ASKED_AT_ONCE).map(ask));
  }

  /** A list that may be incomplete does not show these. One of them may be over and keep a seat that somebody wants. */
  async unlisted(rows: readonly LivePlacement[]): Promise<void> {
    const { placements, corrections } = this.#host;
    const now = this.#now();
    const ask = async (key: LivePlacement): Promise<void> => {
      const row = placements.find(key);
      if (!row) return;
      this.#askedAt.set(key, now);
      const { trail } = row;
      const answer = await this.#statuses(row).catch((error: unknown) => {
        this.#askedAt.delete(key);
        throw error;
      });
      if (evidenceOfStatuses(answer) === "over" && row.trail === trail)
        corrections.over(row, "its status says that the call is over");
    };
    await Promise.all(this.#toBeAsked(rows, now).map(ask));
  }

  #toBeAsked(rows: readonly LivePlacement[], now: number): LivePlacement[] {
    const { occupancy, suspicions } = this.#host;
    const wasAskedSince = (row: LivePlacement, at: number) => (this.#askedAt.get(row) ?? 0) > at;
    const inDoubt = rows.filter((row) => suspicions.since(row) !== null);
    const unheard = rows.filter(
      (row) =>
        suspicions.since(row) === null &&
        (row.verified_at ?? row.created_at) <= now - UNHEARD_MS &&
        !wasAskedSince(row, now - UNHEARD_MS),
    );
    const due = inDoubt.filter(
      (row) => occupancy.waiting.has(row.room) || !wasAskedSince(row, now - ASKED_AGAIN_MS),
    );
    return [...due.slice(0, ASKED_AT_ONCE), ...unheard.slice(0, UNHEARD_AT_ONCE)];
  }
}
