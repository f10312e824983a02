import type { Prompt } from "../rules/decision.ts";
import type { WayBack } from "./next.ts";
import { comeBack } from "./outcomes.ts";
import { playStep } from "./spoken.ts";
import { document, type SwmlDocument } from "./swml.ts";

/** What a `prompt` sets, all of it: keyed digits travel with every later fetch until they are unset. */
const promptVariables = ["prompt_result", "prompt_value", "prompt_value_raw", "prompt_digit_terminator"];
const FIRST_DIGIT_S = 8;
const NEXT_DIGIT_S = 4;

/** Asks, and comes back with what was keyed. Words before the question that need a voice of their own are played first. */
export function promptDocument({ words, max_digits, terminator }: Prompt, back: WayBack): SwmlDocument {
  const question = words[words.length - 1] ?? words[0];
  const before = words.slice(0, -1).map(playStep);
  const { url, ...speech } = playStep(question).play;
  return document(
    { answer: {} },
    ...before,
    {
      prompt: {
        play: [url],
        max_digits,
        ...(terminator === undefined ? {} : { terminators: terminator }),
        initial_timeout: FIRST_DIGIT_S,
        digit_timeout: NEXT_DIGIT_S,
        ...speech,
      },
    },
    comeBack(back),
  );
}

/** The document, and before anything else in it what was keyed is forgotten. */
export function forgettingKeys(next: SwmlDocument): SwmlDocument {
  const { version, sections } = next;
  return { version, sections: { ...sections, main: [{ unset: promptVariables }, ...sections.main] } };
}
