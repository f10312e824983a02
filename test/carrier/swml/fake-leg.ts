import { AudioMonitor } from "../audio-monitor.ts";
import type { AnswerLimit, Leg, Sound } from "../leg.ts";

/** Time that stands still until `run`, then jumps from one thing due to the next. */
export class VirtualClock {
  #now = 0;
  #due: { at: number; act: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  at(ms: number, act: () => void): () => void {
    const entry = { at: ms, act };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((one) => one !== entry);
    };
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const callOff = this.at(this.#now + ms, resolve);
      const aborted = () => {
        callOff();
        reject(signal.reason);
      };
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  /** Until nothing is due any more: every promise in between has had its turn. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#due.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) return;
      this.#due = this.#due.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
    }
  }
}

type Joined = Awaited<ReturnType<Leg["joinConference"]>>;

/** A leg without a call: keys are pressed by the clock, and every room is left after a minute. */
export class FakeLeg implements Leg {
  readonly call_id = "call-1";
  readonly vars: Record<string, unknown> = {};
  readonly clock = new VirtualClock();
  readonly ear = new AudioMonitor(() => this.clock.now());
  readonly notes: Record<string, unknown>[] = [];
  readonly joined: Record<string, unknown>[] = [];
  readonly hang_ups: string[] = [];
  headers: { name: string; value: string }[] = [];
  from = "+15550100001";
  call_state = "ringing";
  join_result: Joined = "completed";
  readonly #end = new AbortController();
  readonly #keys: string[] = [];
  #taker: ((key: string) => void) | null = null;
  #call_off_limit: () => void = () => {};

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  documentBegins(): void {}

  describe(): Record<string, unknown> {
    const { call_id, from, call_state, headers } = this;
    return { call_id, from, to: "+15550100100", call_state, headers };
  }

  now(): number {
    return this.clock.now();
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return this.clock.sleep(ms, signal);
  }

  answer({ max_ms, default_ms }: AnswerLimit = {}): void {
    const ms = this.call_state === "answered" ? max_ms : (max_ms ?? default_ms);
    this.call_state = "answered";
    if (ms !== undefined) this.#endAfter(ms);
  }

  #endAfter(ms: number): void {
    this.#call_off_limit();
    this.#call_off_limit = this.clock.at(this.now() + ms, () => this.hangUp("max_duration"));
  }

  hangUp(reason: string): void {
    if (this.#end.signal.aborted) return;
    this.#call_off_limit();
    this.hang_ups.push(reason);
    this.call_state = "ended";
    this.#end.abort(new Error(reason));
    this.ear.end();
  }

  hear(sound: Sound, detail: string): () => void {
    return this.ear.begin(sound, detail);
  }

  press(keys: string): void {
    for (const key of keys) {
      const taker = this.#taker;
      this.#taker = null;
      if (taker === null) this.#keys.push(key);
      else taker(key);
    }
  }

  beginPrompt(): () => void {
    return () => {};
  }

  nextDigit(timeout_ms: number, signal: AbortSignal): Promise<string | null> {
    const key = this.#keys.shift();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve, reject) => {
      const done = new AbortController();
      this.#taker = (pressed) => {
        done.abort();
        resolve(pressed);
      };
      this.sleep(timeout_ms, AbortSignal.any([signal, done.signal])).then(
        () => {
          this.#taker = null;
          resolve(null);
        },
        () => {
          if (signal.aborted) reject(signal.reason);
        },
      );
    });
  }

  async joinConference(params: Record<string, unknown>, signal: AbortSignal): Promise<Joined> {
    this.joined.push(params);
    if (this.join_result === "failed") return "failed";
    const { name } = params;
    const leave = this.hear("conference", String(name));
    try {
      await this.sleep(60_000, signal);
    } finally {
      leave();
    }
    return this.join_result;
  }

  note(kind: "document" | "violation", entry: Record<string, unknown>): void {
    this.notes.push({ kind, ...entry });
  }
}
