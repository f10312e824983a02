import { type CallStatuses, evidenceOfStatuses } from "../../rest-calls.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Suspicions } from "../store/suspicions.ts";
import type { Corrections } from "./corrections.ts";

/** Missing calls of one list whose own status is asked for; the others are asked about by the next list. */
const ASKED_AT_ONCE = 20;
/** A call in doubt that no list shows is asked about again after this; at each list where somebody waits for its room. */
const ASKED_AGAIN_MS = 30_000;
/**
 * Nothing speaks against a call that no list shows, but the one event of its end may be lost: some of those whom nothing has
 * confirmed for this long are asked about, too, and again after as long.
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
 * MissingCalls — asks for the own status of calls that REST does not list where we have them, since that they are not listed ends no call.
 * A few of each list at once. Used by RoomReconciler.
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

  /** A proved list is without these. */
  async missing(rows: readonly LivePlacement[], asked_at: number): Promise<void> {
    const { placements, corrections } = this.#host;
    const ask = async (key: LivePlacement): Promise<void> => {
      const row = placements.find(key);
      if (!row) return;
      const { trail } = row;
      const said = evidenceOfStatuses(await this.#statuses(row));
      // What moved while REST answered is newer than its answer.
      if (row.trail !== trail) return;
      if (said === "over") corrections.over(row, "its status says that the call is over");
      else corrections.missing(row, asked_at);
    };
    await Promise.all(rows.slice(0, ASKED_AT_ONCE).map(ask));
  }

  /** Somebody may want the seat of a call that is over, of which neither a list nor an event tells: its own status does. */
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
