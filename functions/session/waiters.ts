import type { WaitsFor } from "../../shared/rules/decision.ts";
import { Glance } from "./glance.ts";
import type { Placement } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/**
 * A waiter is seen at the end of each round of its document, which takes up to about twelve minutes; one that was not for so long holds
 * up nobody until it is again.
 */
const UNSEEN_MS = 21 * 60_000;
/** The same for a call of cXML's without music: it asks every 15 s or so, and that it hung up nothing else tells. */
const UNSEEN_ASKING_MS = 60_000;

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

/** The rooms that a waiter waits for. */
export function roomsOf({ wait, room }: Placement): readonly string[] {
  return wait?.rooms ?? [room];
}

/** For what a waiter waits now. */
export function waitsFor(rooms: Pick<Rooms, "isStaffed">, { wait, admitted }: Placement): WaitsFor {
  if (wait?.for.includes("admission") && admitted === 0) return "admission";
  const isAlone = wait?.for.includes("moderator") && !wait.rooms.some((room) => rooms.isStaffed(room));
  return isAlone ? "moderator" : "seat";
}

/** The last moment at which a waiter that is not seen again holds up those behind it, ms. */
export function seenUntil(row: Placement): number {
  return (row.seen_at ?? row.created_at) + (asksOften(row) ? UNSEEN_ASKING_MS : UNSEEN_MS);
}

/** Whether the call comes back by itself every few seconds, however long it waits. */
export function asksOften({ node_id, wait }: Placement): boolean {
  return node_id === null && wait?.music === undefined;
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
