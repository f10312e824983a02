import { describeError, log } from "../../log.ts";
import type { Backlog } from "../events/backlog.ts";
import type { Corrections } from "../reconcile/corrections.ts";
import type { RecordingReconciler } from "../reconcile/reconcile-recordings.ts";
import type { Reconciler } from "../reconcile/reconciler.ts";
import type { Whereabouts } from "../reconcile/whereabouts.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Recordings } from "../store/recordings.ts";
import type { RoomChecks } from "../store/room-checks.ts";

/** A command that is due is being carried out: the alarm for it comes no sooner than this, so that alarms do not follow one another. */
const BACKSTOP_MS = 1_000;

/** What may be due, each by its own word. */
interface Due {
  pendingCommands: PendingCommands;
  checks: RoomChecks;
  recordings: Recordings;
  backlog: Backlog;
}

/** What the dispatcher runs when it is due. */
interface Dispatched {
  /** Pending commands. */
  commands(): Promise<void>;
  reconciler: Reconciler;
  recordingReconciler: RecordingReconciler;
  whereabouts: Whereabouts;
}

/**
 * Dispatcher — what the session does for calls that no webhook waits for: pending commands when they are due, and the rows put right by
 * REST. Nothing that is due waits for what is under way. Used by the scheduler, and by whatever adds a command.
 */
export class Dispatcher {
  readonly #due: Due;
  /** What evidence other than an event changes. */
  readonly corrections: Corrections;
  readonly #runs: Dispatched;
  readonly #rescheduled: () => void;
  /** What goes through the ledger now. */
  readonly #passes = new Map<string, { again: boolean }>();
  /** When anything is due next, in memory alone or written down, ms. */
  #next_at: number | null = null;
  /** When what is written down is due next: a new object goes on with that. */
  #kept_at: number | null = null;

  /** @param rescheduled called when anything is due sooner than before. */
  constructor(due: Due, corrections: Corrections, runs: Dispatched, rescheduled: () => void) {
    this.#due = due;
    this.corrections = corrections;
    this.#runs = runs;
    this.#rescheduled = rescheduled;
  }

  /** What was added now is done in the next turn, or when it is due; the alarm stands behind that, should we vanish. */
  start(): void {
    if (this.#due.pendingCommands.wereAdded()) this.#schedule();
  }

  /** Whether anything is still to be done, now or later. */
  get arePending(): boolean {
    const { pendingCommands, checks, backlog } = this.#due;
    return pendingCommands.nextDue() !== null || checks.nextDue() !== null || !backlog.isEmpty;
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
    if (this.#due.checks.settles_at !== null || !this.#due.backlog.isEmpty) this.#schedule();
  }

  /** A recording is to be looked at sooner than it was, and no event says so. */
  recordingsChanged(): void {
    this.#schedule();
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
    this.#begin("verify", async () => await this.#runs.whereabouts.verify(() => this.start()));
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
    this.#due.backlog.work();
    // What an event was too much for goes on meanwhile.
    if (!this.#due.backlog.isEmpty) this.#schedule();
    try {
      const running = this.#run();
      // What falls due meanwhile does not wait for it.
      this.#timeAt(this.#due.pendingCommands.nextDue());
      await running;
    } catch (error) {
      log("error", "chores.broke", { error: describeError(error) });
    }
    // A leave that was found out has its commands, too.
    this.#schedule();
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
    if ((this.#due.recordings.nextDue() ?? Number.POSITIVE_INFINITY) > Date.now()) return;
    await this.#runs.recordingReconciler.run();
    this.#schedule();
  }

  #schedule(): void {
    const { pendingCommands, checks, backlog, recordings } = this.#due;
    const behind = backlog.isEmpty ? null : Date.now();
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
