import type { Spoken } from "./rules/decision.ts";

/** What `calling.play` and `calling.play_and_collect` take, as RELAY spells it. */
export type Medium =
  | { type: "tts"; params: { text: string; language?: string; voice?: string } }
  | { type: "audio"; params: { url: string } }
  /** `duration` in seconds. */
  | { type: "ringtone"; params: { name: string; duration: number } };

/** About how long words take to be spoken, in ms a character: slower than speech is, for none are to be cut off. */
const CHARACTER_MS = 90;

export function mediumOf(spoken: Spoken): Medium {
  if ("play" in spoken) return { type: "audio", params: { url: spoken.play } };
  const { say, ...how } = spoken;
  return { type: "tts", params: { text: say, ...how } };
}

/** About how long it takes to be heard, in ms; for a sound file, which may take any time, `file_ms`. */
export function lengthOf(media: readonly Medium[], file_ms: number): number {
  return media.reduce((length, medium) => length + lengthOfOne(medium, file_ms), 0);
}

function lengthOfOne(medium: Medium, file_ms: number): number {
  switch (medium.type) {
    case "tts":
      return medium.params.text.length * CHARACTER_MS;
    case "ringtone":
      return medium.params.duration * 1_000;
    case "audio":
      return file_ms;
    default:
      return medium satisfies never;
  }
}
