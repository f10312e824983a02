import type { Leg } from "../leg.ts";
import { type Playing, playingOf } from "../swml/sounds.ts";
import type { Gather, Prompt } from "./verbs.ts";

/** What one `<Say>`, `<Play>` or `<Pause>` sounds like, and for how long; `loop` 0 never ends. */
export function soundOf(prompt: Prompt): { playing: Playing; loop: number } {
  switch (prompt.verb) {
    case "Say":
      return { playing: playingOf(`say:${prompt.text}`), loop: prompt.loop };
    case "Play":
      return { playing: playingOf(prompt.url), loop: prompt.loop };
    case "Pause":
      return { playing: playingOf(`silence:${prompt.length}`), loop: 1 };
  }
}

/** Plays its prompts and takes keys from their beginning on: the first key ends what plays. The keys, without the finishing one. */
export async function gather(leg: Leg, verb: Gather, signal: AbortSignal): Promise<string> {
  const timeout_ms = verb.timeout * 1000;
  let digits = "";
  let key = (await playUntilKey(leg, verb, signal)) ?? (await nextKey(leg, verb, timeout_ms, signal));
  while (key !== null && !verb.finishOnKey.includes(key)) {
    digits += key;
    if (digits.length >= (verb.numDigits ?? Number.POSITIVE_INFINITY)) break;
    key = await nextKey(leg, verb, timeout_ms, signal);
  }
  return digits;
}

async function playUntilKey(leg: Leg, verb: Gather, signal: AbortSignal): Promise<string | null> {
  for (const prompt of verb.prompts) {
    const { playing, loop } = soundOf(prompt);
    for (let round = 0; loop === 0 || round < loop; round += 1) {
      const stop = leg.hear(playing.sound, playing.detail);
      try {
        const key = await nextKey(leg, verb, playing.duration_ms, signal);
        if (key !== null) return key;
      } finally {
        stop();
      }
    }
  }
  return null;
}

/** Where speech alone is asked for, keys are not taken: the time passes, and nobody here can speak. */
async function nextKey(leg: Leg, verb: Gather, ms: number, signal: AbortSignal): Promise<string | null> {
  if (verb.input !== "speech") return await leg.nextDigit(ms, signal);
  await leg.sleep(ms, signal);
  return null;
}
