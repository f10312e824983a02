import type { JoinParameters } from "../conference.ts";
import type { ActionText, Role } from "./schema.ts";

/** The rooms, by their templates as written, in which some action places a moderator. */
export function moderatedRooms(actions: Iterable<ActionText>): ReadonlySet<string> {
  const rooms = new Set<string>();
  for (const { place } of actions) if (place?.role === "moderator") rooms.add(place.room);
  return rooms;
}

/**
 * What a role asks of the join. A participant where no moderator is expected leaves `start_on_enter` out: true is what
 * SignalWire does.
 */
export function roleParameters(role: Role, moderated: boolean): JoinParameters {
  switch (role) {
    case "moderator":
      return { start_on_enter: true };
    case "participant":
      return moderated ? { start_on_enter: false } : {};
    case "listener":
      return { muted: true };
  }
}
