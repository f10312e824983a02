import type { Prompt } from "../rules/decision.ts";
import { comeBack } from "./outcomes.ts";
import type { ResumeUrl } from "./step.ts";
import { document, type PlayStep, playStep, type SwmlDocument } from "./swml.ts";

/** What a `prompt` sets, all of it: keyed digits travel with every later fetch until they are unset. */
const promptVariables = ["prompt_result", "prompt_value", "prompt_value_raw", "prompt_digit_terminator"];
const FIRST_DIGIT_S = 8;
const NEXT_DIGIT_S = 4;

/** Asks, and comes back with what was keyed. A key ends any of the words, but those before the question in a voice of their own. */
export function promptDocument({ words, max_digits, terminator }: Prompt, back: ResumeUrl): SwmlDocument {
  const plays = words.map((spoken) => playStep(spoken).play);
  // A prompt speaks in one voice: the question's.
  const { url: _, ...speech } = plays[plays.length - 1] ?? {};
  const first = 1 + plays.findLastIndex((play) => play.url.startsWith("say:") && !isSpokenSo(play, speech));
  const urls = plays.slice(first).map(({ url }) => url);
  const only = urls.length === 1 ? urls[0] : undefined;
  return document(
    { answer: {} },
    ...plays.slice(0, first).map((play) => ({ play })),
    {
      prompt: {
        // Both forms are in the schema; one URL alone is the shorter to read.
        play: only ?? urls,
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

type Speech = Omit<PlayStep["play"], "url">;

function isSpokenSo({ say_language, say_voice }: Speech, speech: Speech): boolean {
  return say_language === speech.say_language && say_voice === speech.say_voice;
}

/** The document, and before anything else in it what was keyed is forgotten. */
export function forgettingKeys(next: SwmlDocument): SwmlDocument {
  const { version, sections } = next;
  return { version, sections: { ...sections, main: [{ unset: promptVariables }, ...sections.main] } };
}
