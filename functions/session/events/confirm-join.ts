import { log } from "../../log.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { Counters } from "../store/counters.ts";
import type { Changes, Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";

/**
 * Joins — confirms that a call is in its room: whatever says so first, it has its seat, and its recording is expected. Used for events,
 * for what REST lists, and for what the call's own document says.
 */
export class Joins {
  readonly #placements: Placements;
  readonly #occupancy: Occupancy;
  readonly #recorded: RecordedRooms;
  readonly #counters: Counters;

  constructor(placements: Placements, occupancy: Occupancy, recorded: RecordedRooms, counters: Counters) {
    this.#placements = placements;
    this.#occupancy = occupancy;
    this.#recorded = recorded;
    this.#counters = counters;
  }

  /** By its own word the call is out of its room. */
  left(row: Placement): void {
    this.#recorded.left(row);
  }

  /**
   * Moves a placement to `joined`; false where its states do not allow that. A call that is in its room counts, whatever the room
   * holds: one that comes when its seat has gone to another is flagged.
   */
  confirm(row: Placement, changes: Changes & { reason: string }, now: number): boolean {
    const isOver = this.#occupancy.isFullWithout(row);
    const flagged = isOver
      ? { over_capacity: 1, reason: `${changes.reason}: late, and the room was full` }
      : row.over_capacity === 1 && { over_capacity: 0 };
    if (!this.#placements.move(row, "joined", { ...changes, ...flagged, ...seen(now) })) return false;
    this.#recorded.joined(row);
    if (!isOver) return true;
    this.#counters.add("late_joins_over_capacity");
    log("warn", "seats.over_capacity", { call: row.call_id, room: row.room, capacity: row.placing.capacity });
    return true;
  }
}

/** What a row holds once its call was seen in its room: nothing speaks against that any more. */
export function seen(now: number): Changes {
  return {
    verified_at: now,
    doubted_at: null,
    presumed_gone_at: null,
    unsigned_leave_at: null,
    missed_at: null,
  };
}
