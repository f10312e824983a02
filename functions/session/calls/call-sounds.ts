import { lengthOf, type Medium } from "../../../shared/media.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Prompt } from "../../../shared/rules/decision.ts";
import { timeoutOr } from "../../timeout.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Sounding } from "../store/call-flows.ts";
import { type CallCommands, COMMAND_MS, type Done, REST_MS } from "./call-commands.ts";

/** Longest wait for words or a sound file before the room. */
const HEARD_MS = 30_000;
/** How much longer than estimated the slowest voice takes, as a factor. */
const SLOWEST = 1.5;
/** For words to begin, and for the event of their end. */
const MARGIN_MS = 3_000;
/** Most that is added to the estimate: if the event of the end is lost, the caller hears nothing for that long. */
const ADDED_MS = 6_000;
const FILE_MS = 5_000;
/** Further tries to stop a sound, and the time between them, while the call waits for it. */
const STOPPED_AGAIN = 3;
const STOP_AGAIN_MS = 400;
/** After those, tries that nothing waits for: whenever RELAY is back, and after this time. */
const STOP_LATER_MS = 2_000;
const STOPPED_LATER = 30;
/** How long the next step waits for a sound to be stopped: until RELAY, then REST, have had their time. */
const SILENCED_WITHIN_MS = COMMAND_MS + REST_MS + 500;
/** Sounds that are remembered as stopped. */
const SILENCED = 8;
/** A caller's time for the first key and between keys, as in our documents. */
const FIRST_DIGIT_S = 8;
const NEXT_DIGIT_S = 4;
/** A key and the pause after it, at most, and the delay of the event. */
const KEY_MS = 400;
const KEYED_LATE_MS = 1_500;

/** again: the keys were lost, and not by the caller's fault. */
export type Keyed = { digits: string } | "again" | "failed" | "gone";

/** How long a sound is waited for at most, and how long a file of it goes on of whose end RELAY can't tell; ms. */
export interface Limits {
  longest_ms: number;
  file_ms: number;
}

/** Why a sound is not waited for any longer. failed: it could not be played. lost: RELAY's events have a gap. */
type End = { over: "finished"; digits?: string } | { over: "failed" | "lost" | "ended" | "late" };

/**
 * CallSounds — what one call hears, and the keys that it presses or is sent: at most one sound at a time, and a stopped one is stopped until
 * that is confirmed. Used by CallControl.
 */
export class CallSounds {
  readonly #commands: CallCommands;
  readonly #relayManager: RelayManager;
  readonly #sounds: (sounding: Sounding | null) => void;
  #sounding: (Sounding & { isHeard: boolean; end: (why: End) => void }) | null = null;
  #keying: { control_id: string; end: () => void } | null = null;
  #interruptions = 0;
  /** Sounds that were stopped last, by `control_id`: one whose start came late is stopped when it is heard. */
  readonly #silenced: string[] = [];
  /** What waits for RELAY to tell of the end of a sound that is being stopped, by `control_id`. */
  readonly #stopping = new Map<string, () => void>();

  /** @param sounds told what the call hears from now on, in the turn in which it is asked for; null: nothing. */
  constructor(
    commands: CallCommands,
    relayManager: RelayManager,
    sounds: (sounding: Sounding | null) => void,
  ) {
    this.#commands = commands;
    this.#relayManager = relayManager;
    this.#sounds = sounds;
  }

  /** What RELAY says of the call's sounds and keys. */
  heard(event: RelayEvent): void {
    const sounding = this.#sounding;
    switch (event.kind) {
      case "play":
        if (event.params.state === "playing" && this.#silenced.includes(event.params.control_id))
          void this.#stop({ method: "calling.play", control_id: event.params.control_id });
        if (isSoundOver(event.params)) this.#stopping.get(event.params.control_id)?.();
        if (event.params.control_id !== sounding?.control_id || sounding.method !== "calling.play") return;
        sounding.isHeard = true;
        if (isSoundOver(event.params))
          sounding.end({ over: event.params.state === "error" ? "failed" : "finished" });
        return;
      case "collect": {
        if (event.params.control_id !== sounding?.control_id) return;
        const { state, final, result } = event.params;
        // More events of this one follow.
        if (state === "collecting" || final === false || result?.type === "start_of_input") return;
        // The keys were lost, and not by the caller's fault.
        if (state === "error" || result?.type === "error") sounding.end(late);
        else
          sounding.end({
            over: "finished",
            digits: result?.type === "digit" ? (result.params?.digits ?? "") : "",
          });
        return;
      }
      case "send_digits":
        if (event.params.control_id === this.#keying?.control_id) this.#keying.end();
        return;
      default:
        return;
    }
  }

  /** The call is over: nothing is heard or keyed any more. */
  ended(): void {
    this.#keying?.end();
    this.#sounding?.end({ over: "ended" });
  }

  /** RELAY's events stopped coming. */
  gap(): void {
    this.#sounding?.end({ over: "lost" });
  }

  /** Ends what is heard now, for something else is to be heard or done. */
  interrupt(): void {
    this.#interruptions += 1;
    this.#sounding?.end(late);
  }

  /** Plays, and resolves when it was heard, interrupted, or could not be played: after `longest_ms` at most. */
  async play(
    media: readonly Medium[],
    { longest_ms, file_ms }: Limits = { longest_ms: longestOf(media), file_ms: FILE_MS },
  ): Promise<Done> {
    const interruptions = this.#interruptions;
    let sound = this.#begin("calling.play", media);
    let began_at = Date.now();
    let done = await this.#commands.command("calling.play", { control_id: sound.control_id, play: media });
    if (done === "unsure" && this.#sounding?.isHeard) done = "done";
    if (done === "unsure") {
      // It may play all the same: it is stopped, so that it is not heard twice.
      await this.silence(sound);
      if (this.#commands.isGone || interruptions !== this.#interruptions)
        return this.#commands.isGone ? "gone" : done;
      sound = this.#begin("calling.play", media);
      began_at = Date.now();
      done = await this.#commands.commandByRest("calling.play", {
        control_id: sound.control_id,
        play: media,
      });
    }
    if (done === "failed" || done === "gone") {
      this.#over();
      return done;
    }
    // Without RELAY no event says when it is over.
    if (!this.#relayManager.ready) this.gap();
    let end: End = await timeoutOr(longest_ms, sound.ended, late);
    if (end.over === "lost") {
      const left_ms = lengthOf(media, file_ms) - (Date.now() - began_at);
      end = await timeoutOr(Math.min(left_ms, longest_ms), this.#ended(), late);
    }
    if (end.over === "finished" || end.over === "failed") this.#over();
    else await this.silence(sound);
    if (this.#commands.isGone) return "gone";
    return end.over === "failed" ? "failed" : done;
  }

  /** Asks for keys, and resolves with what was keyed: "" for nothing. RELAY alone can. */
  async collect(media: readonly Medium[], prompt: Prompt): Promise<Keyed> {
    const { max_digits, terminator } = prompt;
    const sound = this.#begin("calling.play_and_collect", media);
    const outcome = await this.#commands.byRelay("calling.play_and_collect", {
      control_id: sound.control_id,
      play: media,
      collect: {
        initial_timeout: FIRST_DIGIT_S,
        digits: {
          max: max_digits,
          ...(terminator === undefined ? {} : { terminators: terminator }),
          digit_timeout: NEXT_DIGIT_S,
        },
      },
    });
    if (outcome?.kind !== "ok" && outcome?.kind !== "unanswered") {
      this.#over();
      // The next command shows whether a call that RELAY does not find is gone.
      return this.#commands.isGone ? "gone" : "failed";
    }
    const longest_ms = longestOf(media) + (FIRST_DIGIT_S + max_digits * NEXT_DIGIT_S) * 1_000;
    // A lost event looks like a caller who takes their time, so a broken connection has to be found soon.
    const wait = async () => await this.#relayManager.watched(timeoutOr(longest_ms, sound.ended, late));
    const end = outcome.kind === "ok" ? await wait() : late;
    if (end.over === "finished") {
      this.#over();
      return { digits: end.digits ?? "" };
    }
    await this.silence(sound);
    return this.#commands.isGone ? "gone" : "again";
  }

  /** Sends keys, and resolves when they were heard at the other end, as far as is known. RELAY alone can. */
  async sendDigits(digits: string): Promise<Done> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const control_id = crypto.randomUUID();
    this.#keying = { control_id, end: () => resolve(true) };
    const outcome = await this.#commands.byRelay("calling.send_digits", { control_id, digits });
    const may_be_sent = outcome?.kind === "ok" || outcome?.kind === "unanswered";
    const isToldOf =
      may_be_sent && !this.#commands.isGone && (await timeoutOr(longestKeying(digits), promise, false));
    this.#keying = null;
    if (this.#commands.isGone || outcome?.kind === "gone") return "gone";
    if (outcome?.kind === "ok" || isToldOf) return "done";
    return may_be_sent ? "unsure" : "failed";
  }

  /** Stops a sound that may still be heard. A stop that takes long goes on meanwhile. */
  async silence(sound: Sounding): Promise<void> {
    const { control_id, ends_at = Number.POSITIVE_INFINITY } = sound;
    this.#sounding = null;
    if (this.#silenced.push(control_id) > SILENCED) this.#silenced.shift();
    const left_ms = ends_at - Date.now();
    if (left_ms <= 0) return this.#sounds(null);
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    this.#stopping.set(control_id, () => {
      if (this.#sounding === null) this.#sounds(null);
      resolve();
    });
    const stopped = Promise.race([this.#stopAgain(sound), isOver]);
    await timeoutOr(Math.min(SILENCED_WITHIN_MS, left_ms), stopped, undefined);
    this.#stopping.delete(control_id);
  }

  /** A sound that goes on would be heard in the room too: the stop is repeated until it is confirmed. */
  async #stopAgain(sound: Sounding): Promise<void> {
    for (let tried = 0; !this.#commands.isGone && !(await this.#stop(sound)); tried += 1) {
      if (tried === STOPPED_AGAIN) {
        void this.#stopLater(sound);
        break;
      }
      await scheduler.wait(STOP_AGAIN_MS);
    }
    if (this.#sounding === null) this.#sounds(null);
  }

  /** A sound that could not be stopped is heard in the room. RELAY or REST may be back in a moment. */
  async #stopLater(sound: Sounding): Promise<void> {
    const relayManager = this.#relayManager;
    for (let tried = 0; tried < STOPPED_LATER; tried += 1) {
      const until = Date.now() + STOP_LATER_MS;
      const wasReady = relayManager.ready !== null;
      await relayManager.settled(until);
      const isBack = !wasReady && relayManager.ready !== null;
      if (!isBack) await scheduler.wait(Math.max(0, until - Date.now()));
      const isOver = sound.ends_at !== undefined && sound.ends_at <= Date.now();
      if (isOver || this.#commands.isGone || !this.#silenced.includes(sound.control_id)) return;
      if (await this.#stop(sound)) return;
    }
  }

  async #stop({ method, control_id, ends_at }: Sounding): Promise<boolean> {
    const outcome = await this.#commands.byRelay(`${method}.stop`, { control_id });
    if (outcome?.kind === "ok" || (outcome?.kind === "gone" && outcome.code === "410")) return true;
    // REST cannot stop questions.
    if (method === "calling.play_and_collect") return outcome?.kind === "gone";
    // Words end soon by themselves, whatever a 404 means.
    if (ends_at !== undefined && outcome?.kind === "gone") return true;
    // A 404 may mean that RELAY has lost sight of the call, whose sound goes on.
    return (await this.#commands.byRest("calling.play.stop", { control_id }, null)) !== "failed";
  }

  #begin(method: Sounding["method"], media: readonly Medium[]): Sounding & { ended: Promise<End> } {
    const { promise, resolve } = Promise.withResolvers<End>();
    const ends =
      method === "calling.play" && media.every(({ type }) => type !== "audio")
        ? { ends_at: Date.now() + SLOWEST * lengthOf(media, 0) }
        : {};
    const sounding = { control_id: crypto.randomUUID(), method, ...ends };
    this.#sounding = { ...sounding, isHeard: false, end: resolve };
    this.#sounds(sounding);
    return { ...sounding, ended: promise };
  }

  /** The end of a sound or of its call, if an event tells it in spite of a gap. */
  async #ended(): Promise<End> {
    const { promise, resolve } = Promise.withResolvers<End>();
    if (this.#commands.isGone) resolve({ over: "ended" });
    else if (this.#sounding) this.#sounding.end = (end) => end.over !== "lost" && resolve(end);
    return await promise;
  }

  #over(): void {
    this.#sounding = null;
    this.#sounds(null);
  }
}

const late: End = { over: "late" };

function isSoundOver({ state }: { state: string }): boolean {
  return state === "finished" || state === "error";
}

function longestOf(media: readonly Medium[]): number {
  const length = lengthOf(media, HEARD_MS);
  return Math.min(HEARD_MS, length + Math.min(ADDED_MS, (SLOWEST - 1) * length + MARGIN_MS));
}

function longestKeying(digits: string): number {
  return [...digits].reduce(
    (ms, key) => ms + (key === "W" ? 1_000 : key === "w" ? 500 : KEY_MS),
    KEYED_LATE_MS,
  );
}
