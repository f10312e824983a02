import { log } from "../../log.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { Counters } from "../store/counters.ts";
import type { Observations } from "../store/observations.ts";
import type { Changes, Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Recordings } from "../store/recordings.ts";

interface Ledger {
  placements: Placements;
  occupancy: Occupancy;
  counters: Counters;
  recordings: Recordings;
  recorded: RecordedRooms;
}

/**
 * Moves a placement to `joined`, false where the ledger does not allow it. A call that is in its room counts, whatever the
 * room holds: one that comes when its seat has gone to another is flagged.
 */
export function confirmJoin(
  { placements, occupancy, counters, recordings, recorded }: Ledger,
  row: Placement,
  changes: Changes & { reason: string },
  now: number,
): boolean {
  const isOver = occupancy.isFullWithout(row);
  const flagged = isOver
    ? { over_capacity: 1, reason: `${changes.reason}: late, and the room was full` }
    : row.over_capacity === 1 && { over_capacity: 0 };
  if (!placements.move(row, "joined", { ...changes, ...flagged, ...seen(now) })) return false;
  recordings.expect(row);
  // What SignalWire tells of its recording may be lost.
  if (row.join.record === "record-from-start") recorded.began(row.room, row.conference_id);
  if (!isOver) return true;
  counters.add("late_joins_over_capacity");
  log("warn", "seats.over_capacity", { call: row.call_id, room: row.room, capacity: row.placing.capacity });
  return true;
}

/** The conference in which REST found a call, where REST's sid is RELAY's id. */
export function named(sid: string, observations: Pick<Observations, "has">): Pick<Changes, "conference_id"> {
  return sidsAreIds(observations) ? { conference_id: sid } : {};
}

/** Whether a conference's sid, in REST and in forms, is RELAY's `conference_id`: seen to be, and never seen not to be. */
export function sidsAreIds(observations: Pick<Observations, "has">): boolean {
  const question = "conference_sid_is_conference_id";
  return observations.has(question, true) && !observations.has(question, false);
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
