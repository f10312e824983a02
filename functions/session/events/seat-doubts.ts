import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Counters } from "../store/counters.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import { type Backlog, inSlices, type Job } from "./backlog.ts";
import { seen } from "./confirm-join.ts";

/** Only somebody who is in a conference is muted, held or heard there. */
const ALIVE_THERE = new Set([
  "participant-mute",
  "participant-unmute",
  "participant-hold",
  "participant-unhold",
  "participant-modify",
  "participant-speech-start",
  "participant-speech-stop",
]);

/**
 * SeatDoubts — what events say against a participant's seat, or for it, without proving a join or a leave. A doubt alone ends no call.
 * Used by ConferenceEvents.
 */
export class SeatDoubts {
  readonly #placements: Placements;
  readonly #pendingCommands: PendingCommands;
  readonly #counters: Counters;
  readonly #backlog: Backlog;
  readonly #now: () => number;

  constructor(
    placements: Placements,
    pendingCommands: PendingCommands,
    counters: Counters,
    backlog: Backlog,
    now: () => number,
  ) {
    this.#placements = placements;
    this.#pendingCommands = pendingCommands;
    this.#counters = counters;
    this.#backlog = backlog;
    this.#now = now;
  }

  /** A leave that nobody signed: the seat is released, and REST is asked. */
  unsignedLeave(row: Placement): void {
    const now = this.#now();
    if (row.unsigned_leave_at === null) {
      const changes = { unsigned_leave_at: now, doubted_at: row.doubted_at ?? now, missed_at: null };
      const released = row.state === "joined" ? { presumed_gone_at: row.presumed_gone_at ?? now } : {};
      this.#placements.update(row, { ...changes, ...released });
      this.#counters.add("unsigned_leaves");
      this.#placements.touched(row.room);
    }
    this.#pendingCommands.add("verify", row, row.node_id);
  }

  /** The conference of these participants may have ended. */
  doubt(rows: readonly LivePlacement[]): void {
    this.#backlog.begin(this.#doubting(rows, this.#now()));
  }

  *#doubting(rows: readonly LivePlacement[], doubted_at: number): Job {
    for (const key of inSlices(rows.filter((row) => row.doubted_at === null))) {
      const row = key && this.#placements.find(key);
      if (key === null) yield;
      else if (row?.state === "joined" && row.doubted_at === null)
        this.#placements.update(row, { doubted_at });
    }
  }

  /** Mute, hold and speech events prove that a participant is in the room, though the seat may be released. */
  heard(event: RelayEvent, tenant?: string): void {
    if (event.kind !== "conference" || !ALIVE_THERE.has(event.params.status)) return;
    const { call_id, conference_id } = event.params;
    const [row] = call_id === undefined ? [] : this.#placements.currentOf(call_id, tenant);
    if (!row || row.presumed_gone_at === null) return;
    if (conference_id !== undefined && row.conference_id !== null && row.conference_id !== conference_id)
      return;
    const since = row.unsigned_leave_at ?? row.presumed_gone_at;
    if (event.timestamp !== undefined && event.timestamp * 1000 <= since) return;
    this.#placements.update(row, seen(this.#now()));
  }
}
