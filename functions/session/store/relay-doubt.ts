import type { CircuitBreaker, RelayFailure } from "./circuit-breaker.ts";
import type { Placement } from "./placement-row.ts";
import type { Placements } from "./placements.ts";

/** What a doubt of RELAY turns out to have been. */
const FAILURES = {
  "404": "404, and the call lived",
  "404, told": "404, and the call lived",
  "taken out": "joined, and taken out by a document",
} as const satisfies Record<NonNullable<Placement["doubt"]>, RelayFailure>;

/**
 * The call lives: what spoke against RELAY, if it did, now counts, for its tenant and for the project, each once.
 * @param isProved by more than the tenant's token: that alone counts for the tenant, and better evidence may come.
 */
export function callLives(
  { placements, circuitBreaker }: { placements: Placements; circuitBreaker: CircuitBreaker },
  row: Placement,
  now: number,
  isProved = true,
): void {
  const { doubt, tenant } = row;
  if (doubt === null || (!isProved && doubt !== "404")) return;
  placements.update(row, { doubt: isProved ? null : "404, told" });
  const counts = !isProved ? "tenant" : doubt === "404, told" ? "project" : "both";
  circuitBreaker.failed(FAILURES[doubt], now, tenant, counts);
}
