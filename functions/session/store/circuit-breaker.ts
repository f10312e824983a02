import {
  type Breaker,
  closedBreaker,
  relayFailed,
  relaySucceeded,
  tryRelay,
} from "../../../shared/circuit-breaker.ts";
import { log } from "../../log.ts";
import type { Settings } from "./settings.ts";

/** The one call that shows whether leaves are told again may be in its room for so long. */
const TRIAL_STAY_MS = 3_600_000;

/** Tenants of which a breaker of their own is kept; the one that failed first goes first. */
const TENANTS = 1_000;

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
 *
 * What only a tenant's callback token proves counts for that tenant alone, in a breaker of its own that does not outlive us: a tenant
 * is to have no say in how the calls of others join.
 */
export class CircuitBreaker {
  readonly #settings: Settings;
  readonly #fact: "breaker" | "leaving";
  #breaker: Breaker;
  /** Of the tenants that have failures. */
  readonly #tenants = new Map<string, Breaker>();

  constructor(settings: Settings, fact: "breaker" | "leaving" = "breaker") {
    this.#settings = settings;
    this.#fact = fact;
    const kept = settings.get(fact);
    this.#breaker = kept === null ? closedBreaker : (JSON.parse(kept) as Breaker); // Written by #keep.
  }

  /** Asked once for each of the tenant's calls that would go by RELAY: the answer may make it the one that tries again. */
  mayTry(now: number, tenant: string): boolean {
    const trial_ms = this.#fact === "leaving" ? TRIAL_STAY_MS : undefined;
    const project = tryRelay(this.#breaker, now, trial_ms);
    const own = tryRelay(this.breakerOf(tenant), now, trial_ms);
    // A call that one of the two stops is no trial for the other.
    if (!project.allowed || !own.allowed) return false;
    if (project.breaker !== this.#breaker) this.#keep(project.breaker);
    this.#keepOf(tenant, own.breaker);
    return true;
  }

  /** @param tenant whose token alone proves it; absent: it is proved for all. */
  failed(why: RelayFailure, now: number, tenant?: string): void {
    const before = tenant === undefined ? this.#breaker : this.breakerOf(tenant);
    const breaker = relayFailed(before, now);
    if (tenant === undefined) this.#keep(breaker);
    else this.#keepOf(tenant, breaker);
    const opened = breaker.open_until !== null && breaker.open_until !== before.open_until;
    const whose = tenant === undefined ? {} : { tenant };
    log(opened ? "error" : "warn", opened ? "breaker.opened" : "breaker.failure", {
      why,
      ...whose,
      ...breaker,
    });
  }

  /** @param isProved by more than the token of the tenant, whose call it was. */
  succeeded(now: number, tenant: string, isProved: boolean): void {
    this.#keepOf(tenant, relaySucceeded(this.breakerOf(tenant), now));
    if (isProved && this.#breaker.failures > 0) this.#keep(relaySucceeded(this.#breaker, now));
  }

  /** The project's. */
  get breaker(): Breaker {
    return this.#breaker;
  }

  breakerOf(tenant: string): Breaker {
    return this.#tenants.get(tenant) ?? closedBreaker;
  }

  /** Of the tenants that have failures. */
  get ofTenants(): Record<string, Breaker> {
    return Object.fromEntries(this.#tenants);
  }

  #keepOf(tenant: string, breaker: Breaker): void {
    if (breaker.failures === 0) this.#tenants.delete(tenant);
    else this.#tenants.set(tenant, breaker);
    for (const first of this.#tenants.keys()) {
      if (this.#tenants.size <= TENANTS) break;
      this.#tenants.delete(first);
    }
  }

  #keep(breaker: Breaker): void {
    this.#breaker = breaker;
    this.#settings.set(this.#fact, JSON.stringify(breaker));
  }
}
