import type { PlacementKey } from "../contract/placement.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import { AT_ONCE, type Job } from "./backlog.ts";

/** A call that died is known to have left its room by then, and its caller may be back before. */
const DEAD_MS = 120_000;

/**
 * DroppedCallers — holds the seat of a caller whose call has left its room, until it is known whether the call was dropped, was removed, or
 * its conference is over. Used for each change of a participant.
 */
export class DroppedCallers {
  readonly #placements: Placements;
  readonly #occupancy: Occupancy;
  readonly #heldSeats: HeldSeats;
  readonly #isOver: (conference_id: string) => boolean;
  readonly #now: () => number;

  /** @param isOver whether the conference is known to have ended. */
  constructor(
    placements: Placements,
    occupancy: Occupancy,
    heldSeats: HeldSeats,
    isOver: (conference_id: string) => boolean,
    now: () => number,
  ) {
    this.#placements = placements;
    this.#occupancy = occupancy;
    this.#heldSeats = heldSeats;
    this.#isOver = isOver;
    this.#now = now;
  }

  /** Nothing is kept of a conference whose end is known: its leaves may be told of after it. */
  keepSeat(row: Placement, conference_id: string | null, undecided_ms: number): boolean {
    const id = conference_id ?? row.conference_id;
    if (id !== null && this.#isOver(id)) return false;
    if (this.#occupancy.isBack(row, this.#now() - DEAD_MS)) return false;
    const { joined_ts, wait, created_at } = row;
    // The time of a caller who waited begins with the seat.
    const since = wait === null || joined_ts === null ? created_at : joined_ts * 1000;
    return this.#heldSeats.keep(row, row.room, undecided_ms, since);
  }

  /** The call is in its room after all. */
  back(row: Placement): void {
    this.#heldSeats.unkeep(row);
  }

  /**
   * The call is over, or nothing answers for it: if it has left its room, the caller dropped. Its leave may have looked like one of our
   * documents' doing, so that the call was to be put back and no seat was kept yet.
   */
  dropped(row: Placement): void {
    if (row.state === "by_document" && row.joined_ts !== null && row.left_ts !== null) {
      // The seat is counted once: as one that is kept.
      if (this.keepSeat(row, row.conference_id, 0) && row.presumed_gone_at === null)
        this.#placements.update(row, { presumed_gone_at: this.#now() });
    } else this.#heldSeats.dropped(row);
    this.#placements.touched(row.room);
  }

  /** The call lives on outside of its room, and none of our documents took it out: nothing is kept for its caller. */
  removed(key: PlacementKey): void {
    const room = this.#heldSeats.removed(key);
    if (room !== null) this.#placements.touched(room);
  }

  /** No caller is to come back to a conference that is over. */
  *emptied(room: string, ended_at: number): Job {
    for (let isMore = true; isMore; ) {
      isMore = this.#heldSeats.emptied(room, ended_at, AT_ONCE);
      this.#placements.touched(room);
      if (isMore) yield;
    }
  }
}
