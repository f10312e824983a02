import { setTimeout as pause } from "node:timers/promises";
import { arrival, signed } from "./acme.ts";
import { percentiles, round2 } from "./load.ts";

/** How long SignalWire waits for an answer, ms. */
const READ_MS = 5_000;
/** Documents of one call: more than a hold or a ring, and what settles it, is a loop. */
const DOCUMENTS = 5;

/** Put there by RELAY, and confirmed; put there by its document; or without a 200 and a document in time. */
type Fate = "by_relay" | "by_document" | "lost";

/** How calls fared, and how long their webhooks took. */
export interface Fared extends Record<Fate, number> {
  calls: number;
  /** Of these, how many heard a ring first: the join was sent, and its answer never came. */
  rung: number;
  p50_ms: number;
  p99_ms: number;
  max_ms: number;
}

/** What of a document's steps ours use before they stay. */
interface Step {
  sleep?: number;
  play?: object;
  join_conference?: object;
  transfer?: { params: object };
}

/** A call every so many ms, whatever became of the ones before; each does what its documents say, to the end. */
export class LightLoad {
  readonly #url: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #calls: Promise<void>[] = [];
  readonly #times: number[] = [];
  readonly #fared = { by_relay: 0, by_document: 0, lost: 0, rung: 0 };

  constructor(url: string, every_ms: number) {
    this.#url = url;
    this.#timer = setInterval(() => this.#calls.push(this.#call(arrival(this.#calls.length))), every_ms);
  }

  /** When the last call has come to its end. */
  async stop(): Promise<Fared> {
    clearInterval(this.#timer);
    await Promise.all(this.#calls);
    const [p50_ms, p99_ms] = percentiles(this.#times);
    const max_ms = round2(Math.max(...this.#times));
    return { calls: this.#calls.length, ...this.#fared, p50_ms, p99_ms, max_ms };
  }

  async #call(call: ReturnType<typeof arrival>): Promise<void> {
    let fate: Fate = "lost";
    try {
      fate = await this.#follow(call);
    } catch {
      // Lost: that is what is counted here.
    }
    this.#fared[fate] += 1;
  }

  async #follow(call: ReturnType<typeof arrival>): Promise<Fate> {
    let params = {};
    for (let document = 0; document < DOCUMENTS; document += 1) {
      const steps = await this.#fetch(call, params);
      if (steps.some((step) => step.join_conference)) return "by_document";
      if (steps.some((step) => step.sleep === -1)) return "by_relay";
      const back = steps.find((step) => step.transfer)?.transfer;
      if (!back) return "lost";
      const rings = steps.some((step) => step.play);
      if (rings) this.#fared.rung += 1;
      await pause(rings ? 2_000 : (steps.find((step) => step.sleep)?.sleep ?? 0));
      params = back.params;
    }
    return "lost";
  }

  async #fetch(call: ReturnType<typeof arrival>, params: object): Promise<Step[]> {
    const { path, method, headers, body } = signed(call, params);
    const begun = performance.now();
    const response = await fetch(this.#url + path, {
      method,
      headers,
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(READ_MS),
    });
    const text = await response.text();
    this.#times.push(performance.now() - begun);
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    const { sections } = JSON.parse(text) as { sections: { main: Step[] } };
    return sections.main;
  }
}
