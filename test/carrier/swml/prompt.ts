import type { Leg } from "../leg.ts";
import { numberOf, read } from "./machine.ts";
import { playingOf } from "./sounds.ts";
import { promptBody } from "./steps.ts";

interface Input {
  readonly digits: string;
  readonly terminator: string;
}

const defaults = { max_digits: 1, digit_timeout_s: 5, initial_timeout_s: 5 };

/**
 * Plays and takes digits: a key stops what plays. Sets `prompt_result` and, where keys came, `prompt_value`,
 * `prompt_value_raw` and `prompt_digit_terminator`; what an earlier prompt left in these is gone either way.
 */
export async function runPrompt(leg: Leg, body: unknown, signal: AbortSignal): Promise<void> {
  const prompt = read(promptBody, body);
  for (const name of ["prompt_value", "prompt_value_raw", "prompt_digit_terminator"]) delete leg.vars[name];
  const urls = Array.isArray(prompt.play) ? prompt.play : [prompt.play];
  const initial_ms = numberOf(prompt.initial_timeout, defaults.initial_timeout_s) * 1000;
  const limits = {
    max_digits: numberOf(prompt.max_digits, defaults.max_digits),
    digit_timeout_ms: numberOf(prompt.digit_timeout, defaults.digit_timeout_s) * 1000,
    terminators: prompt.terminators ?? "",
  };
  const endPrompt = leg.beginPrompt();
  let input: Input;
  try {
    const first = (await playUntilKey(leg, urls, signal)) ?? (await leg.nextDigit(initial_ms, signal));
    input = await collect(leg, first, signal, limits);
  } finally {
    endPrompt();
  }
  const { digits, terminator } = input;
  Object.assign(leg.vars, {
    prompt_result: digits === "" ? "no_input" : "match_digits",
    ...(digits === "" ? {} : { prompt_value: digits, prompt_value_raw: digits }),
    ...(terminator === "" ? {} : { prompt_digit_terminator: terminator }),
  });
}

/** The key that interrupted, or null where all was heard. */
async function playUntilKey(leg: Leg, urls: readonly string[], signal: AbortSignal): Promise<string | null> {
  for (const url of urls) {
    const playing = playingOf(url);
    const stop = leg.hear(playing.sound, playing.detail);
    try {
      const key = await leg.nextDigit(playing.duration_ms, signal);
      if (key !== null) return key;
    } finally {
      stop();
    }
  }
  return null;
}

async function collect(
  leg: Leg,
  first: string | null,
  signal: AbortSignal,
  limits: { max_digits: number; digit_timeout_ms: number; terminators: string },
): Promise<Input> {
  let digits = "";
  let key = first;
  while (key !== null) {
    if (limits.terminators.includes(key)) return { digits, terminator: key };
    digits += key;
    if (digits.length >= limits.max_digits) break;
    key = await leg.nextDigit(limits.digit_timeout_ms, signal);
  }
  return { digits, terminator: "" };
}
