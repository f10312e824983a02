import { type FeedControl, type FeedEvent, type FeedType, roomsIn } from "../../../shared/api/feed.ts";
import { maskNumbers } from "../../../shared/api/mask-numbers.ts";
import { namesRoom, plainName } from "../../../shared/api/rooms.ts";
import type { Scope } from "../../../shared/api/scopes.ts";
import type { FeedGrant } from "../contract/feed.ts";

/** What a token needs for events that are about more than who is in which room. */
const SCOPES: Partial<Record<FeedType, Scope>> = {
  "call.placed": "calls:read",
  "call.refused": "calls:read",
  "recording.available": "recordings:read",
  "dial.updated": "dial",
  "rules.changed": "rules:read",
};

/** Whether it is sent everything as it is. */
export function seesAll({ scopes, rooms, mask_numbers }: FeedGrant): boolean {
  return scopes === null && rooms === null && !mask_numbers;
}

/** Whether the bearer may see the room, by its name on the wire. */
export function mayReadRoom({ rooms }: FeedGrant, tenant: string, room: string): boolean {
  return rooms === null || namesRoom(rooms, plainName(tenant, room));
}

/** Whether the event is in the bearer's scopes, and about a room that it may see; an event about no room is for bearers who may see all rooms. */
export function mayRead(grant: FeedGrant, tenant: string, event: FeedEvent): boolean {
  const scope = SCOPES[event.type];
  if (scope !== undefined && grant.scopes !== null && !grant.scopes.includes(scope)) return false;
  return grant.rooms === null || roomsIn(event).some((room) => mayReadRoom(grant, tenant, room));
}

/** A frame's text, as the bearer is shown it. */
export function textFor({ mask_numbers }: FeedGrant, frame: FeedEvent | FeedControl): string {
  return JSON.stringify(mask_numbers ? maskNumbers(frame) : frame);
}
