import { isByDocument } from "../../../shared/placement.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import { AT_ONCE, type Job } from "./backlog.ts";

/** The leave of a call that lost its network is known within this, and its caller may be back before. */
const DEAD_MS = 120_000;

/** States of a call that may have been in its room without an event. */
const MAYBE_THERE: ReadonlySet<Placement["state"]> = new Set([
  "sending",
  "accepted",
  "unknown",
  "by_document",
  "offered",
  "returning",
]);

/**
 * DroppedCallers — holds the seat of a caller whose call has left its room, until it is known whether the call was dropped, was removed, or
 * its conference is over. Used for each change of a participant.
 */
export class DroppedCallers {
  readonly #placements: Placements;
  readonly #occupancy: Occupancy;
  readonly #heldSeats: HeldSeats;
  readonly #recorded: RecordedRooms;
  readonly #isOver: (conference_id: string) => boolean;
  readonly #now: () => number;

  /** @param isOver whether the conference is known to have ended. */
  constructor(
    placements: Placements,
    occupancy: Occupancy,
    heldSeats: HeldSeats,
    recorded: RecordedRooms,
    isOver: (conference_id: string) => boolean,
    now: () => number,
  ) {
    this.#placements = placements;
    this.#occupancy = occupancy;
    this.#heldSeats = heldSeats;
    this.#recorded = recorded;
    this.#isOver = isOver;
    this.#now = now;
  }

  /** No seat is held in a conference that is known to have ended: its leaves may be told after its end. */
  keepSeat(row: Placement, conference_id: string | null, undecided_ms: number): boolean {
    const id = conference_id ?? row.conference_id;
    if (id !== null && this.#isOver(id)) return false;
    if (this.#occupancy.isBack(row, this.#now() - DEAD_MS)) return false;
    const { joined_ts, wait, created_at } = row;
    // The time of a caller who waited starts with the seat.
    const since = wait === null || joined_ts === null ? created_at : joined_ts * 1000;
    return this.#heldSeats.keep(row, row.room, undecided_ms, since);
  }

  /** The call is in its room after all. */
  back(row: Placement): void {
    this.#heldSeats.unkeep(row);
  }

  /**
   * The call is over, or neither side finds it: if it has left its room, its caller dropped. The leave may have looked like the work of
   * one of our documents; then the call was to be put back, and its seat is held only from now on.
   */
  dropped(row: Placement): void {
    if (MAYBE_THERE.has(row.state)) this.#recorded.left(row);
    if (isByDocument(row.state) && row.joined_ts !== null && row.left_ts !== null) {
      // The seat is counted once, as held.
      if (this.keepSeat(row, row.conference_id, 0) && row.presumed_gone_at === null)
        this.#placements.update(row, { presumed_gone_at: this.#now() });
    } else this.#heldSeats.dropped(row);
    this.#placements.touched(row.room);
  }

  /** The call goes on outside its room, and none of our documents took it out: no seat is held for its caller. */
  removed(key: PlacementKey): void {
    const room = this.#heldSeats.removed(key);
    if (room !== null) this.#placements.touched(room);
  }

  /** No caller comes back to a conference that is over. */
  *emptied(room: string, ended_at: number): Job {
    for (let isMore = true; isMore; ) {
      isMore = this.#heldSeats.emptied(room, ended_at, AT_ONCE);
      this.#placements.touched(room);
      if (isMore) yield;
    }
  }
}
