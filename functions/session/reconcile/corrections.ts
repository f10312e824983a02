import { type Evidence, evidenceOfMissing } from "../../../shared/evidence.ts";
import { mayMove } from "../../../shared/placement.ts";
import { log } from "../../log.ts";
import type { ConferenceEvents } from "../events/conference-events.ts";
import { confirmJoin, named, seen } from "../events/confirm-join.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import type { ConferenceMembers } from "../seats/conference-members.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { CircuitBreaker } from "../store/circuit-breaker.ts";
import type { PendingCommands } from "../store/commands.ts";
import type { Counters } from "../store/counters.ts";
import type { History } from "../store/history.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Recordings } from "../store/recordings.ts";

interface CorrectionsHost {
  placements: Placements;
  occupancy: Occupancy;
  pendingCommands: PendingCommands;
  events: ConferenceEvents;
  members: ConferenceMembers;
  counters: Counters;
  history: History;
  queue: Pick<WaitingQueue, "ended">;
  heldSeats: HeldSeats;
  recordings: Recordings;
  recorded: RecordedRooms;
  leaving: CircuitBreaker;
  observations: Pick<Observations, "has">;
}

/**
 * Corrections — what evidence other than an event changes in the ledger, by the table in `shared/evidence.ts`: each change is counted,
 * logged and told in the call's history. Used by reconciliation.
 */
export class Corrections {
  readonly #host: CorrectionsHost;
  readonly #now: () => number;

  constructor(host: CorrectionsHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  /** REST finds the call in its room. @param sid of the conference in which it does, where that is known. */
  found(row: Placement, sid: string | null = null): void {
    if (sid !== null) this.#host.members.foundUnder(row, sid);
    if (row.state !== "joined") {
      this.#tell("repaired_joins", row, "REST found the call in its room, and no event had said so");
      const reason = "REST found the call in its room";
      const id = sid === null ? {} : named(sid, this.#host.observations);
      confirmJoin(this.#host, row, { joined_by: row.joined_by ?? "relay", reason, ...id }, this.#now());
      this.#host.heldSeats.unkeep(row);
      // What was to follow on its leave.
      for (const kind of ["end", "after"] as const) this.#host.pendingCommands.drop(kind, row);
      return;
    }
    if (row.presumed_gone_at !== null)
      this.#tell("brought_back", row, "REST finds the call in its room after all");
    this.#host.placements.update(row, seen(this.#now()));
  }

  /** A proved list is without the participant. Two that are far enough apart confirm a leave that somebody unsigned told of. */
  missing(row: Placement, asked_at: number): Evidence {
    const evidence = evidenceOfMissing(row, asked_at);
    if (evidence === "confirmed_leave") {
      this.leave(row, "two lists of REST are without it, as an unsigned leave had said");
    } else {
      this.#host.placements.update(row, { missed_at: row.missed_at ?? asked_at });
      this.release(row, "REST lists others of its kind in the conference, and not this call");
    }
    return evidence;
  }

  /** The call itself is over, and no event said so: nothing is left to be done for it. */
  over(row: Placement, said: string): void {
    const { placements, pendingCommands, queue, events } = this.#host;
    this.#tell("repaired_leaves", row, said);
    queue.ended(row);
    if (row.state === "joined") {
      const { room: name, conference_id } = row;
      events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
    }
    events.dropped(row);
    placements.move(row, mayMove(row.state, "left") ? "left" : "failed", { reason: said });
    for (const kind of ["expire", "rejoin", "end", "after", "fetch", "overdue"] as const)
      pendingCommands.drop(kind, row);
    this.#host.leaving.succeeded(this.#now(), row.tenant, true);
  }

  /** A leave that somebody unsigned told of has a second source. */
  leave(row: Placement, said: string): void {
    const { room: name, conference_id } = row;
    this.#tell("repaired_leaves", row, said);
    this.#host.leaving.succeeded(this.#now(), row.tenant, true);
    this.#host.events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
  }

  /** The seat is not counted any more; in everything else the participant is there, flagged. */
  release(row: Placement, said: string): void {
    if (row.presumed_gone_at !== null || row.state !== "joined") return;
    this.#host.placements.update(row, { presumed_gone_at: this.#now() });
    this.#host.counters.add("presumed_gone");
    log("warn", "presumed_gone", { call: row.call_id, room: row.room, said });
    this.#host.history.action(row, { deed: "repair", by: "rest", said: `seat released: ${said}` });
    this.#host.placements.touched(row.room);
  }

  /** Events count as many as we do: whose seat was released is there after all. */
  bringBack(row: Placement): void {
    if (row.presumed_gone_at === null) return;
    this.#tell("brought_back", row, "the conference's size says that it is there after all");
    this.#host.placements.update(row, seen(this.#now()));
  }

  /** Nothing answers for a call that was to be put back into its room, which is no proof that it is over. */
  unanswered(row: Placement): void {
    this.#host.events.dropped(row);
  }

  /** The call lives on outside of its room, and none of our documents took it out. */
  removed(row: Placement): void {
    this.#host.events.removed(row);
  }

  /** Nothing was ever heard of the call in its room, nor of its end: the row is closed, and nothing is sent. */
  forgetUnseen(row: Placement): void {
    this.#host.pendingCommands.drop("expire", row);
    this.#host.placements.move(row, mayMove(row.state, "left") ? "left" : "failed", {
      reason: "nothing was ever heard of it in its room",
    });
  }

  #tell(counter: string, row: Placement, said: string): void {
    this.#host.counters.add(counter);
    log("info", "ledger.repaired", { call: row.call_id, room: row.room, was: row.state, said });
    this.#host.history.action(row, { deed: "repair", by: "rest", said });
  }
}
