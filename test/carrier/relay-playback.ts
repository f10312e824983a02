import type { Call } from "./calls.ts";
import type { Sound } from "./leg.ts";
import type { RelayAction } from "./relay-action.ts";
import { playingOf } from "./swml/sounds.ts";

/** Tells the client of a playback or collect: the event's type, and what it says beside the call and `control_id`. */
export type Tell = (event_type: string, facts: Record<string, unknown>) => void;

export interface Collect {
  /** Seconds, as on the wire. */
  readonly initial_timeout?: number | undefined;
  /** Without it speech is asked for, and the simulator's callers are mute. */
  readonly digits?: CollectedDigits | undefined;
}

interface CollectedDigits {
  readonly max: number;
  readonly terminators?: string | undefined;
  readonly digit_timeout?: number | undefined;
}

export interface Medium {
  readonly type: string;
  readonly params: Record<string, unknown>;
}

/** Plays the list, one after the other and so often, 0 being for ever; `calling.play.stop` aborts. */
export async function play(
  call: Call,
  { media, loop }: { readonly media: readonly Medium[]; readonly loop: number },
  action: RelayAction,
  tell: Tell,
  /** Ends the sound before its time, beside what ends the action. */
  until?: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([action.stopped, call.ended, ...(until === undefined ? [] : [until])]);
  if (media.some(isMissing)) return tell("calling.call.play", { state: "error" });
  tell("calling.call.play", { state: "playing" });
  try {
    for (let round = 0; loop === 0 || round < loop; round += 1)
      for (const medium of media) await hearMedium(call, medium, action, signal);
  } catch {
    // Stopped, or the call has ended: what was playing is finished either way.
  }
  tell("calling.call.play", { state: "finished" });
}

/** Plays, and takes keys from the start on: the first key ends the sound. Only the collect event ends it. */
export async function playAndCollect(
  call: Call,
  media: readonly Medium[],
  collect: Collect,
  action: RelayAction,
  tell: Tell,
): Promise<void> {
  const signal = AbortSignal.any([action.stopped, call.ended]);
  const keyed = new AbortController();
  const endPrompt = call.beginPrompt();
  const playing = play(call, { media, loop: 1 }, action, tell, keyed.signal);
  try {
    const initial_ms = (collect.initial_timeout ?? 4) * 1000;
    // Whichever comes first, a key or the end of the sound and the time allowed after it.
    const { digits } = collect;
    const first = await firstDigit(call, playing, initial_ms, signal, digits !== undefined);
    keyed.abort();
    await playing;
    const result =
      first === null || digits === undefined ? null : await furtherDigits(call, first, digits, signal);
    tell("calling.call.collect", {
      state: "finished",
      final: true,
      result: result === null ? { type: "no_input" } : { type: "digit", params: result },
    });
  } catch {
    keyed.abort();
    await playing;
    tell("calling.call.collect", { state: "error", final: true, result: { type: "error" } });
  } finally {
    endPrompt();
  }
}

async function firstDigit(
  call: Call,
  playing: Promise<void>,
  initial_ms: number,
  signal: AbortSignal,
  takesKeys: boolean,
): Promise<string | null> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const silence = playing.then(() => call.sleep(initial_ms, either)).then(() => null);
  if (!takesKeys) return await silence;
  const key = call.nextDigit(Number.MAX_SAFE_INTEGER, either);
  try {
    return await Promise.race([key, silence]);
  } finally {
    over.abort(new Error("settled"));
    // The loser rejects now; nobody waits for it.
    key.catch(() => {});
    silence.catch(() => {});
  }
}

async function furtherDigits(
  call: Call,
  first: string,
  { max, terminators = "", digit_timeout = 5 }: CollectedDigits,
  signal: AbortSignal,
): Promise<{ digits: string; terminator: string }> {
  let digits = "";
  let next: string | null = first;
  while (next !== null) {
    if (terminators.includes(next)) return { digits, terminator: next };
    digits += next;
    if (digits.length >= max) break;
    next = await call.nextDigit(digit_timeout * 1000, signal);
  }
  return { digits, terminator: "" };
}

/** Paused, nothing is heard; resumed, the rest is. */
async function hearMedium(
  call: Call,
  medium: Medium,
  action: RelayAction,
  signal: AbortSignal,
): Promise<void> {
  const { sound, detail, duration_ms } = playingOf(urlOf(medium));
  const heard: Sound = sound;
  for (let left_ms = duration_ms, isOver = false; !isOver; ) {
    await action.whenResumed(signal);
    const began_at = call.now();
    const end = call.hear(heard, detail);
    try {
      await call.sleep(left_ms, AbortSignal.any([signal, action.paused]));
      isOver = true;
    } catch (error) {
      if (signal.aborted) throw error;
      left_ms = Math.max(0, left_ms - (call.now() - began_at));
    } finally {
      end();
    }
  }
}

/** A sound file whose URL says `#missing` is not there. */
function isMissing({ type, params }: Medium): boolean {
  return type === "audio" && String(params["url"]).endsWith("#missing");
}

/** SWML's URL for the same medium: one table says how long each lasts. */
function urlOf({ type, params }: Medium): string {
  switch (type) {
    case "tts":
      return `say:${String(params["text"])}`;
    case "silence":
      return `silence:${String(params["duration"])}`;
    case "ringtone":
      return `ring:${String(params["duration"] ?? 2)}:${String(params["name"])}`;
    default:
      return String(params["url"]);
  }
}
