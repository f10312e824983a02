import type { Sound } from "../leg.ts";

/** What a play URL sounds like, and for how long. */
export interface Playing {
  readonly sound: Sound;
  readonly detail: string;
  readonly duration_ms: number;
}

const ms_per_character = 60;
const shortest_speech_ms = 300;
const ring_ms = 2000;
const audio_ms = 2000;

/** `say:` lasts by its length, `silence:` and `ring:` as they say, a recording 2 s unless its fragment says `#seconds=n`. */
export function playingOf(url: string): Playing {
  if (url.startsWith("say:")) {
    const text = url.slice("say:".length).trim();
    const duration_ms = Math.max(shortest_speech_ms, [...text].length * ms_per_character);
    return { sound: "say", detail: text, duration_ms };
  }
  if (url.startsWith("silence:")) {
    return { sound: "silence", detail: url, duration_ms: Number(url.slice("silence:".length)) * 1000 };
  }
  if (url.startsWith("ring:")) {
    const seconds = /^ring: ?([\d.]+):/.exec(url)?.[1];
    return {
      sound: "ring",
      detail: url,
      duration_ms: seconds === undefined ? ring_ms : Number(seconds) * 1000,
    };
  }
  const seconds = /#seconds=([\d.]+)$/.exec(url)?.[1];
  return {
    sound: "audio",
    detail: url,
    duration_ms: seconds === undefined ? audio_ms : Number(seconds) * 1000,
  };
}
