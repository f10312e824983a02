import type { Sound } from "./leg.ts";

/** Something heard; milliseconds since the call began. `to_ms` is null while it goes on. */
export interface Heard {
  readonly sound: Sound;
  readonly detail: string;
  readonly from_ms: number;
  readonly to_ms: number | null;
}

export interface EarReport {
  readonly heard: readonly Heard[];
  /** The longest stretch without a sound, up to now or to the call's end; an explicit `silence` is no sound. */
  readonly longest_silence_ms: number;
  /** Two sounds went on at once for longer than nothing; one that ends as the next begins is no overlap. */
  readonly two_sounds: boolean;
}

interface Span {
  readonly sound: Sound;
  readonly detail: string;
  readonly from_ms: number;
  to_ms: number | null;
}

/** What one caller hears and when, from the moment that it is made until `end()`. */
export class AudioMonitor {
  readonly #now: () => number;
  readonly #began_at: number;
  readonly #spans: Span[] = [];
  #ended_ms: number | null = null;

  /** `now` in milliseconds, on any clock that does not go back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#began_at = now();
  }

  /** Begins a sound; the function returned ends it, once. After `end()` nothing is heard any more. */
  begin(sound: Sound, detail: string): () => void {
    if (this.#ended_ms !== null) return () => {};
    const span: Span = { sound, detail, from_ms: this.#elapsed(), to_ms: null };
    this.#spans.push(span);
    return () => {
      span.to_ms ??= this.#elapsed();
    };
  }

  /** The call is over: what is still heard ends here, and the clock of silence stops. */
  end(): void {
    if (this.#ended_ms !== null) return;
    const ended_ms = this.#elapsed();
    for (const span of this.#spans) span.to_ms ??= ended_ms;
    this.#ended_ms = ended_ms;
  }

  report(): EarReport {
    const until_ms = this.#elapsed();
    const sounds = this.#spans
      .filter((span) => span.sound !== "silence")
      .map((span) => ({
        from_ms: span.from_ms,
        to_ms: span.to_ms ?? until_ms,
        is_mixed: span.sound === "announcement",
      }))
      .filter((span) => span.to_ms > span.from_ms)
      .sort((a, b) => a.from_ms - b.from_ms);
    let heard_until_ms = 0;
    let busy_until_ms = 0;
    let longest_silence_ms = 0;
    let two_sounds = false;
    for (const span of sounds) {
      longest_silence_ms = Math.max(longest_silence_ms, span.from_ms - heard_until_ms);
      if (!span.is_mixed) {
        if (span.from_ms < busy_until_ms) two_sounds = true;
        busy_until_ms = Math.max(busy_until_ms, span.to_ms);
      }
      heard_until_ms = Math.max(heard_until_ms, span.to_ms);
    }
    longest_silence_ms = Math.max(longest_silence_ms, until_ms - heard_until_ms);
    return { heard: this.#spans.map((span) => ({ ...span })), longest_silence_ms, two_sounds };
  }

  #elapsed(): number {
    return this.#ended_ms ?? this.#now() - this.#began_at;
  }
}
