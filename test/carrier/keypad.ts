import type { Clock } from "./clock.ts";

/** Keys pressed before anyone asked are kept, as a media server keeps them; no more than so many. */
const type_ahead = 100;

/** The keys of one caller, taken one at a time in the order pressed. */
export class Keypad {
  readonly #clock: Clock;
  readonly #keys: string[] = [];
  #waiting: ((key: string) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  press(digits: string): void {
    for (const key of digits) {
      const taker = this.#waiting.shift();
      if (taker !== undefined) taker(key);
      else if (this.#keys.length < type_ahead) this.#keys.push(key);
    }
  }

  /** The next key, or null after `timeout_ms` on the project's clock; rejects when the signal is aborted. */
  next(timeout_ms: number, signal: AbortSignal): Promise<string | null> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const key = this.#keys.shift();
      if (key !== undefined) {
        resolve(key);
        return;
      }
      const settle = () => {
        callOff();
        signal.removeEventListener("abort", aborted);
        this.#waiting = this.#waiting.filter((one) => one !== taker);
      };
      const taker = (pressed: string) => {
        settle();
        resolve(pressed);
      };
      const aborted = () => {
        settle();
        reject(signal.reason);
      };
      const callOff = this.#clock.after(timeout_ms, () => {
        settle();
        resolve(null);
      });
      this.#waiting.push(taker);
      signal.addEventListener("abort", aborted, { once: true });
    });
  }
}
