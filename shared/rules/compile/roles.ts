import type { JoinParameters } from "../../conference.ts";
import { type ActionText, builtInRoles } from "../schema/action-schema.ts";
import type { Rule } from "../schema/ruleset.ts";

/** The ruleset's `roles`. */
export type OwnRoles = Readonly<Record<string, JoinParameters>>;

/** Every action of the rules, those of groups too. */
export function* actionsOf(rules: readonly Rule[]): Generator<ActionText> {
  for (const rule of rules) {
    if (rule.rules === undefined) yield rule;
    else yield* actionsOf(rule.rules);
  }
}

/** The rooms, by their templates as written, in which some action places a moderator. */
export function moderatedRooms(actions: Iterable<ActionText>): ReadonlySet<string> {
  const rooms = new Set<string>();
  for (const { place } of actions) if (place?.role === "moderator") rooms.add(place.room);
  return rooms;
}

/**
 * What a role asks of the join. A participant where no moderator is expected leaves `start_on_enter` out: true is what
 * SignalWire does. Whom a coach coaches is found when they join.
 */
export function roleParameters(role: string, isModerated: boolean, own: OwnRoles): JoinParameters {
  switch (role) {
    case "moderator":
      return { start_on_enter: true };
    case "participant":
      return isModerated ? { start_on_enter: false } : {};
    case "listener":
      return { muted: true };
    case "coach":
      // A coach alone starts nothing.
      return { start_on_enter: false };
    default:
      return Object.hasOwn(own, role) ? (own[role] ?? {}) : {};
  }
}

export function isRole(role: string, own: OwnRoles): boolean {
  return (builtInRoles as readonly string[]).includes(role) || Object.hasOwn(own, role);
}
