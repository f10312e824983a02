import { type Breaker, closedBreaker, relayFailed, relaySucceeded, tryRelay } from "../../shared/breaker.ts";
import { log } from "../log.ts";
import type { Facts } from "./facts.ts";

/** What made RELAY look as if it can't place calls; for the log. */
export type RelayFailure =
  | "409"
  | "404, and the call lived"
  | "accepted, and never joined"
  | "joined, and taken out by a document";

/** Whether RELAY can be relied on to place this project's calls: the breaker, kept across incarnations. */
export class Health {
  readonly #facts: Facts;
  #breaker: Breaker;

  constructor(facts: Facts) {
    this.#facts = facts;
    const kept = facts.get("breaker");
    this.#breaker = kept === null ? closedBreaker : (JSON.parse(kept) as Breaker); // Written by #keep.
  }

  /** Asked once for each call that would go by RELAY: the answer may make it the one that tries again. */
  mayTry(now: number): boolean {
    const { allowed, breaker } = tryRelay(this.#breaker, now);
    if (breaker !== this.#breaker) this.#keep(breaker);
    return allowed;
  }

  failed(why: RelayFailure, now: number): void {
    const before = this.#breaker;
    this.#keep(relayFailed(before, now));
    const opened = this.#breaker.open_until !== null && this.#breaker.open_until !== before.open_until;
    log(opened ? "error" : "warn", opened ? "breaker.opened" : "breaker.failure", { why, ...this.#breaker });
  }

  succeeded(now: number): void {
    if (this.#breaker === closedBreaker || this.#breaker.failures === 0) return;
    this.#keep(relaySucceeded(this.#breaker, now));
  }

  get breaker(): Breaker {
    return this.#breaker;
  }

  #keep(breaker: Breaker): void {
    this.#breaker = breaker;
    this.#facts.set("breaker", JSON.stringify(breaker));
  }
}
