import type { Call } from "../../call.ts";
import type { Answers } from "../answers.ts";
import type { Action, Finding } from "../decision.ts";
import type { ActionText } from "../schema/action-schema.ts";
import type { Cost } from "./cost.ts";
import { type PlaceContext, readPlace } from "./place.ts";
import { type Reader, readHandOver, readReject, rejectByDefault } from "./refusal.ts";

export { rejectByDefault } from "./refusal.ts";

/** What comes of an action for one call: itself, filled in, or why it cannot be. */
export interface Resolved {
  action: Action | null;
  findings: Finding[];
}

export type ActionOf = (call: Call, answers?: Answers) => Resolved;

/** An action that is made ready when it is first done: of thousands of rules few ever are. */
export class ActionOnDemand {
  readonly cost: Cost;
  readonly #text: ActionText;
  readonly #context: PlaceContext;
  #made: ActionOf | null = null;

  constructor({ place, reject, hand_over }: ActionText, context: PlaceContext, cost: Cost) {
    this.cost = cost;
    // The rule's match need not be kept for it.
    this.#text = {
      ...(place === undefined ? {} : { place }),
      ...(reject === undefined ? {} : { reject }),
      ...(hand_over === undefined ? {} : { hand_over }),
    };
    this.#context = context;
  }

  resolve(call: Call, answers?: Answers): Resolved {
    this.#made ??= readAction(this.#text, this.#context);
    return this.#made(call, answers);
  }
}

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
