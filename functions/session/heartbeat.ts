import { describeError, log } from "../log.ts";
import { NoRecord } from "../tenants/records.ts";
import { withTimeout } from "../timeout.ts";
import type { InboundCalls } from "./calls/inbound-calls.ts";
import type { Dispatcher } from "./commands/dispatcher.ts";
import type { Dialer } from "./dial/dialer.ts";
import type { Notices } from "./events/recording-notices.ts";
import type { OutgoingWebhooks } from "./feed/outgoing-webhooks.ts";
import type { RelayManager } from "./relay/relay-manager.ts";
import type { Retention } from "./retention.ts";
import type { Occupancy } from "./seats/occupancy.ts";
import type { Counters } from "./store/counters.ts";

/** While there is work the alarm comes this often and brings a lost session back. */
const HEARTBEAT_MS = 30_000;
/** While nothing but the record wants the connection up. Each alarm is a request and a row; an object without an event goes after 70 s. */
const IDLE_MS = 65_000;
/** How old the record may be meanwhile: cron tells of one that names contexts as often. A little less, for alarms are late. */
const IDLE_RECORD_MS = 295_000;
/** Where calls of contexts are wanted: an object that is lost hears of none until then, and their callers hear ringing. */
const CONTEXTS_MS = 10_000;
/** While RELAY is down the alarm comes this often, for its events can't be seen. */
const DOWN_CHECK_MS = 6_000;
/** How old the record may be while there are calls, or contexts from which they come: no webhook may tell of a newer one. */
const REFRESH_MS = 25_000;
/** KV is waited for so long: what else is to be done does not wait for it. */
const RECORD_MS = 4_000;
/** Where more is due to be forgotten than one beat does, the next comes this soon. */
const FORGET_ON_MS = 1_000;
/** What another incarnation left to be done is looked at this soon: it may have left a caller in silence. */
const LEFT_BEHIND_MS = 300;

interface Parts {
  dispatcher: Dispatcher;
  inboundCalls: InboundCalls;
  dialer: Dialer;
  notices: Notices;
  moderation: { resume(): void };
  legs: { resume(): void };
  outgoing: OutgoingWebhooks;
  counters: Pick<Counters, "run">;
}

/** What may have found no room on disk. */
interface Saved {
  save(): void;
}

/**
 * Heartbeat — keeps a session up while there is work, takes it down when there is none for a while, and has what is old forgotten. It
 * always says when the alarm is to come next while there is anything to do. Run by the scheduler when the alarm comes.
 */
export class Heartbeat {
  readonly #relayManager: RelayManager;
  readonly #occupancy: Occupancy;
  readonly #retention: Retention;
  readonly #saved: readonly Saved[];
  readonly #parts: Parts;
  readonly #rescheduled: () => void;
  #next_at: number | null = null;
  #lastWorkAt = Date.now();
  #beganAt = 0;
  /** Whether the last beat left more to be forgotten than it could. */
  #isForgetting = false;

  /** @param rescheduled called when the alarm is wanted sooner than before. */
  constructor(
    relayManager: RelayManager,
    occupancy: Occupancy,
    retention: Retention,
    saved: readonly Saved[],
    parts: Parts,
    rescheduled: () => void,
  ) {
    this.#relayManager = relayManager;
    this.#occupancy = occupancy;
    this.#retention = retention;
    this.#saved = saved;
    this.#parts = parts;
    this.#rescheduled = rescheduled;
  }

  /** The object is new: the alarm that was set for what is left to be done would be put off by the first that is set now. */
  began(): void {
    if (this.#isWorkLeft() || this.#relayManager.takesCalls) this.#wantAlarm(LEFT_BEHIND_MS);
  }

  /** Something was done: the session is not idle. */
  worked(): void {
    this.#lastWorkAt = Date.now();
    this.keep();
  }

  /** The alarm comes, and looks whether the session is to be kept up. */
  keep(): void {
    this.#wantAlarm(this.#interval);
  }

  /** RELAY's events stopped coming. */
  gapBegan(): void {
    this.#wantAlarm(DOWN_CHECK_MS);
  }

  nextAlarmAt(): number | null {
    return this.#next_at;
  }

  /** What the alarm does. Never rejects. */
  async run(): Promise<void> {
    this.#next_at = null;
    try {
      await this.#beat();
    } catch (error) {
      this.#broke("beat", error);
      this.#wantAlarm(this.#relayManager.ready ? this.#interval : DOWN_CHECK_MS);
    }
  }

  async #beat(): Promise<void> {
    const { dispatcher, inboundCalls, dialer, notices, moderation, legs, outgoing } = this.#parts;
    // It came this soon to go on forgetting. The scheduler's timer sees to what else is due.
    if (this.#isForgetting && Date.now() - this.#beganAt < DOWN_CHECK_MS) {
      await this.#safely("forget", () => this.#forgetOn());
      this.#wantAlarm(this.#isForgetting ? FORGET_ON_MS : DOWN_CHECK_MS);
      return;
    }
    this.#beganAt = Date.now();
    const isRead = await this.#readRecord();
    for (const one of this.#saved) one.save();
    const forgotten = await this.#safely("forget", () => this.#retention.run(this.#relayManager));
    const isDone = await this.#safely("look", async () => {
      await this.#occupancy.known();
      dispatcher.verifyWhereabouts();
      dispatcher.checkRooms("routine");
      dialer.pump();
      notices.resume();
      moderation.resume();
      legs.resume();
      // Not awaited: a receiver may take its time.
      void outgoing.resume();
      return true;
    });
    this.#isForgetting = forgotten?.isMore === true;
    const isInUse = this.#isInUse();
    const isWell = isRead && isDone === true && forgotten !== null;
    if (isInUse || this.#relayManager.staysUp) {
      try {
        await this.#relayManager.connection(null);
      } catch (error) {
        log("error", "session.unreachable", { error: describeError(error) });
      }
      const interval = isInUse || !isWell || this.#relayManager.takesCalls ? this.#interval : IDLE_MS;
      this.#wantAlarm(this.#relayManager.ready ? interval : DOWN_CHECK_MS);
      inboundCalls.resume();
    } else if (this.#relayManager.isOpen) {
      if (Date.now() - this.#lastWorkAt >= this.#relayManager.idle_disconnect_ms) this.#relayManager.close();
      this.#wantAlarm(HEARTBEAT_MS);
    } else if (forgotten?.rows !== 0 || !isWell) {
      // A record that can't be read may want the connection up.
      this.#wantAlarm(HEARTBEAT_MS);
    } else {
      const next = this.#retention.next(this.#relayManager);
      if (Number.isFinite(next)) this.#wantAlarm(Math.max(HEARTBEAT_MS, next - Date.now()));
    }
    // Without a connection the object may go any time.
    if (!this.#relayManager.isOpen) this.#parts.counters.run();
    if (this.#isForgetting) this.#wantAlarm(FORGET_ON_MS);
    // Not awaited: while an alarm runs the next one waits, and a try may take its time. A lost try is leased out again.
    void this.#safely("commands", () => dispatcher.run(Date.now()));
  }

  /** The alarm comes within `in_ms`; an earlier one stands. */
  #wantAlarm(in_ms: number): void {
    const at = Date.now() + in_ms;
    if (this.#next_at !== null && this.#next_at <= at) return;
    this.#next_at = at;
    this.#rescheduled();
  }

  get #interval(): number {
    return this.#relayManager.takesCalls ? CONTEXTS_MS : HEARTBEAT_MS;
  }

  /** What one part of the beat gives; null where it breaks, which keeps no other part from its turn. */
  async #safely<T>(part: string, run: () => Promise<T>): Promise<T | null> {
    try {
      return await run();
    } catch (error) {
      this.#broke(part, error);
      return null;
    }
  }

  #broke(part: string, error: unknown): void {
    log("error", "heartbeat.broke", { part, error: describeError(error) });
  }

  /** Not while the ledger is gone through: the two together would keep calls waiting. */
  async #forgetOn(): Promise<void> {
    if (this.#parts.dispatcher.areGoingThrough) return;
    this.#isForgetting = false;
    const { isMore } = await this.#retention.run(this.#relayManager);
    this.#isForgetting = isMore;
  }

  /** Whether it is known what the record has; where there is none, that is. */
  async #readRecord(): Promise<boolean> {
    try {
      const isIdle = !this.#isInUse() && !this.#relayManager.takesCalls;
      await withTimeout(RECORD_MS, this.#relayManager.refresh(null, isIdle ? IDLE_RECORD_MS : REFRESH_MS));
      return true;
    } catch (error) {
      log("error", "session.record_unreadable", { error: describeError(error) });
      return error instanceof NoRecord;
    }
  }

  #isInUse(): boolean {
    return this.#isWorkLeft() || this.#occupancy.countLive() > 0;
  }

  #isWorkLeft(): boolean {
    const { dispatcher, inboundCalls, dialer } = this.#parts;
    return dispatcher.arePending || inboundCalls.isBusy || dialer.isBusy;
  }
}
