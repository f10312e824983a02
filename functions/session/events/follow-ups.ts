import { type MembershipChange, type MembershipEvent, mayMove } from "../../../shared/placement.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { DroppedCallers } from "./dropped-callers.ts";

/** A call that an older version put on a hold comes back by itself within this. */
const OVERDUE_MS = 5_000;
/** The events of one conference's end come within this of one another. */
const SETTLING_MS = 500;
/** A drop is told from a removal by our own end of the call, sent so long after the leave: by then a call that was hung up is over. */
const ASKED_AFTER_MS = 1_000;
/** Without an answer to it for so long, it was a drop. */
const ANSWERED_WITHIN_MS = 5_000;

/** How a placement has just changed. */
export interface Changed {
  /** What is to become of the call. */
  follow: MembershipChange["follow"];
  /** Whether it was in its room before, or out of it. */
  wasThere: boolean;
  wasOut: boolean;
  /** Whether a document of ours took it out that leads nowhere. */
  isTakenOut: boolean;
  /** Whether more than a token proves it. */
  isProved: boolean;
  now: number;
}

/**
 * FollowUps — what is done because a participant joined or left: the seat, the recording, and the commands that its call is owed, all in
 * the turn of the change. Used by ParticipantChanges.
 */
export class FollowUps {
  readonly #placements: Placements;
  readonly #pendingCommands: PendingCommands;
  readonly #dropped: DroppedCallers;
  readonly #recorded: RecordedRooms;
  readonly #joined: (row: Placement, isProved: boolean) => void;
  readonly #now: () => number;

  /** @param joined told of every join that a change confirms. */
  constructor(
    placements: Placements,
    pendingCommands: PendingCommands,
    dropped: DroppedCallers,
    recorded: RecordedRooms,
    joined: (row: Placement, isProved: boolean) => void,
    now: () => number,
  ) {
    this.#placements = placements;
    this.#pendingCommands = pendingCommands;
    this.#dropped = dropped;
    this.#recorded = recorded;
    this.#joined = joined;
    this.#now = now;
  }

  after(
    row: Placement,
    event: MembershipEvent,
    { follow, wasThere, wasOut, isTakenOut, isProved, now }: Changed,
  ): void {
    if (row.state === "joined") {
      this.#joined(row, isProved);
      this.#dropped.back(row);
      // It is not over after all.
      if (wasOut) for (const kind of ["end", "after"] as const) this.#pendingCommands.drop(kind, row);
    }
    let isSeatKept = false;
    if (row.state === "left") {
      // A call whose own document joined comes back to us in the same moment if it lives on.
      const undecided_ms = follow === "end_call" ? ASKED_AFTER_MS + ANSWERED_WITHIN_MS : 0;
      if (wasThere && event.happened === "left")
        isSeatKept = this.#dropped.keepSeat(row, event.conference_id, undecided_ms);
      this.#pendingCommands.drop("expire", row);
      this.#pendingCommands.drop("rejoin", row);
    }
    if (event.happened !== "joined") this.#recorded.left(row);
    if (follow === "end_call") {
      const end_at = isSeatKept ? this.#now() + ASKED_AFTER_MS : this.#endAt(row);
      this.#pendingCommands.add(row.after_url === null ? "end" : "after", row, row.node_id, end_at);
    }
    if (follow === "rejoin") {
      // What it was answered before the late document took it out is no answer to that.
      const anew = isTakenOut ? { asking_step: null, answer: null, stay_at: now } : {};
      this.#placements.update(row, { rejoins: row.rejoins + 1, ...anew });
      this.#pendingCommands.add("rejoin", row, row.node_id, this.#rejoinAt(row));
    }
  }

  /** The call is in its room after all. */
  back(row: Placement): void {
    this.#dropped.back(row);
  }

  /** RELAY says that the call has ended, maybe because of our own end: then the answer to that tells whether the caller dropped. */
  callEnded(row: Placement): void {
    if (!this.#pendingCommands.isUnderWay("end", row) && !this.#pendingCommands.isUnderWay("after", row))
      this.#dropped.dropped(row);
  }

  /** The call is over, and out of its room: there is no call left to do anything for. */
  over(row: Placement, reason: string): void {
    this.#dropped.dropped(row);
    this.close(row, reason);
    for (const kind of ["rejoin", "end", "after", "fetch", "overdue"] as const)
      this.#pendingCommands.drop(kind, row);
  }

  /** The placement comes to nothing more, and its call is not ended when its time is up. */
  close(row: Placement, reason: string): void {
    this.#placements.move(row, mayMove(row.state, "left") ? "left" : "failed", { reason });
    this.#pendingCommands.drop("expire", row);
  }

  /** Where RELAY's join may have taken the call out of its document's, a moment is left for that join to be told of. */
  #endAt({ joined_by, may_stand }: Placement): number {
    return this.#now() + (joined_by === "document" && may_stand === 1 ? SETTLING_MS : 0);
  }

  /**
   * On its hold a call comes back by itself, and is put back where it does not. Past it nothing comes but what we send;
   * a moment is left for the end of the conference to show that there is nowhere to go back to.
   */
  #rejoinAt(row: Placement): number {
    return row.stay_at === null ? (row.hold_at ?? this.#now()) + OVERDUE_MS : this.#now() + SETTLING_MS;
  }
}
