import type { Spoken } from "../rules/decision.ts";
import type { PlayStep } from "./swml.ts";

/** The step that speaks the words or plays the media; it answers the call where nothing did before. */
export function playStep(spoken: Spoken): PlayStep {
  if ("play" in spoken) return { play: { url: spoken.play } };
  const { say, language, voice } = spoken;
  return {
    play: {
      // SWML's schema has the words on one line; those of a ruleset may be on several.
      url: `say:${say.replace(/\s+/g, " ").trim()}`,
      ...(language === undefined ? {} : { say_language: language }),
      ...(voice === undefined ? {} : { say_voice: voice }),
    },
  };
}
