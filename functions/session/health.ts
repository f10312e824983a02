import { type Breaker, closedBreaker, relayFailed, relaySucceeded, tryRelay } from "../../shared/breaker.ts";
import { log } from "../log.ts";
import type { Facts } from "./facts.ts";

/** The one call that shows whether leaves are told again may be in its room for so long. */
const TRIAL_STAY_MS = 3_600_000;

/** What made RELAY look as if it can't place calls; for the log. */
export type RelayFailure =
  | "409"
  | "404, and the call lived"
  | "accepted, and never joined"
  | "joined, and taken out by a document"
  | "no evidence of leaving";

/**
 * Health — a circuit breaker, kept across incarnations: while it is open the project's calls join by document. There are two: one
 * for whether RELAY places calls, one (`leaving`) for whether SignalWire tells when a call that RELAY joined has left.
 */
export class Health {
  readonly #facts: Facts;
  readonly #fact: "breaker" | "leaving";
  #breaker: Breaker;

  constructor(facts: Facts, fact: "breaker" | "leaving" = "breaker") {
    this.#facts = facts;
    this.#fact = fact;
    const kept = facts.get(fact);
    this.#breaker = kept === null ? closedBreaker : (JSON.parse(kept) as Breaker); // Written by #keep.
  }

  /** Asked once for each call that would go by RELAY: the answer may make it the one that tries again. */
  mayTry(now: number): boolean {
    const { allowed, breaker } = tryRelay(
      this.#breaker,
      now,
      this.#fact === "leaving" ? TRIAL_STAY_MS : undefined,
    );
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
    this.#facts.set(this.#fact, JSON.stringify(breaker));
  }
}
