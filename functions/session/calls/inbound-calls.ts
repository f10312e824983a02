import type { Call } from "../../../shared/call.ts";
import { isLive, mayMove } from "../../../shared/placement.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { type OfferedCall, readOffer } from "../../../shared/relay-call.ts";
import { log } from "../../log.ts";
import type { Made } from "../contract/call-flow.ts";
import type { ConferenceEvents } from "../events/conference-events.ts";
import type { Alarm } from "../store/alarm.ts";
import type { Walk } from "../store/call-flows.ts";
import { CallControl } from "./call-control.ts";
import { Walker } from "./call-flow-runner.ts";
import type { WalkerHost } from "./runner-host.ts";

/** While calls are walked the alarm comes this often: should we vanish, they are not left waiting for long. */
const WALKED_MS = 3_000;
/** Walks that another incarnation left behind and that are taken up at once; more wait for the next alarm. */
const RESUMED = 200;

interface ReceptionHost extends WalkerHost {
  alarm: Alarm;
  events: ConferenceEvents;
}

/** Takes the calls that RELAY offers, each once, and sees that each is walked to its end, by us or by who comes after us. */
export class Reception {
  readonly #host: ReceptionHost;
  readonly #walkers = new Map<string, Walker>();
  /** Claimed in the turn of the event, walked once it is acknowledged. */
  #claimed: { walk: Walk; call: OfferedCall["call"] } | null = null;
  /** Offered in this turn, and to be left to another client. */
  #unwanted: OfferedCall["call"] | null = null;

  constructor(host: ReceptionHost) {
    this.#host = host;
  }

  /** In the turn in which the event's row is written, and before its ack: no call is acknowledged and then forgotten. */
  claim(event: RelayEvent): void {
    if (event.kind !== "receive") return;
    const { walks, placements, journal, alarm, counters } = this.#host;
    const offered = readOffer(event.params);
    if (!offered) {
      log("warn", "offer.unusable", { why: "it names no call" });
      return;
    }
    const { call, context } = offered;
    if (walks.has(call.call_id)) {
      counters.add("duplicate_offers");
      return;
    }
    if (placements.currentOf(call.call_id).length > 0 || journal.knows(call.call_id)) {
      log("warn", "offer.not_ours", { call: call.call_id, why: "the call came by webhook before" });
      this.#unwanted = call;
      return;
    }
    const walk = walks.claim(call, context);
    if (!walk) return;
    counters.add("offers");
    alarm.arm(WALKED_MS);
    this.#claimed = { walk, call };
  }

  /** What RELAY says, once its ack is on its way. */
  act(event: RelayEvent): void {
    const claimed = this.#claimed;
    this.#claimed = null;
    if (claimed) this.#start(claimed.walk, claimed.call, false);
    if (this.#unwanted) this.#pass(this.#unwanted);
    this.#unwanted = null;
    const { kind } = event;
    if (kind !== "state" && kind !== "play" && kind !== "collect" && kind !== "send_digits") return;
    const { call_id } = event.params;
    if (call_id === undefined) return;
    this.#walkers.get(call_id)?.control.heard(event);
    if (kind === "state" && event.params.call_state === "ended") this.#ended(call_id);
  }

  /** A call that we made is answered: it is walked to its room. */
  made(call: Call, made: Made): void {
    const { walks, alarm } = this.#host;
    const walk = walks.claim(call, "", made);
    if (!walk) return;
    alarm.arm(WALKED_MS);
    this.#start(walk, call, false);
  }

  /** A participant-join confirms a placement of the call's. */
  joined(call_id: string): void {
    this.#walkers.get(call_id)?.joined();
  }

  /** RELAY's events stopped coming, and are not sent again. */
  gap(): void {
    for (const walker of this.#walkers.values()) walker.control.gap();
  }

  /** Takes up what another incarnation left behind. */
  resume(): void {
    const open = this.#host.walks.open(RESUMED + this.#walkers.size);
    for (const walk of open.filter(({ call_id }) => !this.#walkers.has(call_id)).slice(0, RESUMED)) {
      log("warn", "walk.resumed", { call: walk.call_id, at: walk.state.next?.does ?? "nothing decided" });
      this.#start(walk, walk.state.call, true);
    }
    if (this.#walkers.size > 0) this.#host.alarm.arm(WALKED_MS);
  }

  get isBusy(): boolean {
    return this.#walkers.size > 0 || this.#host.walks.areOpen;
  }

  #pass(call: OfferedCall["call"]): void {
    const { relayManager, counters } = this.#host;
    const control = new CallControl(call, {
      relayManager,
      told: () => {},
      sounds: () => {},
      commandEnded: (outcome) => counters.add(`command_${outcome.kind}`),
      answersLate: () => {},
    });
    void control.pass();
  }

  #start(walk: Walk, call: OfferedCall["call"], isResumed: boolean): void {
    const walker = new Walker(this.#host, walk, call, isResumed);
    this.#walkers.set(walk.call_id, walker);
    void walker.run().finally(() => {
      this.#walkers.delete(walk.call_id);
      if (walker.isDoneWith) this.#ended(walk.call_id);
    });
  }

  /** A call that has ended, or that another client took, holds no seat and stands in no line. */
  #ended(call_id: string): void {
    const { placements, pendingCommands, events, walks, line } = this.#host;
    if (!walks.has(call_id)) return;
    for (const row of placements.currentOf(call_id)) {
      if (!isLive(row.state)) continue;
      line.ended(row);
      const { room: name, conference_id } = row;
      if (row.state === "joined")
        events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
      events.dropped(row);
      placements.move(row, mayMove(row.state, "left") ? "left" : "failed", { reason: "the call ended" });
      // There is no call left to do anything for.
      for (const kind of ["expire", "rejoin", "end", "after"] as const) pendingCommands.drop(kind, row);
    }
  }
}
