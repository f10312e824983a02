import type { Call } from "../../../shared/call.ts";
import { isLive } from "../../../shared/placement.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { type OfferedCall, readOffer } from "../../../shared/relay-call.ts";
import { log } from "../../log.ts";
import type { OutboundCall } from "../contract/call-flow.ts";
import type { ConferenceEvents } from "../events/conference-events.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { CallFlow, CallFlows } from "../store/call-flows.ts";
import type { Counters } from "../store/counters.ts";
import type { History } from "../store/history.ts";
import type { Placements } from "../store/placements.ts";
import { CallControl } from "./call-control.ts";
import type { CallFlowRunner } from "./call-flow-runner.ts";

/** While calls are walked the alarm comes this often: should we vanish, they are not left waiting for long. */
const CALL_FLOW_MS = 3_000;
/** Walks that another incarnation left behind and that are taken up at once; more wait for the next alarm. */
const RESUMED = 200;

interface InboundCallsHost {
  callFlows: CallFlows;
  placements: Placements;
  history: History;
  counters: Counters;
  queue: Pick<WaitingQueue, "ended">;
  relayManager: RelayManager;
  /** It wants the alarm sooner than it said before. */
  rescheduled(): void;
  events: ConferenceEvents;
}

/** Makes what leads a call through its flow. */
type MakeRunner = (flow: CallFlow, call: Call, isResumed: boolean) => CallFlowRunner;

/**
 * InboundCalls — the calls on RELAY contexts and those that were dialled: each is taken once, and led to the end of its flow, by this
 * object or by the next. Used by what RELAY tells, and by the heartbeat.
 */
export class InboundCalls {
  readonly #host: InboundCallsHost;
  readonly #runnerFor: MakeRunner;
  readonly #runners = new Map<string, CallFlowRunner>();
  /** Claimed in the turn of the event, walked once it is acknowledged. */
  #claimed: { flow: CallFlow; call: OfferedCall["call"] } | null = null;
  /** Offered in this turn, and to be left to another client. */
  #unwanted: OfferedCall["call"] | null = null;

  constructor(host: InboundCallsHost, runnerFor: MakeRunner) {
    this.#host = host;
    this.#runnerFor = runnerFor;
  }

  /** In the turn in which the event's row is written, and before its ack: no call is acknowledged and then forgotten. */
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
    this.#host.rescheduled();
  }

  /** What RELAY says, once its ack is on its way. */
  act(event: RelayEvent): void {
    const claimed = this.#claimed;
    this.#claimed = null;
    if (claimed) this.#start(claimed.flow, claimed.call, false);
    if (this.#unwanted) this.#pass(this.#unwanted);
    this.#unwanted = null;
    const { kind } = event;
    if (kind !== "state" && kind !== "play" && kind !== "collect" && kind !== "send_digits") return;
    const { call_id } = event.params;
    if (call_id === undefined) return;
    this.#runners.get(call_id)?.control.heard(event);
    if (kind === "state" && event.params.call_state === "ended") this.#ended(call_id);
  }

  /** A call that we made is answered: it is walked to its room. */
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

  /** Takes up what another incarnation left behind. */
  resume(): void {
    const open = this.#host.callFlows.open(RESUMED + this.#runners.size);
    for (const flow of open.filter(({ call_id }) => !this.#runners.has(call_id)).slice(0, RESUMED)) {
      log("warn", "walk.resumed", { call: flow.call_id, at: flow.state.next?.does ?? "nothing decided" });
      this.#start(flow, flow.state.call, true);
    }
  }

  /** The alarm alone takes up what an object that was lost has left. */
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

  #pass(call: OfferedCall["call"]): void {
    const { relayManager, counters } = this.#host;
    const control = new CallControl(call, {
      relayManager,
      told: () => {},
      answered: () => {},
      sounds: () => {},
      commandEnded: (outcome) => counters.add(`command_${outcome.kind}`),
      answersLate: () => {},
    });
    void control.pass();
  }

  #start(flow: CallFlow, call: OfferedCall["call"], isResumed: boolean): void {
    const runner = this.#runnerFor(flow, call, isResumed);
    this.#runners.set(flow.call_id, runner);
    this.#host.rescheduled();
    void runner.run().finally(() => {
      this.#runners.delete(flow.call_id);
      if (runner.isDoneWith) this.#ended(flow.call_id);
    });
  }

  /** A call that has ended, or that another client took, holds no seat and stands in no line. */
  #ended(call_id: string): void {
    const { placements, events, callFlows, queue } = this.#host;
    if (!callFlows.has(call_id)) return;
    for (const row of placements.currentOf(call_id)) {
      if (!isLive(row.state)) continue;
      queue.ended(row);
      events.callEnded(row);
    }
  }
}
