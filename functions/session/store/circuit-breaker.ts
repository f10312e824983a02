import {
  type Breaker,
  closedBreaker,
  closedProjectBreaker,
  type ProjectBreaker,
  relayFailed,
  relayFailedFor,
  relaySucceeded,
  relaySucceededFor,
  tryRelay,
} from "../../../shared/circuit-breaker.ts";
import { log } from "../../log.ts";
import type { Settings } from "./settings.ts";

/** The one call that shows whether leaves are told again may be in its room for so long. */
const TRIAL_STAY_MS = 3_600_000;

/** Tenants of which a breaker of their own is kept; the one that failed first goes first. */
const TENANTS = 1_000;

/** Where each is kept: the project's, and those of tenants that are open. */
const KEPT_AS = {
  breaker: { project: "breaker", tenants: "breaker_of_tenants" },
  leaving: { project: "leaving", tenants: "leaving_of_tenants" },
} as const;

/** What made RELAY look as if it can't place calls; for the log. */
export type RelayFailure =
  | "409"
  | "404, and the call lived"
  | "accepted, and never joined"
  | "joined, and taken out by a document"
  | "no evidence of leaving";

/**
 * CircuitBreaker — kept across restarts: while it is open calls join by document. There are two: one for whether RELAY places
 * calls, one (`leaving`) for whether SignalWire tells when a call that RELAY joined has left.
 *
 * Each has one breaker for every tenant and one for the project. A tenant's calls can be made to fail by that tenant, by its documents
 * and webhooks and, without a signature, by anyone who has its callback token. So a failure counts for the tenant whose call it was, and
 * stops that tenant's calls alone; the project's breaker opens for the calls of several tenants.
 */
export class CircuitBreaker {
  readonly #settings: Settings;
  readonly #fact: keyof typeof KEPT_AS;
  #project: ProjectBreaker;
  /** Of the tenants that have failures. */
  readonly #tenants: Map<string, Breaker>;

  constructor(settings: Settings, fact: keyof typeof KEPT_AS = "breaker") {
    this.#settings = settings;
    this.#fact = fact;
    const kept = settings.get(KEPT_AS[fact].project);
    // Written by #keep; by the version before without the tenants.
    this.#project = { ...closedProjectBreaker, ...(kept === null ? {} : (JSON.parse(kept) as Breaker)) };
    const of_tenants = settings.get(KEPT_AS[fact].tenants);
    this.#tenants = new Map(
      of_tenants === null ? [] : (JSON.parse(of_tenants) as [string, Breaker][]), // Written by #keepOf.
    );
  }

  /** Asked once for each of the tenant's calls that would go by RELAY: the answer may make it the one that tries again. */
  mayTry(now: number, tenant: string): boolean {
    const trial_ms = this.#fact === "leaving" ? TRIAL_STAY_MS : undefined;
    const project = tryRelay(this.#project, now, trial_ms);
    const own = tryRelay(this.breakerOf(tenant), now, trial_ms);
    // A call that one of the two stops is no trial for the other.
    if (!project.allowed || !own.allowed) return false;
    this.#keep(project.breaker);
    this.#keepOf(tenant, own.breaker);
    return true;
  }

  /**
   * A call of the tenant's failed.
   * @param counts tenant: what proves it is the tenant's token alone. project: that is proved now which counted for the tenant before.
   */
  failed(
    why: RelayFailure,
    now: number,
    tenant: string,
    counts: "both" | "tenant" | "project" = "both",
  ): void {
    if (counts !== "project") {
      const before = this.breakerOf(tenant);
      const own = relayFailed(before, now);
      this.#keepOf(tenant, own);
      tell(before, own, { why, tenant });
    }
    if (counts === "tenant") return;
    const before = this.#project;
    this.#keep(relayFailedFor(before, now, tenant));
    if (isOpened(before, this.#project)) tell(before, this.#project, { why });
  }

  /** @param isProved by more than the token of the tenant, whose call it was. */
  succeeded(now: number, tenant: string, isProved: boolean): void {
    this.#keepOf(tenant, relaySucceeded(this.breakerOf(tenant), now));
    if (isProved && this.#project.failures > 0) this.#keep(relaySucceededFor(this.#project, now));
  }

  /** The project's. */
  get breaker(): ProjectBreaker {
    return this.#project;
  }

  breakerOf(tenant: string): Breaker {
    return this.#tenants.get(tenant) ?? closedBreaker;
  }

  /** Of the tenants that have failures. */
  get ofTenants(): Record<string, Breaker> {
    return Object.fromEntries(this.#tenants);
  }

  /** Those that are open are written down: after a restart the tenant's calls are not to fail anew. */
  #keepOf(tenant: string, breaker: Breaker): void {
    const before = this.breakerOf(tenant);
    if (breaker.failures === 0) this.#tenants.delete(tenant);
    else this.#tenants.set(tenant, breaker);
    for (const first of this.#tenants.keys()) {
      if (this.#tenants.size <= TENANTS) break;
      this.#tenants.delete(first);
    }
    if (breaker.open_until === before.open_until && breaker.trial_at === before.trial_at) return;
    const open = [...this.#tenants].filter(([, { open_until }]) => open_until !== null);
    this.#settings.set(KEPT_AS[this.#fact].tenants, JSON.stringify(open));
  }

  #keep(breaker: ProjectBreaker): void {
    if (breaker === this.#project) return;
    this.#project = breaker;
    this.#settings.set(KEPT_AS[this.#fact].project, JSON.stringify(breaker));
  }
}

function isOpened(before: Breaker, after: Breaker): boolean {
  return after.open_until !== null && after.open_until !== before.open_until;
}

function tell(before: Breaker, after: Breaker, about: { why: RelayFailure; tenant?: string }): void {
  const opened = isOpened(before, after);
  const { failures, open_until, trial_at } = after;
  log(opened ? "error" : "warn", opened ? "breaker.opened" : "breaker.failure", {
    ...about,
    failures,
    open_until,
    trial_at,
  });
}
