/** Watches one socket for signs of life: a probe after some silence, the end after some more. */
export class Silence {
  readonly #probe_after_ms: number;
  readonly #probe_answer_ms: number;
  #heard_at = 0;
  #probed_at: number | null = null;

  constructor(probe_after_ms: number, probe_answer_ms: number) {
    this.#probe_after_ms = probe_after_ms;
    this.#probe_answer_ms = probe_answer_ms;
  }

  /** Any frame is a sign of life, whatever is in it. */
  heard(now_ms: number): void {
    this.#heard_at = now_ms;
    this.#probed_at = null;
  }

  probed(now_ms: number): void {
    this.#probed_at = now_ms;
  }

  /** When `verdict` next changes, in ms since the epoch. */
  get wakeAt(): number {
    return this.#probed_at === null
      ? this.#heard_at + this.#probe_after_ms
      : this.#probed_at + this.#probe_answer_ms;
  }

  verdict(now_ms: number): "fine" | "probe" | "dead" {
    if (now_ms < this.wakeAt) return "fine";
    return this.#probed_at === null ? "probe" : "dead";
  }
}
