import { passOn } from "./calls/call-control.ts";
import { CallFlowRunner } from "./calls/call-flow-runner.ts";
import { InboundCalls } from "./calls/inbound-calls.ts";
import type { EventParts } from "./compose-events.ts";
import type { Base, Upkeep } from "./compose-upkeep.ts";
import type { CallDecider } from "./contract/call-flow.ts";
import { DialDesk } from "./dial/dial-desk.ts";
import { Dialer } from "./dial/dialer.ts";
import { HeldJoins } from "./placement/held-joins.ts";
import { PlacementService } from "./placement/placement-service.ts";

/** What leads calls to their rooms. */
export interface CallParts {
  held: HeldJoins;
  placement: PlacementService;
  inboundCalls: InboundCalls;
  dialer: Dialer;
  dialDesk: DialDesk;
}

/**
 * Builds what places calls, takes those of RELAY contexts, and dials. Used by the session.
 * @param asked told of each request to dial, by its project.
 */
export function composeCalls(
  { tables, relayManager, queue, scheduler }: Base,
  { participants, dropped }: EventParts,
  { corrections, dispatcher }: Upkeep,
  { decider, asked }: { decider: CallDecider; asked(project_id: string): void },
): CallParts {
  const parts = { ...tables, relayManager, queue, participants, dispatcher };
  const held: HeldJoins = new HeldJoins({ ...parts, corrections }, tables.turns, () =>
    scheduler.changed(held),
  );
  const placement: PlacementService = new PlacementService({
    ...parts,
    held,
    dropped,
    rescheduled: () => scheduler.changed(placement),
  });
  const inboundCalls: InboundCalls = new InboundCalls(
    parts,
    {
      runnerFor: (...call) => new CallFlowRunner({ ...parts, decider }, ...call),
      pass: (call) => passOn(call, relayManager, tables.counters),
      ended: (row) => {
        queue.ended(row);
        participants.callEnded(row);
      },
    },
    () => scheduler.changed(inboundCalls),
  );
  const dialer: Dialer = new Dialer(
    parts,
    {
      answered: (call, outbound) => inboundCalls.outbound(call, outbound),
      hangUp: (key, node_id) => {
        tables.pendingCommands.add("end", key, node_id);
        dispatcher.start();
      },
      rescheduled: () => scheduler.changed(dialer),
    },
    Date.now,
  );
  return { held, placement, inboundCalls, dialer, dialDesk: new DialDesk(tables, dialer, asked) };
}
