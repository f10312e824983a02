/** The longest delay that a Node timer takes. */
const longest_ms = 2 ** 31 - 1;

/** A project's clock: the wall's, run `speed` times as fast. Timers that are under way keep the speed they were set with. */
export class Clock {
  #speed: number;
  #started = Date.now();
  #started_mono = performance.now();

  constructor(speed: number) {
    this.#speed = speed;
  }

  /** Milliseconds since the epoch, on this clock. */
  now(): number {
    return this.#started + (performance.now() - this.#started_mono) * this.#speed;
  }

  setSpeed(speed: number): void {
    this.#started = this.now();
    this.#started_mono = performance.now();
    this.#speed = speed;
  }

  /** Calls `due` after `ms` on this clock; the returned function calls it off. */
  after(ms: number, due: () => void): () => void {
    const timer = setTimeout(due, Math.min(longest_ms, Math.max(0, ms) / this.#speed));
    return () => clearTimeout(timer);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const aborted = () => {
        callOff();
        reject(signal.reason);
      };
      const callOff = this.after(ms, () => {
        signal.removeEventListener("abort", aborted);
        resolve();
      });
      signal.addEventListener("abort", aborted, { once: true });
    });
  }
}
