import type { Call } from "../../call.ts";
import type { Answers } from "../answers.ts";
import type { Action, Finding } from "../decision.ts";
import type { ActionText } from "../schema/action-schema.ts";
import { type PlaceContext, readPlace } from "./place.ts";
import { type Reader, readHandOver, readReject, rejectByDefault } from "./refusal.ts";

export { rejectByDefault } from "./refusal.ts";

/** What comes of an action for one call: itself, filled in, or why it cannot be. */
export interface Resolved {
  action: Action | null;
  findings: Finding[];
}

export type ActionOf = (call: Call, answers?: Answers) => Resolved;

/** The action, its templates read once. */
export function readAction(text: ActionText, context: PlaceContext): ActionOf {
  if (text.place !== undefined) return resolver("place", readPlace(text.place, context));
  if (text.hand_over !== undefined) return resolver("hand_over", readHandOver(text.hand_over));
  if (text.reject !== undefined) return resolver("reject", readReject(text.reject, context.speech));
  // The schema lets no rule through without an action.
  return () => ({ action: rejectByDefault(), findings: [] });
}

function resolver(field: string, read: Reader<Action>): ActionOf {
  return (call, answers) => {
    const findings: Finding[] = [];
    return { action: read(call, field, findings, answers), findings };
  };
}
