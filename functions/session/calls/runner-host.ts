import type { Dispatcher } from "../commands/dispatcher.ts";
import type { CallDecider } from "../contract/call-flow.ts";
import type { ConferenceEvents } from "../events/conference-events.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { CallFlows } from "../store/call-flows.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Counters } from "../store/counters.ts";
import type { History } from "../store/history.ts";
import type { Observations } from "../store/observations.ts";
import type { Placements } from "../store/placements.ts";

/** What walking a call needs of the session. */
export interface CallFlowRunnerHost {
  callFlows: CallFlows;
  decider: CallDecider;
  placements: Placements;
  pendingCommands: PendingCommands;
  dispatcher: Dispatcher;
  circuitBreaker: CircuitBreaker;
  events: Pick<ConferenceEvents, "isProved" | "mayBeTakenOut">;
  counters: Counters;
  history: History;
  observations: Observations;
  queue: WaitingQueue;
  heldSeats: Pick<HeldSeats, "isPromised">;
  relayManager: RelayManager;
}
