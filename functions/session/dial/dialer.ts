import { type Call, outboundCall } from "../../../shared/call.ts";
import {
  type DialChange,
  type DialEvent,
  dialChange,
  dialEventOf,
  nextDialAt,
} from "../../../shared/dialing.ts";
import { evidenceOfStatus } from "../../../shared/evidence.ts";
import type { RelayEvent } from "../../../shared/relay/events.ts";
import { describeOutcome, isBusy } from "../../../shared/relay/outcome.ts";
import { describeError, log } from "../../log.ts";
import { type CallStatuses, callStatuses } from "../../rest-calls.ts";
import type { OutboundCall } from "../contract/call-flow.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { RelayConnection } from "../relay/relay-connection.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Counters } from "../store/counters.ts";
import type { Dial, Dials } from "../store/dials.ts";
import { isFull } from "../store/disk.ts";
import type { Observations } from "../store/observations.ts";

/** A call that could not be made for this long is given up. */
const QUEUE_MS = 120_000;
/** Most calls given up in one turn. */
const GIVEN_UP_AT_ONCE = 100;
/** Time limit of calling.dial. */
const COMMAND_MS = 5_000;
/** A call without an event is taken for over this long after its ringing time. */
const OVERDUE_MS = 30_000;
const RETRY_MS = 1_000;
/** Pause after RELAY has answered that it is too busy. */
const BUSY_MS = 2_000;
const REST_MS = 3_000;
/**
 * How often REST is asked about phones that ring, without and with RELAY's events: a callee whose answer no event tells would
 * hear silence.
 */
const ASK_REST_MS = 2_000;
const ASK_REST_TOO_MS = 6_000;
/** The alarm behind that, in case the object is lost. */
const BACKSTOP_MS = 6_000;

/** The entry of an outbound call's placement: there was no request to take one from. */
export const DIALLED_ENTRY = "";

/** A leg as an event names it. */
interface Leg {
  call_id?: string | undefined;
  node_id?: string | undefined;
  segment_id?: string | undefined;
}

interface DialerHost {
  dials: Dials;
  occupancy: Occupancy;
  counters: Counters;
  observations: Pick<Observations, "saw">;
  relayManager: RelayManager;
}

/** What the dialer has done elsewhere in the session. */
interface DialListener {
  /** The call is answered: its flow leads it to its room. */
  answered(call: Call, outbound: OutboundCall): void;
  /** Nobody may answer the call any more: it is ended by a pending command. */
  hangUp(key: PlacementKey, node_id: string): void;
  /** It has work sooner than it said before. */
  rescheduled(): void;
}

/**
 * Dialer — makes outbound calls: each once, in order, no faster than SignalWire takes them, and never late. Used by DialDesk, for
 * RELAY events, and by the scheduler.
 */
export class Dialer {
  readonly #host: DialerHost;
  readonly #listener: DialListener;
  readonly #now: () => number;
  /** When it has work next, ms. */
  #next_at: number | null = null;
  #restAskedAt = 0;
  /** Until when RELAY is asked for no call, ms. */
  #busyUntil = 0;
  #asking: Promise<void> | null = null;

  constructor(host: DialerHost, listener: DialListener, now: () => number) {
    this.#host = host;
    this.#listener = listener;
    this.#now = now;
  }

  /** A call was added to the queue. */
  added(): void {
    this.#host.counters.add("dials");
    this.pump();
  }

  /** Before it is answered; a call that is answered already stays. */
  cancel(dial: Dial): void {
    this.#apply(dial, { on: "canceled" });
    this.pump();
  }

  /** Whether calls wait for their turn or for somebody to answer. */
  get isBusy(): boolean {
    return this.#host.dials.areOpen;
  }

  /** A RELAY event, once. */
  heard(event: RelayEvent): void {
    if (event.kind === "state") {
      const { tag, call_id, call_state, end_reason } = event.params;
      const dial = this.#dialOf(tag, call_id);
      if (!dial) return;
      this.#legKnown(dial, event.params);
      if (call_state === "ringing") this.#apply(dial, { on: "ringing" });
      if (call_state === "answered") this.#apply(dial, { on: "answered" });
      if (call_state === "ended") this.#apply(dial, { on: "ended", end_reason: end_reason ?? "hangup" });
      // In its own turn, since it looks at all calls that wait.
      this.#comeBack(this.#now());
    } else if (event.kind === "dial") {
      const { tag, dial_state, call } = event.params;
      const dial = this.#host.dials.byTag(tag);
      if (!dial) return;
      if (call) this.#legKnown(dial, call);
      if (dial_state === "answered") this.#apply(dial, { on: "answered" });
      if (dial_state === "failed")
        this.#apply(dial, { on: "failed", why: "SignalWire could not connect it" });
      this.#comeBack(this.#now());
    }
  }

  /** RELAY repeats no event after a gap: REST is asked about the known legs. Never rejects. */
  async askRest(): Promise<void> {
    // One round at a time: if REST is slow, a second one would only queue up behind it.
    this.#asking ??= this.#askRest().finally(() => {
      this.#asking = null;
    });
    await this.#asking;
  }

  async #askRest(): Promise<void> {
    const { dials, relayManager } = this.#host;
    this.#restAskedAt = this.#now();
    const ask = async ({ tag, call_id, segment_id }: Dial): Promise<void> => {
      if (call_id === null) return;
      try {
        const statuses = await relayManager.rest("question", REST_MS, (project, signal) =>
          callStatuses(project, call_id, segment_id, signal),
        );
        const happened = dialEventOf(legStatus(statuses) ?? "");
        const dial = dials.byTag(tag);
        if (happened && dial) this.#apply(dial, happened);
      } catch (error) {
        // If its events do not come either, it is given up when it is overdue.
        log("warn", "dial.unknown", { tag, error: describeError(error) });
      }
    };
    await Promise.all(dials.underWay().map(ask));
    this.pump();
  }

  /** Gives up what is overdue, makes the calls whose turn it is, and schedules the next run. */
  pump(): void {
    const { dials } = this.#host;
    const now = this.#now();
    for (const dial of dials.underWay()) this.#seeToOverdue(dial);
    if (now - this.#restAskedAt >= (this.#host.relayManager.ready ? ASK_REST_TOO_MS : ASK_REST_MS))
      void this.askRest();
    // A tenant at its limit does not delay the others. Each pass makes one call or skips one tenant.
    const queue = this.#inTime(dials.heads());
    for (let dial = queue.shift(); dial; dial = queue.shift()) {
      const { max_concurrent, per_s } = dial.request;
      if (dials.countUnderWay(dial.tenant, max_concurrent) >= max_concurrent) continue;
      const at = Math.max(this.#busyUntil, nextDialAt(dials.lastSentAt(), per_s));
      if (at > now) {
        this.#comeBack(at);
        return;
      }
      const connection = this.#host.relayManager.ready;
      if (!connection) {
        // Not awaited: the connection logs its own failures, and the next run sees whether it is open.
        this.#host.relayManager.connection(null).catch(() => {});
        this.#comeBack(now + RETRY_MS);
        return;
      }
      try {
        this.#send(dial, connection);
      } catch (error) {
        if (!isFull(error)) throw error;
        // Its row could not be written, so nothing was sent.
        this.#comeBack(now + RETRY_MS);
        return;
      }
      const next = dials.nextOf(dial.tenant);
      if (next) queue.push(next);
      queue.sort((one, other) => one.seq - other.seq);
    }
    if (this.isBusy) this.#comeBack(this.#now() + RETRY_MS);
  }

  nextWakeAt(): number | null {
    return this.#next_at;
  }

  nextAlarmAt(now: number): number | null {
    return this.#next_at === null ? null : Math.max(now + BACKSTOP_MS, this.#next_at);
  }

  run(): void {
    this.#next_at = null;
    this.pump();
  }

  /** Gives up calls that have waited too long, and takes the tenant's next call in their place. */
  #inTime(heads: readonly Dial[]): Dial[] {
    const { dials } = this.#host;
    const too_long_ago = this.#now() - QUEUE_MS;
    let given_up = 0;
    return heads
      .flatMap((head) => {
        let dial: Dial | null = head;
        while (dial && dial.created_at < too_long_ago && given_up < GIVEN_UP_AT_ONCE) {
          this.#apply(dial, { on: "refused", why: "RELAY could not make the call in time" });
          given_up += 1;
          dial = dials.nextOf(dial.tenant);
        }
        return dial && dial.created_at >= too_long_ago ? [dial] : [];
      })
      .sort((one, other) => one.seq - other.seq);
  }

  #send(dial: Dial, connection: RelayConnection): void {
    const { occupancy } = this.#host;
    const { room, decision } = dial.request;
    const has_seat = decision.capacity === undefined || occupancy.taken(room) < decision.capacity;
    this.#apply(dial, { on: "turn", has_seat });
    if (dial.state !== "sending") return;
    void this.#dial(dial, connection);
  }

  /** The row says *sending* before the frame is sent: if a restart finds it so, a phone may or may not ring. */
  async #dial(dial: Dial, connection: RelayConnection): Promise<void> {
    const { counters, dials, observations } = this.#host;
    dials.update(dial, { sent_at: this.#now() });
    const outcome = await connection.command({
      id: crypto.randomUUID(),
      lane: dial.tag,
      method: "calling.dial",
      params: parametersOf(dial),
      deadline_at: this.#now() + COMMAND_MS,
    });
    counters.add(`dial_${outcome.kind}`);
    const current = dials.byTag(dial.tag);
    if (!current) return;
    if (outcome.kind === "ok") this.#apply(current, { on: "taken" });
    else if (outcome.kind === "unsent") this.#apply(current, { on: "unsent" });
    else if (isBusy(outcome)) {
      // Not carried out: it gets another turn, until it has waited too long.
      observations.saw("relay_429", "seen");
      this.#busyUntil = this.#now() + BUSY_MS;
      this.#apply(current, { on: "unsent" });
    }
    // Unanswered: it may ring. Its events tell, or it becomes overdue.
    else if (outcome.kind !== "unanswered")
      this.#apply(current, { on: "refused", why: `calling.dial: ${describeOutcome(outcome)}` });
    this.pump();
  }

  #apply(dial: Dial, event: DialEvent): void {
    const change: DialChange | null = dialChange(dial.state, event);
    if (!change) return;
    const { state, reason, act } = change;
    if (state !== dial.state) {
      this.#host.dials.update(dial, { state, reason });
      const { tenant, id } = dial;
      log("info", "dial.state", { tenant, dial: id, state, reason });
    }
    const { call_id, node_id } = dial;
    if (call_id === null || node_id === null) return;
    if (act === "join") this.#join(dial, call_id, node_id);
    if (act === "end") this.#end(call_id, node_id);
  }

  /** From here on it is a call like any other on RELAY, except that its room is decided already. */
  #join({ tenant, request, segment_id }: Dial, call_id: string, node_id: string): void {
    const { from, to, decision, send_digits } = request;
    const segment = segment_id === null ? {} : { segment_id };
    const call = outboundCall({ call_id, node_id, ...segment, call_state: "answered", from, to });
    this.#listener.answered(call, {
      tenant,
      decision,
      ...(send_digits === undefined ? {} : { send_digits }),
    });
  }

  #end(call_id: string, node_id: string): void {
    this.#listener.hangUp({ call_id, entry: DIALLED_ENTRY, step: 0 }, node_id);
  }

  #legKnown(dial: Dial, { call_id, node_id, segment_id }: Leg): void {
    const { dials } = this.#host;
    if (dial.call_id !== null) {
      const isNewer = dial.call_id === call_id && segment_id !== undefined && segment_id !== dial.segment_id;
      if (isNewer) dials.update(dial, { segment_id });
      return;
    }
    if (call_id === undefined || node_id === undefined) return;
    dials.update(dial, { call_id, node_id, segment_id: segment_id ?? null });
    // It was canceled, or answered, before its leg was known.
    if (dial.state === "canceled") this.#end(call_id, node_id);
    if (dial.state === "answered") this.#join(dial, call_id, node_id);
  }

  #dialOf(tag: string | undefined, call_id: string): Dial | null {
    const { dials } = this.#host;
    return (tag === undefined ? null : dials.byTag(tag)) ?? dials.byCall(call_id);
  }

  /** It cannot ring any more, and no event told how it ended: a callee who answered hears silence. */
  #seeToOverdue(dial: Dial): void {
    const { sent_at, request } = dial;
    if (sent_at === null || this.#now() - sent_at < request.timeout_s * 1_000 + OVERDUE_MS) return;
    this.#apply(dial, { on: "overdue", has_leg: dial.call_id !== null && dial.node_id !== null });
  }

  #comeBack(at: number): void {
    if (this.#next_at !== null && this.#next_at <= at) return;
    this.#next_at = at;
    this.#listener.rescheduled();
  }
}

/** What the two APIs say of a leg together: a call is over only if neither says that it lives. */
function legStatus({ compatibility, voice_log }: CallStatuses): string | null {
  return compatibility === null || evidenceOfStatus(voice_log) === "alive" ? voice_log : compatibility;
}

/** What calling.dial takes: one phone, or one SIP address. */
export function parametersOf({ tag, request }: Dial): Record<string, unknown> {
  const { device, to, from, timeout_s, max_price_per_minute, decision } = request;
  const { max_duration_s } = decision;
  // The device's limit is in seconds wherever it is published. The dial's own is in seconds or in minutes, and so never sent.
  const limit = max_duration_s === undefined ? {} : { max_duration: max_duration_s };
  const address = device === "phone" ? { to_number: to, from_number: from } : { to, from };
  return {
    tag,
    devices: [[{ type: device, params: { ...address, timeout: timeout_s, ...limit } }]],
    ...(max_price_per_minute === undefined ? {} : { max_price_per_minute }),
  };
}
