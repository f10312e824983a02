import type { WaitsFor } from "../../../shared/rules/decision.ts";
import type { Rooms } from "../seats/occupancy.ts";
import { Glance } from "../seats/occupancy-snapshot.ts";
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
export function waitsFor(rooms: Pick<Rooms, "isStaffed">, { wait, admitted }: Placement): WaitsFor {
  if (wait?.for.includes("admission") && admitted === 0) return "admission";
  const isAlone = wait?.for.includes("moderator") && !wait.rooms.some((room) => rooms.isStaffed(room));
  return isAlone ? "moderator" : "seat";
}

/** The tenant's callers who wait for the room, the longest waiter first. */
export function waitersFor(rooms: Rooms, tenant: string, room: string): Waiter[] {
  const line = rooms.waiting.before(room).filter((row) => row.tenant === tenant);
  const glance = new Glance(rooms, new Set(line.flatMap(roomsOf)));
  return line.map((row) => ({
    call_id: row.call_id,
    from: row.from,
    role: row.role,
    for: waitsFor(glance, row),
    since: row.created_at,
    position: rooms.waiting.positionOf(row),
  }));
}
