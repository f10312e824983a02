import { isLive, type MembershipChange, type MembershipEvent, mayMove } from "../../../shared/placement.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { DroppedCallers } from "./dropped-callers.ts";

/** A call that an older version put on hold comes back by itself within this. */
const OVERDUE_MS = 5_000;
/** Longest time between the events of one conference's end. */
const SETTLING_MS = 500;
/** Delay of our own end of a call after its leave: if SignalWire takes that end, the call was up, so it was removed and not dropped. */
const ASKED_AFTER_MS = 1_000;
/** Without an answer for this long, it was dropped. */
const ANSWERED_WITHIN_MS = 5_000;

/** How a placement has just changed. */
export interface Changed {
  /** What is to become of the call. */
  follow: MembershipChange["follow"];
  /** Whether it was in its room before, or out of it. */
  wasThere: boolean;
  wasOut: boolean;
  /** Whether a document of ours took it out and leads nowhere. */
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
      // Its end was planned, and it is back.
      if (wasOut) for (const kind of ["end", "after"] as const) this.#pendingCommands.drop(kind, row);
    }
    let isSeatKept = false;
    if (row.state === "left") {
      // A call whose own document joined comes back to us at once if it is still up.
      const undecided_ms = follow === "end_call" ? ASKED_AFTER_MS + ANSWERED_WITHIN_MS : 0;
      if (wasThere && event.happened === "left")
        isSeatKept = this.#dropped.keepSeat(row, event.conference_id, undecided_ms);
      this.#pendingCommands.drop("expire", row);
      this.#pendingCommands.drop("rejoin", row);
    }
    if (event.happened !== "joined") this.#recorded.left(row, row.conference_id ?? event.conference_id);
    if (follow === "end_call") {
      const end_at = isSeatKept ? this.#now() + ASKED_AFTER_MS : this.#endAt(row);
      const kind = row.placing.after?.swml === undefined ? "end" : "after";
      this.#pendingCommands.add(kind, row, row.node_id, end_at);
    }
    if (follow === "rejoin") {
      // What was answered before the late document took it out does not count any more.
      const anew = isTakenOut ? { asking_step: null, answer: null, stay_at: now } : {};
      this.#placements.update(row, { rejoins: row.rejoins + 1, ...anew });
      this.#pendingCommands.add("rejoin", row, row.node_id, this.#rejoinAt(row));
    }
  }

  /** The call is in its room after all: what was to follow its leave does not. */
  stays(row: Placement): void {
    this.#dropped.back(row);
    for (const kind of ["end", "after"] as const) this.#pendingCommands.drop(kind, row);
  }

  /** Whether our own end of the call is on its way: the answer to that tells whether the call was up. */
  isEnding(row: Placement): boolean {
    return this.#pendingCommands.isUnderWay("end", row) || this.#pendingCommands.isUnderWay("after", row);
  }

  /** The call is over, and out of its room: there is no call left to do anything for. */
  over(row: Placement, reason: string): void {
    this.#dropped.dropped(row);
    // By which a join that is told of late is known to be older.
    if (isLive(row.state)) this.close(row, reason, { left_ts: row.left_ts ?? this.#now() / 1000 });
    for (const kind of ["expire", "rejoin", "end", "after", "fetch", "overdue"] as const)
      this.#pendingCommands.drop(kind, row);
  }

  /** The placement is closed, and its call is not ended when its time is up. */
  close(row: Placement, reason: string, changes: { left_ts?: number } = {}): void {
    this.#placements.move(row, mayMove(row.state, "left") ? "left" : "failed", { reason, ...changes });
    this.#pendingCommands.drop("expire", row);
  }

  /** RELAY's join may have taken the call out of its document's join: its event gets a moment to come. */
  #endAt({ joined_by, may_stand }: Placement): number {
    return this.#now() + (joined_by === "document" && may_stand === 1 ? SETTLING_MS : 0);
  }

  /**
   * A call on hold comes back by itself, and is put back if it does not. Later it comes back only if we send it: the events of the
   * conference's end get a moment first, since it may have nowhere to go back to.
   */
  #rejoinAt(row: Placement): number {
    return row.stay_at === null ? (row.hold_at ?? this.#now()) + OVERDUE_MS : this.#now() + SETTLING_MS;
  }
}
