import { isLive } from "../../../shared/placement.ts";
import { describeError, log } from "../../log.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { ConferenceEvents } from "../events/conference-events.ts";
import { isBeingPutBack } from "../reconcile/absence.ts";
import type { Corrections } from "../reconcile/corrections.ts";
import type { RecordingReconciler } from "../reconcile/reconcile-recordings.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";
import type { RelayManager } from "../relay/relay-manager.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import { dueBy } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Recordings } from "../store/recordings.ts";
import type { RoomChecks } from "../store/room-checks.ts";
import type { Turns } from "../store/turns.ts";

/** A command that is due is being carried out: the alarm for it comes no sooner than this, so that alarms do not follow one another. */
const BACKSTOP_MS = 1_000;
/** A call that was not seen in its room so long after its deadline is looked for. */
const UNCONFIRMED_MS = 10_000;
/** A call in doubt is asked about again after this, where REST could not tell. */
const ASK_AGAIN_MS = 300_000;
/** Live calls that are looked at in one turn, for whether they are in doubt. */
const LOOKED_AT_ONCE = 200;
/**
 * Calls added at once to those that REST is asked about, and the least time until the next ones. Each waits for its turn under a
 * timer, and a request's timer of four seconds outlives it; an object may have 10,000 timers.
 */
const ASKED_AT_ONCE = 10;
const ASKED_EVERY_MS = 25;
/** What hangs keeps the others no longer than this. */
const ASKED_WITHIN_MS = 15_000;

interface DispatcherHost {
  pendingCommands: PendingCommands;
  placements: Placements;
  occupancy: Occupancy;
  checks: RoomChecks;
  recordings: Recordings;
  turns: Turns;
  events: ConferenceEvents;
  relayManager: Pick<RelayManager, "readySince" | "seat_doubt_ms">;
}

/** What the dispatcher runs when it is due. */
interface Dispatched {
  /** Pending commands. */
  commands(): Promise<void>;
  reconciler: Reconciler;
  recordingReconciler: RecordingReconciler;
}

/**
 * Dispatcher — what the session does for calls that no webhook waits for: pending commands when they are due, and the rows put right by
 * REST. Nothing that is due waits for what is under way. Used by the scheduler, and by whatever adds a command.
 */
export class Dispatcher {
  readonly #host: DispatcherHost;
  /** What evidence other than an event changes. */
  readonly corrections: Corrections;
  readonly #runs: Dispatched;
  readonly #rescheduled: () => void;
  /** When a call in doubt was asked about last, for where REST has no answer to it. */
  readonly #askedAt = new WeakMap<LivePlacement, number>();
  /** What goes through the ledger now. */
  readonly #passes = new Map<string, { again: boolean }>();
  /** When anything is due next, in memory alone or written down, ms. */
  #next_at: number | null = null;
  /** When what is written down is due next: a new object goes on with that. */
  #kept_at: number | null = null;

  /** @param rescheduled called when anything is due sooner than before. */
  constructor(host: DispatcherHost, corrections: Corrections, runs: Dispatched, rescheduled: () => void) {
    this.#host = host;
    this.corrections = corrections;
    this.#runs = runs;
    this.#rescheduled = rescheduled;
  }

  /** What was added now is done in the next turn, or when it is due; the alarm stands behind that, should we vanish. */
  start(): void {
    if (this.#host.pendingCommands.wereAdded()) this.#schedule();
  }

  /** Whether anything is still to be done, now or later. */
  get arePending(): boolean {
    const { pendingCommands, checks, events } = this.#host;
    return pendingCommands.nextDue() !== null || checks.nextDue() !== null || events.isBehind;
  }

  /** Whether the whole ledger is gone through now, in turns. */
  get areGoingThrough(): boolean {
    return this.#passes.size > 0;
  }

  /**
   * In the turn of every event: what it said of a room's size is compared with the ledger when it has settled, and whom it could
   * not see to in its turn is seen to in the next ones.
   */
  heard(): void {
    if (this.#host.checks.settles_at !== null || this.#host.events.isBehind) this.#schedule();
  }

  /** Rooms are checked by the clock; after a gap those that `verifyWhereabouts` knows no call of. */
  checkRooms(cause: "routine" | "gap"): void {
    this.#begin(cause, async () => {
      await (cause === "gap" ? this.#runs.reconciler.afterGap() : this.#runs.reconciler.routine());
      this.#schedule();
    });
  }

  /** A caller found no seat in these rooms. */
  doubtSeats(rooms: readonly string[]): void {
    this.#runs.reconciler.doubt(rooms);
    this.#schedule();
  }

  /** Events are not replayed: after a gap, and while it lasts, REST is asked about whomever one may have passed by. */
  verifyWhereabouts(): void {
    this.#begin("verify", async () => {
      const { occupancy, relayManager, turns } = this.#host;
      await occupancy.known();
      const begun_at = Date.now();
      const { readySince } = relayManager;
      let looked_at = 0;
      let added = 0;
      for (const row of occupancy.byRoom()) {
        const isDoubted = occupancy.isInDoubt(row, begun_at - UNCONFIRMED_MS, readySince);
        if (isDoubted && this.#verify(row, begun_at)) added += 1;
        looked_at += 1;
        if (added === ASKED_AT_ONCE) {
          await this.#asked();
          added = 0;
        } else if (looked_at % LOOKED_AT_ONCE === 0) await turns.next();
      }
      this.start();
    });
  }

  /** Resolves when those who were asked about last have been, and REST may be asked again. */
  async #asked(): Promise<void> {
    this.start();
    for (let waited = 0; waited < ASKED_WITHIN_MS; waited += ASKED_EVERY_MS) {
      await scheduler.wait(ASKED_EVERY_MS);
      if (!this.#host.pendingCommands.isBehind) return;
    }
  }

  /**
   * A call is done with its room, by its own word, which is news where events were lost.
   * @param lives_on Whether it was in the room, and lives on.
   */
  left(key: PlacementKey, lives_on: boolean): void {
    const row = this.#host.placements.findCurrent(key);
    if (!row) return;
    if (lives_on) this.corrections.removed(row);
    const { room: name, conference_id } = row;
    this.#host.events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
    this.start();
  }

  nextWakeAt(): number | null {
    return this.#next_at;
  }

  nextAlarmAt(now: number): number | null {
    return this.#kept_at === null ? null : Math.max(now + BACKSTOP_MS, this.#kept_at);
  }

  /** What is not done is leased, and comes again. */
  async run(now: number): Promise<void> {
    if (this.#next_at !== null && this.#next_at <= now) this.#next_at = null;
    this.#kept_at = null;
    this.#host.events.catchUp();
    // What an event was too much for goes on meanwhile.
    if (this.#host.events.isBehind) this.#schedule();
    try {
      const running = this.#run();
      // What falls due meanwhile does not wait for it.
      this.#timeAt(this.#host.pendingCommands.nextDue());
      await running;
    } catch (error) {
      log("error", "chores.broke", { error: describeError(error) });
    }
    // A leave that was found out has its commands, too.
    this.#schedule();
  }

  /** Whether the call is to be asked about; it was in doubt when the pass began. */
  #verify(row: LivePlacement, begun_at: number): boolean {
    const { pendingCommands, placements, relayManager } = this.#host;
    const now = Date.now();
    if (!isLive(row.state) || isBeingPutBack(row, now) || (row.verified_at ?? 0) > begun_at) return false;
    if (row.state !== "joined" && dueBy(row) < now - relayManager.seat_doubt_ms) {
      const unseen = placements.find(row);
      if (unseen) this.corrections.forgetUnseen(unseen);
      return false;
    }
    if ((this.#askedAt.get(row) ?? 0) > now - ASK_AGAIN_MS) return false;
    this.#askedAt.set(row, now);
    pendingCommands.add("verify", row, row.node_id);
    return true;
  }

  /**
   * Goes through the whole ledger, which may take many turns. What gives cause to do so again meanwhile may bear on what was passed
   * already: it is gone through once more then.
   */
  #begin(name: string, pass: () => Promise<void>): void {
    const isUnderWay = this.#passes.has(name);
    this.#passes.set(name, { again: isUnderWay });
    if (isUnderWay) return;
    pass()
      .catch((error) => log("error", "chores.broke", { pass: name, error: describeError(error) }))
      .finally(() => {
        const again = this.#passes.get(name)?.again === true;
        this.#passes.delete(name);
        if (again) this.#begin(name, pass);
      });
  }

  async #run(): Promise<void> {
    await this.#runs.commands();
    this.#lookAtRecordings().catch((error: unknown) =>
      log("error", "chores.broke", { pass: "recordings", error: describeError(error) }),
    );
    await this.#runs.reconciler.run();
  }

  /** Nobody waits for it, and the rule's own server may be slow. */
  async #lookAtRecordings(): Promise<void> {
    if ((this.#host.recordings.nextDue() ?? Number.POSITIVE_INFINITY) > Date.now()) return;
    await this.#runs.recordingReconciler.run();
    this.#schedule();
  }

  #schedule(): void {
    const { pendingCommands, checks, events, recordings } = this.#host;
    const behind = events.isBehind ? Date.now() : null;
    // While some are looked at, what is due is theirs.
    const recording = this.#runs.recordingReconciler.isRunning ? null : recordings.nextDue();
    const kept = earliest(recording, earliest(behind, earliest(pendingCommands.nextDue(), checks.nextDue())));
    this.#kept_at = kept;
    this.#timeAt(earliest(kept, checks.settles_at));
  }

  #timeAt(due: number | null): void {
    this.#next_at = earliest(this.#next_at, due);
    this.#rescheduled();
  }
}

function earliest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
