import { NAME_LENGTH, SPOKEN_LENGTH } from "../limits.ts";
import { fieldRead, type Read } from "../reads.ts";
import { type ActionText, templatesOf } from "../schema/action-schema.ts";
import { readsOf } from "../template.ts";
import { type CostOf, constantCost, costOfAll } from "./cost.ts";

/** Seen: 0.2 µs for an action that cannot be filled in, 0.1 µs for each placeholder, and 1 ns for each of its characters. */
const ACTION_STEPS = 20;
const PLACEHOLDER_STEPS = 10;
const CHARS_FILLED = 10;

/** What it takes to fill in an action. */
export function costOfAction(action: ActionText): CostOf {
  const cost = costOfInterpolation(templatesOf(action));
  // A caller's room is kept by the number.
  return action.place?.sticky === undefined ? cost : costOfAll([cost, constantCost(1, [fieldRead("from")])]);
}

/** What it takes to fill in templates, of questions or of what an action holds. */
export function costOfInterpolation(texts: unknown): CostOf {
  const placeholders = [...placeholdersWithin(texts, SPOKEN_LENGTH)];
  if (placeholders.length === 0) return literal;
  return {
    reads: placeholders.map(({ read }) => read),
    steps: (sizeOf) =>
      placeholders.reduce(
        (sum, { read, longest }) =>
          sum + PLACEHOLDER_STEPS + Math.min(2 * sizeOf(read).chars, longest) / CHARS_FILLED,
        ACTION_STEPS,
      ),
  };
}

const literal = constantCost(ACTION_STEPS);

interface Placed {
  read: Read;
  /** Characters of which the text may be at most. */
  longest: number;
}

function* placeholdersWithin(texts: unknown, longest: number): Generator<Placed> {
  if (typeof texts === "string") for (const read of readsOf(texts)) yield { read, longest };
  if (typeof texts !== "object" || texts === null) return;
  for (const [key, inner] of Object.entries(texts))
    yield* placeholdersWithin(inner, key === "room" ? NAME_LENGTH : longest);
}
