import type { Breaker } from "../../../shared/circuit-breaker.ts";
import type { SplitRoom } from "../events/split-rooms.ts";
import type { RelayStatus } from "../relay/relay-manager.ts";
import type { Observation } from "../store/observations.ts";

/** How a project's session is; for operators. Counters run since the session was first made. */
export interface SessionStatus extends RelayStatus {
  counters: Record<string, number>;
  breaker: Breaker;
  /** Open: SignalWire does not tell when callers leave, so calls join by document (`no evidence of leaving`). */
  leaving: Breaker;
  /** The same for tenants whose calls failed; absent from a session of the version before. */
  of_tenants?: { breaker: Record<string, Breaker>; leaving: Record<string, Breaker> };
  /** What SignalWire was seen to do here, of what its published material leaves open. */
  observations: Observation[];
  /** Names under which two conferences were seen to live at once, the newest last. */
  split_rooms: SplitRoom[];
  /** Seats that are not counted, though nothing says for sure that their participants left. */
  presumed_gone: number;
  /** Calls that are, or may be, in a room. */
  live_placements: number;
}
