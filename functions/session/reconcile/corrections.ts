import { type Evidence, evidenceOfMissing } from "../../../shared/evidence.ts";
import { log } from "../../log.ts";
import type { PlacementKey } from "../contract/placement.ts";
import { seen } from "../events/confirm-join.ts";
import type { DroppedCallers } from "../events/dropped-callers.ts";
import type { ParticipantChanges } from "../events/participant-changes.ts";
import type { ConferenceMembers } from "../seats/conference-members.ts";
import type { Counters } from "../store/counters.ts";
import type { History } from "../store/history.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { RelayTrust } from "../store/relay-trust.ts";

interface CorrectionsHost {
  placements: Placements;
  participants: ParticipantChanges;
  dropped: DroppedCallers;
  members: ConferenceMembers;
  trust: RelayTrust;
}

/**
 * Corrections — what evidence other than an event changes in the tables, by the rules in `shared/evidence.ts`: each change is counted,
 * logged and told in the call's history. Used by reconciliation.
 */
export class Corrections {
  readonly #host: CorrectionsHost;
  readonly #counters: Counters;
  readonly #history: History;
  readonly #now: () => number;

  constructor(host: CorrectionsHost, counters: Counters, history: History, now: () => number) {
    this.#host = host;
    this.#counters = counters;
    this.#history = history;
    this.#now = now;
  }

  /** REST finds the call in its room. @param sid of the conference in which it does, if known. */
  found(row: Placement, sid: string | null = null): void {
    if (sid !== null) this.#host.members.foundUnder(row, sid);
    if (row.state !== "joined") {
      this.#tell("repaired_joins", row, "REST found the call in its room, and no event had said so");
      const reason = "REST found the call in its room";
      const id = sid === null ? {} : this.#host.members.named(sid);
      this.#host.participants.found(row, { joined_by: row.joined_by ?? "relay", reason, ...id });
      return;
    }
    if (row.presumed_gone_at !== null)
      this.#tell("brought_back", row, "REST finds the call in its room after all");
    this.#host.placements.update(row, seen(this.#now()));
  }

  /** A proved list does not show the participant. A second one, late enough, confirms an unsigned leave. */
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

  /** The call is over, though no event said so: nothing is left to do for it. */
  over(row: Placement, said: string): void {
    this.#tell("repaired_leaves", row, said);
    this.#host.participants.over(row, said);
    this.#host.trust.leaveTold(row, this.#now());
  }

  /** A second source confirms an unsigned leave. */
  leave(row: Placement, said: string): void {
    this.#tell("repaired_leaves", row, said);
    this.#host.trust.leaveTold(row, this.#now());
    this.#host.participants.left(row);
  }

  /**
   * The call's own document says that its join is over, which is news if events were lost.
   * @param lives_on Whether it was in the room, and lives on.
   */
  leftByItsWord(key: PlacementKey, lives_on: boolean): void {
    const row = this.#host.placements.findCurrent(key);
    if (!row) return;
    if (lives_on) this.removed(row);
    this.#host.participants.left(row);
  }

  /** The seat is not counted any more. The participant is still listed, and flagged. */
  release(row: Placement, said: string): void {
    if (row.presumed_gone_at !== null || row.state !== "joined") return;
    this.#host.placements.update(row, { presumed_gone_at: this.#now() });
    this.#counters.add("presumed_gone");
    log("warn", "presumed_gone", { call: row.call_id, room: row.room, said });
    this.#history.action(row, { deed: "repair", by: "rest", said: `seat released: ${said}` });
    this.#host.placements.touched(row.room);
  }

  /** Events count as many as we do: participants whose seats were released are there after all. */
  bringBack(row: Placement): void {
    if (row.presumed_gone_at === null) return;
    this.#tell("brought_back", row, "the conference's size says that it is there after all");
    this.#host.placements.update(row, seen(this.#now()));
  }

  /** Neither RELAY nor REST finds a call that was to be put back into its room, which does not prove that it is over. */
  unanswered(row: Placement): void {
    this.#host.dropped.dropped(row);
  }

  /** The call goes on outside its room, and none of our documents took it out. */
  removed(row: Placement): void {
    this.#host.dropped.removed(row);
  }

  /** No event or list ever showed the call in its room, or its end: the row is closed, and nothing is sent. */
  forgetUnseen(row: Placement): void {
    this.#host.participants.forget(row, "nothing was ever heard of it in its room");
  }

  #tell(counter: string, row: Placement, said: string): void {
    this.#counters.add(counter);
    log("info", "ledger.repaired", { call: row.call_id, room: row.room, was: row.state, said });
    this.#history.action(row, { deed: "repair", by: "rest", said });
  }
}
