import type { WaitsFor } from "../../shared/rules/decision.ts";
import { Glance } from "./glance.ts";
import type { Placement } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/** A waiter is seen at the end of each piece of music; one that was not for so long holds up nobody until it is again. */
const UNSEEN_MS = 10 * 60_000;
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

/** For what a waiter waits now. */
export function waitsFor(rooms: Pick<Rooms, "isStaffed">, { wait, admitted }: Placement): WaitsFor {
  if (wait?.for.includes("admission") && admitted === 0) return "admission";
  const isAlone = wait?.for.includes("moderator") && !wait.rooms.some((room) => rooms.isStaffed(room));
  return isAlone ? "moderator" : "seat";
}

export function wasSeen(row: Placement, now: number): boolean {
  return now - (row.seen_at ?? row.created_at) <= (asksOften(row) ? UNSEEN_ASKING_MS : UNSEEN_MS);
}

/** Whether the call comes back by itself every few seconds, however long it waits. */
export function asksOften({ node_id, wait }: Placement): boolean {
  return node_id === null && wait?.music === undefined;
}

/** How many of the line wait for one of the same rooms, longer than this one, and itself. */
export function positionOf(line: readonly Placement[], row: Placement, now: number): number {
  let ahead = 0;
  for (const other of line) {
    if (other.call_id === row.call_id) break;
    const isSame = other.wait?.rooms.some((room) => row.wait?.rooms.includes(room));
    if (isSame && wasSeen(other, now)) ahead += 1;
  }
  return ahead + 1;
}

/** The tenant's callers who wait for the room, the longest waiter first. */
export function waitersFor(rooms: Rooms, tenant: string, room: string, now: number): Waiter[] {
  const line = rooms.waiting();
  const glance = new Glance(rooms, line);
  return line
    .filter((row) => row.tenant === tenant && row.wait?.rooms.includes(room))
    .map((row) => ({
      call_id: row.call_id,
      from: row.from,
      role: row.role,
      for: waitsFor(glance, row),
      since: row.created_at,
      position: positionOf(line, row, now),
    }));
}
