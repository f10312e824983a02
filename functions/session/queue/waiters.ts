import type { WaitsFor } from "../../../shared/rules/decision.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import { OccupancySnapshot } from "../seats/occupancy-snapshot.ts";
import type { Placement } from "../store/placement-row.ts";
import { roomsOf } from "../store/wait-terms.ts";

/** One who waits for a room, as operators see it. */
export interface Waiter {
  call_id: string;
  from: string;
  role: string;
  for: WaitsFor;
  /** When it came, ms. */
  since: number;
  /** Its place in the line, from 1. */
  position: number;
}

/** For what a waiter waits now. */
export function waitsFor(occupancy: Pick<Occupancy, "isStaffed">, row: Placement): WaitsFor {
  const { wait } = row.placing;
  if (wait?.for.includes("admission") && row.admitted === 0) return "admission";
  const isAlone = wait?.for.includes("moderator") && !roomsOf(row).some((room) => occupancy.isStaffed(room));
  return isAlone ? "moderator" : "seat";
}

/** The tenant's callers who wait for the room, the longest waiter first. */
export function waitersFor(occupancy: Occupancy, tenant: string, room: string): Waiter[] {
  const line = occupancy.waiting.before(room).filter((row) => row.tenant === tenant);
  const snapshot = new OccupancySnapshot(occupancy, new Set(line.flatMap(roomsOf)));
  return line.map((row) => ({
    call_id: row.call_id,
    from: row.from,
    role: row.role,
    for: waitsFor(snapshot, row),
    since: row.created_at,
    position: occupancy.waiting.positionOf(row),
  }));
}
