import type { Call } from "../../../shared/call.ts";
import { isLive } from "../../../shared/placement.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { type OfferedCall, readOffer } from "../../../shared/relay-call.ts";
import { log } from "../../log.ts";
import type { OutboundCall } from "../contract/call-flow.ts";
import type { CallFlow, CallFlows } from "../store/call-flows.ts";
import type { Counters } from "../store/counters.ts";
import type { History } from "../store/history.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { CallFlowRunner } from "./call-flow-runner.ts";

/** Alarm interval while calls are in a flow: if the object is lost, they do not wait long for the next one. */
const CALL_FLOW_MS = 3_000;
/** Orphaned call flows that are resumed at once; the others wait for the next alarm. */
const RESUMED = 200;

interface InboundCallsHost {
  callFlows: CallFlows;
  placements: Placements;
  history: History;
  counters: Counters;
}

/** What is done with a call that is offered. */
interface CallHandlers {
  /** Makes what leads it through its flow. */
  runnerFor(flow: CallFlow, call: Call, isResumed: boolean): CallFlowRunner;
  /** Leaves it to another client of its context. */
  pass(call: Call): void;
  /** It has ended, or is another client's: its placement holds no seat and waits for none. */
  ended(row: Placement): void;
}

/**
 * InboundCalls — the calls on RELAY contexts and those that were dialled: each is taken once, and its flow runs to
 * its end, in this object or in the next. Used for RELAY events, and by the heartbeat.
 */
export class InboundCalls {
  readonly #host: InboundCallsHost;
  readonly #handlers: CallHandlers;
  readonly #rescheduled: () => void;
  readonly #runners = new Map<string, CallFlowRunner>();
  /** Claimed in the turn of its event; its flow starts once the event is acknowledged. */
  #claimed: { flow: CallFlow; call: OfferedCall["call"] } | null = null;
  /** Offered in this turn, and left to another client. */
  #unwanted: OfferedCall["call"] | null = null;

  /** @param rescheduled called when it wants the alarm sooner than it said before. */
  constructor(host: InboundCallsHost, handlers: CallHandlers, rescheduled: () => void) {
    this.#host = host;
    this.#handlers = handlers;
    this.#rescheduled = rescheduled;
  }

  /** In the turn that writes the event's row, before its ack, so that no acknowledged call is forgotten. */
  claim(event: RelayEvent): void {
    if (event.kind !== "receive") return;
    const { callFlows, placements, history, counters } = this.#host;
    const offered = readOffer(event.params);
    if (!offered) {
      log("warn", "offer.unusable", { why: "it names no call" });
      return;
    }
    const { call, context } = offered;
    if (callFlows.has(call.call_id)) {
      counters.add("duplicate_offers");
      return;
    }
    if (placements.currentOf(call.call_id).length > 0 || history.knows(call.call_id)) {
      log("warn", "offer.not_ours", { call: call.call_id, why: "the call came by webhook before" });
      this.#unwanted = call;
      return;
    }
    const flow = callFlows.claim(call, context);
    if (!flow) return;
    counters.add("offers");
    this.#claimed = { flow, call };
    this.#rescheduled();
  }

  /** What RELAY says, once its ack is on its way. */
  act(event: RelayEvent): void {
    const claimed = this.#claimed;
    this.#claimed = null;
    if (claimed) this.#start(claimed.flow, claimed.call, false);
    if (this.#unwanted) this.#handlers.pass(this.#unwanted);
    this.#unwanted = null;
    const { kind } = event;
    if (kind !== "state" && kind !== "play" && kind !== "collect" && kind !== "send_digits") return;
    const { call_id } = event.params;
    if (call_id === undefined) return;
    this.#runners.get(call_id)?.control.heard(event);
    if (kind === "state" && event.params.call_state === "ended") this.#ended(call_id);
  }

  /** An outbound call is answered: its flow leads it to its room. */
  outbound(call: Call, outbound: OutboundCall): void {
    const flow = this.#host.callFlows.claim(call, "", outbound);
    if (flow) this.#start(flow, call, false);
  }

  /** A participant-join confirms a placement of the call's. */
  joined(call_id: string): void {
    this.#runners.get(call_id)?.joined();
  }

  /** RELAY's events stopped coming, and are not sent again. */
  gap(): void {
    for (const runner of this.#runners.values()) runner.control.gap();
  }

  /** Resumes orphaned call flows. */
  resume(): void {
    const open = this.#host.callFlows.open(RESUMED + this.#runners.size);
    for (const flow of open.filter(({ call_id }) => !this.#runners.has(call_id)).slice(0, RESUMED)) {
      log("warn", "walk.resumed", { call: flow.call_id, at: flow.state.next?.does ?? "nothing decided" });
      this.#start(flow, flow.state.call, true);
    }
  }

  /** Only the alarm resumes what a lost object has left. */
  nextWakeAt(): null {
    return null;
  }

  nextAlarmAt(now: number): number | null {
    return this.#runners.size > 0 || this.#claimed !== null ? now + CALL_FLOW_MS : null;
  }

  run(): void {
    this.resume();
  }

  get isBusy(): boolean {
    return this.#runners.size > 0 || this.#host.callFlows.areOpen;
  }

  #start(flow: CallFlow, call: OfferedCall["call"], isResumed: boolean): void {
    const runner = this.#handlers.runnerFor(flow, call, isResumed);
    this.#runners.set(flow.call_id, runner);
    this.#rescheduled();
    void runner.run().finally(() => {
      this.#runners.delete(flow.call_id);
      if (runner.isDoneWith) this.#ended(flow.call_id);
    });
  }

  /** A call that has ended, or that another client took, holds no seat and waits in no queue. */
  #ended(call_id: string): void {
    const { placements, callFlows } = this.#host;
    if (!callFlows.has(call_id)) return;
    for (const row of placements.currentOf(call_id)) if (isLive(row.state)) this.#handlers.ended(row);
  }
}
