import type { Clock } from "./clock.ts";
import type { Switches } from "./switches/index.ts";

/** Keys pressed before anyone asked are kept, unless the switch says otherwise; no more than so many. */
const type_ahead = 100;

/** The keys of one caller, taken one at a time in the order pressed. */
export class Keypad {
  readonly #clock: Clock;
  readonly #type_ahead: () => Switches["type_ahead"];
  #keys: string[] = [];
  #prompts = 0;
  #waiting: ((key: string) => void)[] = [];

  constructor(clock: Clock, type_ahead: () => Switches["type_ahead"]) {
    this.#clock = clock;
    this.#type_ahead = type_ahead;
  }

  /** The returned function ends the prompt, once. */
  beginPrompt(): () => void {
    if (this.#type_ahead() === "cleared_per_prompt") this.#keys = [];
    this.#prompts += 1;
    let open = true;
    return () => {
      if (open) this.#prompts -= 1;
      open = false;
    };
  }

  press(digits: string): void {
    if (this.#prompts === 0 && this.#type_ahead() === "dropped") return;
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
