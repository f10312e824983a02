import { isLive } from "../../../shared/placement.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import { dueBy } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Turns } from "../store/turns.ts";
import { isBeingPutBack } from "./absence.ts";
import type { Corrections } from "./corrections.ts";

/** A call is looked for this long after its deadline if it was not seen in its room. */
const UNCONFIRMED_MS = 10_000;
/** Time before a call in doubt is asked about again if REST could not tell. */
const ASK_AGAIN_MS = 300_000;
/** Live calls checked in one turn. */
const LOOKED_AT_ONCE = 200;
/**
 * Calls added at once to those that REST is asked about, and the least time until the next ones. Each waits for its turn under a
 * timer, and a request's timer of four seconds outlives it; an object may have 10,000 timers.
 */
const ASKED_AT_ONCE = 10;
const ASKED_EVERY_MS = 25;
/** A question that hangs delays the others no longer than this. */
const ASKED_WITHIN_MS = 15_000;

interface WhereaboutsHost {
  placements: Placements;
  occupancy: Occupancy;
  pendingCommands: PendingCommands;
  corrections: Corrections;
  relayManager: Pick<RelayManager, "readySince" | "seat_doubt_ms">;
}

/**
 * Whereabouts — has REST asked about each call of which an event may have been lost, a few at a time, so that neither REST nor other
 * calls wait. Used by the dispatcher after a gap in RELAY's events and while it lasts.
 */
export class Whereabouts {
  readonly #host: WhereaboutsHost;
  readonly #turns: Turns;
  /** When each call in doubt was asked about last. */
  readonly #askedAt = new WeakMap<LivePlacement, number>();

  constructor(host: WhereaboutsHost, turns: Turns) {
    this.#host = host;
    this.#turns = turns;
  }

  /** @param start runs the questions that were added. */
  async verify(start: () => void): Promise<void> {
    const { occupancy, relayManager } = this.#host;
    await occupancy.known();
    const begun_at = Date.now();
    const { readySince } = relayManager;
    let looked_at = 0;
    let added = 0;
    for (const row of occupancy.byRoom()) {
      const isDoubted = occupancy.isInDoubt(row, begun_at - UNCONFIRMED_MS, readySince);
      if (isDoubted && this.#verify(row, begun_at)) added += 1;
      looked_at += 1;
      if (added === ASKED_AT_ONCE) {
        await this.#asked(start);
        added = 0;
      } else if (looked_at % LOOKED_AT_ONCE === 0) await this.#turns.next();
    }
    start();
  }

  /** Resolves when the questions that were added have been asked. */
  async #asked(start: () => void): Promise<void> {
    start();
    for (let waited = 0; waited < ASKED_WITHIN_MS; waited += ASKED_EVERY_MS) {
      await scheduler.wait(ASKED_EVERY_MS);
      if (!this.#host.pendingCommands.isBehind) return;
    }
  }

  /** Adds the question for a call that was in doubt when the pass began; false if it need not be asked. */
  #verify(row: LivePlacement, begun_at: number): boolean {
    const { pendingCommands, placements, relayManager, corrections } = this.#host;
    const now = Date.now();
    if (!isLive(row.state) || isBeingPutBack(row, now) || (row.verified_at ?? 0) > begun_at) return false;
    if (row.state !== "joined" && dueBy(row) < now - relayManager.seat_doubt_ms) {
      const unseen = placements.find(row);
      if (unseen) corrections.forgetUnseen(unseen);
      return false;
    }
    if ((this.#askedAt.get(row) ?? 0) > now - ASK_AGAIN_MS) return false;
    this.#askedAt.set(row, now);
    pendingCommands.add("verify", row, row.node_id);
    return true;
  }
}
