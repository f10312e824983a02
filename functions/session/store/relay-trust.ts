import type { CircuitBreaker, RelayFailure } from "./circuit-breaker.ts";
import type { Feed } from "./event-log.ts";
import type { Observations } from "./observations.ts";
import type { Placement } from "./placement-row.ts";
import type { Placements } from "./placements.ts";
import { kindOf } from "./suspicions.ts";

/** What a doubt of RELAY turns out to have been. */
const FAILURES = {
  "404": "404, and the call lived",
  "404, told": "404, and the call lived",
  "taken out": "joined, and taken out by a document",
} as const satisfies Record<NonNullable<Placement["doubt"]>, RelayFailure>;

/**
 * RelayTrust — what a call's fate says of RELAY: whether it places calls, and whether it tells when they come and go. Each failure counts
 * once, for the call's tenant and for the project. Used by whatever learns of a call.
 */
export class RelayTrust {
  readonly #placements: Placements;
  readonly #placing: CircuitBreaker;
  readonly #leaving: CircuitBreaker;
  readonly #observations: Observations;

  /** @param leaving of the two breakers the one for whether leaves are told. */
  constructor(
    placements: Placements,
    placing: CircuitBreaker,
    leaving: CircuitBreaker,
    observations: Observations,
  ) {
    this.#placements = placements;
    this.#placing = placing;
    this.#leaving = leaving;
    this.#observations = observations;
  }

  /**
   * The call lives: what spoke against RELAY, if it did, now counts.
   * @param isProved by more than the tenant's token: that alone counts for the tenant, and better evidence may come.
   */
  callLives(row: Placement, now: number, isProved = true): void {
    const { doubt, tenant } = row;
    if (doubt === null || (!isProved && doubt !== "404")) return;
    this.#placements.update(row, { doubt: isProved ? null : "404, told" });
    const counts = !isProved ? "tenant" : doubt === "404, told" ? "project" : "both";
    this.#placing.failed(FAILURES[doubt], now, tenant, counts);
  }

  /** One of our own documents took the call out of RELAY's join. */
  takenOut(row: Placement): void {
    this.#observations.saw("document_takes_call_out_of_conference", true);
    this.#placements.update(row, { doubt: "taken out" });
  }

  /** It was told that the call has left, or is over: by an event, or because another source shows it. */
  leaveTold({ tenant }: Placement, now: number): void {
    this.#leaving.succeeded(now, tenant, true);
  }

  /** RELAY's feed is relied on for a kind of call only once it was seen to speak of that kind. */
  toldBy(feed: Feed, row: Placement, what: "joins" | "leaves"): void {
    if (feed !== "relay") return;
    const { ingress, joined_by } = kindOf(row);
    this.#observations.saw(`relay_tells_${what}`, `${ingress} by ${joined_by ?? "relay"}`);
  }
}
