import { webhook } from "./acme.ts";
import { percentiles, round2 } from "./load.ts";

/** How long SignalWire waits for an answer, ms. */
const READ_MS = 5_000;

/** By RELAY; by its document; a ring, the join being sent and not answered; or no document in time at all. */
type Fate = "by_relay" | "by_document" | "unknown" | "lost";

/** How calls fared, and how long their webhooks took. */
export interface Fared extends Record<Fate, number> {
  calls: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

/** A call every so many ms, whatever became of the ones before. */
export class LightLoad {
  readonly #url: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #calls: Promise<void>[] = [];
  readonly #times: number[] = [];
  readonly #fared: Record<Fate, number> = { by_relay: 0, by_document: 0, unknown: 0, lost: 0 };

  constructor(url: string, every_ms: number) {
    this.#url = url;
    this.#timer = setInterval(() => this.#calls.push(this.#call()), every_ms);
  }

  async stop(): Promise<Fared> {
    clearInterval(this.#timer);
    await Promise.all(this.#calls);
    const [p50_ms, p99_ms] = percentiles(this.#times);
    const max_ms = round2(Math.max(...this.#times));
    return { calls: this.#calls.length, ...this.#fared, p50_ms, p99_ms, max_ms };
  }

  async #call(): Promise<void> {
    const { path, method, headers, body } = webhook(this.#calls.length);
    const begun = performance.now();
    let fate: Fate = "lost";
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers,
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(READ_MS),
      });
      const text = await response.text();
      if (response.status === 200) fate = fateOf(text);
    } catch {
      // Lost: that is what is counted here.
    }
    this.#times.push(performance.now() - begun);
    this.#fared[fate] += 1;
  }
}

function fateOf(text: string): Fate {
  if (text.includes('{"sleep":3000}')) return "by_relay";
  if (text.includes('{"join_conference":')) return "by_document";
  return text.includes('"ring:2:us"') ? "unknown" : "lost";
}
