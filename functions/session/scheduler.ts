import { describeError, log } from "../log.ts";
import { NoRecord } from "../tenants/directory.ts";
import { withTimeout } from "../timeout.ts";
import type { InboundCalls } from "./calls/inbound-calls.ts";
import type { Dispatcher } from "./commands/dispatcher.ts";
import type { Dialer } from "./dial/dialer.ts";
import type { Notices } from "./events/recording-notices.ts";
import type { PinLimiter } from "./pins/pin-limiter.ts";
import type { RelayManager } from "./relay/relay-manager.ts";
import { Retention } from "./retention.ts";
import type { HeldSeats } from "./seats/held-seats.ts";
import type { Occupancy } from "./seats/occupancy.ts";
import type { Alarm } from "./store/alarm.ts";
import type { Audit } from "./store/audit.ts";
import type { CallFlows } from "./store/call-flows.ts";
import type { PendingCommands } from "./store/commands.ts";
import type { Dials } from "./store/dials.ts";
import type { Disk } from "./store/disk.ts";
import type { EventLog } from "./store/event-log.ts";
import type { History } from "./store/history.ts";
import type { Placements } from "./store/placements.ts";
import type { Recordings } from "./store/recordings.ts";
import type { Rulesets } from "./store/rulesets.ts";
import type { Tokens } from "./store/tokens.ts";

/** While there is work the alarm comes this often and brings a lost session back. */
const HEARTBEAT_MS = 30_000;
/** Where calls of contexts are wanted: an object that is lost hears of none until then, and their callers hear ringing. */
const CONTEXTS_MS = 10_000;
/** While RELAY is down the alarm comes this often, for its events can't be seen. */
const DOWN_CHECK_MS = 6_000;
/** KV is waited for so long: what else is to be done does not wait for it. */
const RECORD_MS = 4_000;
/** Where more is due to be forgotten than one beat does, the next comes this soon. */
const FORGET_ON_MS = 1_000;
/** What another incarnation left to be done is looked at this soon: it may have left a caller in silence. */
const LEFT_BEHIND_MS = 300;

interface SchedulerHost {
  disk: Disk;
  alarm: Alarm;
  relayManager: RelayManager;
  pendingCommands: PendingCommands;
  dispatcher: Dispatcher;
  inboundCalls: InboundCalls;
  dialer: Dialer;
  notices: Notices;
  occupancy: Occupancy;
  placements: Placements;
  eventLog: EventLog;
  history: History;
  callFlows: CallFlows;
  dials: Dials;
  pinLimiter: PinLimiter;
  heldSeats: HeldSeats;
  rulesets: Rulesets;
  recordings: Recordings;
  tokens: Tokens;
  audit: Audit;
}

/** What keeps a session up while there is work, takes it down when there is none for a while, and forgets what is old. */
export class Scheduler {
  readonly #host: SchedulerHost;
  readonly #retention: Retention;
  #lastWorkAt = Date.now();
  #beganAt = 0;
  /** Whether the last beat left more to be forgotten than it could. */
  #isForgetting = false;

  constructor(host: SchedulerHost) {
    this.#host = host;
    this.#retention = new Retention(host, Date.now);
  }

  /** We are new: the alarm that was set for what is left to be done would be put off by the first that we set. */
  began(): void {
    const { alarm, pendingCommands, dispatcher, inboundCalls, dialer, relayManager } = this.#host;
    pendingCommands.takeOver();
    const isWanted = dispatcher.arePending || inboundCalls.isBusy || dialer.isBusy || relayManager.takesCalls;
    if (isWanted) alarm.arm(LEFT_BEHIND_MS);
  }

  /** Something was done: the session is not idle. */
  worked(): void {
    this.#lastWorkAt = Date.now();
    this.keep();
  }

  /** The alarm comes, and looks whether the session is to be kept up. */
  keep(): void {
    this.#host.alarm.arm(this.#interval);
  }

  /** RELAY's events stopped coming. */
  gapBegan(): void {
    this.#host.alarm.arm(DOWN_CHECK_MS);
  }

  /** What the alarm does. Never rejects: after six failures in a row Cloudflare would let no alarm come again. */
  async beat(): Promise<void> {
    const { alarm, relayManager } = this.#host;
    alarm.came();
    try {
      await this.#beat();
    } catch (error) {
      this.#broke("beat", error);
      alarm.arm(relayManager.ready ? this.#interval : DOWN_CHECK_MS);
    }
  }

  async #beat(): Promise<void> {
    const { alarm, relayManager, dispatcher, inboundCalls, dialer, notices, occupancy } = this.#host;
    // It came this soon to go on forgetting. Timers of ours see to what else is due.
    if (this.#isForgetting && Date.now() - this.#beganAt < DOWN_CHECK_MS) {
      await this.#safely("forget", () => this.#forgetOn());
      alarm.arm(this.#isForgetting ? FORGET_ON_MS : DOWN_CHECK_MS);
      return;
    }
    this.#beganAt = Date.now();
    const isRead = await this.#readRecord();
    this.#save();
    const forgotten = await this.#safely("forget", () => this.#retention.run(relayManager));
    const isDone = await this.#safely("look", async () => {
      await occupancy.known();
      dispatcher.verifyWhereabouts();
      dispatcher.checkRooms("routine");
      dialer.pump();
      notices.resume();
      return true;
    });
    this.#isForgetting = forgotten?.isMore === true;
    if (this.#hasWork()) {
      try {
        await relayManager.connection(null);
      } catch (error) {
        log("error", "session.unreachable", { error: describeError(error) });
      }
      alarm.arm(relayManager.ready ? this.#interval : DOWN_CHECK_MS);
      inboundCalls.resume();
    } else if (relayManager.isOpen) {
      if (Date.now() - this.#lastWorkAt >= relayManager.idle_disconnect_ms) relayManager.close();
      alarm.arm(HEARTBEAT_MS);
    } else if (forgotten?.rows !== 0 || !isRead || !isDone) {
      // A record that can't be read may want the connection up.
      alarm.arm(HEARTBEAT_MS);
    } else {
      const next = this.#retention.next(relayManager);
      if (Number.isFinite(next)) alarm.arm(Math.max(HEARTBEAT_MS, next - Date.now()));
    }
    if (this.#isForgetting) alarm.arm(FORGET_ON_MS);
    // Not awaited: while an alarm runs the next one waits, and a try may take its time. A lost try is leased out again.
    void dispatcher.run();
  }

  get #interval(): number {
    return this.#host.relayManager.takesCalls ? CONTEXTS_MS : HEARTBEAT_MS;
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
    const { dispatcher, relayManager } = this.#host;
    if (dispatcher.areGoingThrough) return;
    this.#isForgetting = false;
    const { isMore } = await this.#retention.run(relayManager);
    this.#isForgetting = isMore;
  }

  /** What found no room on disk may find some now. */
  #save(): void {
    const { placements, pendingCommands, pinLimiter } = this.#host;
    placements.save();
    pendingCommands.save();
    pinLimiter.save();
  }

  /** Whether it is known what the record has; where there is none, that is. */
  async #readRecord(): Promise<boolean> {
    try {
      await withTimeout(RECORD_MS, this.#host.relayManager.refresh());
      return true;
    } catch (error) {
      log("error", "session.record_unreadable", { error: describeError(error) });
      return error instanceof NoRecord;
    }
  }

  #hasWork(): boolean {
    const { dispatcher, inboundCalls, dialer, occupancy, relayManager } = this.#host;
    return (
      dispatcher.arePending ||
      inboundCalls.isBusy ||
      dialer.isBusy ||
      occupancy.countLive() > 0 ||
      relayManager.staysUp
    );
  }
}
