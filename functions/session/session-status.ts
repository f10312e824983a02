import type { Breaker } from "../../shared/breaker.ts";
import type { LinkStatus } from "./link.ts";

/** How a project's session is; for operators. Counters run since the session was first made. */
export interface SessionStatus extends LinkStatus {
  counters: Record<string, number>;
  breaker: Breaker;
  /** Calls that are, or may be, in a room. */
  live_placements: number;
}
