import { log } from "../log.ts";
import type { ConferenceEvents } from "./conference-events.ts";
import { confirmJoin } from "./confirming.ts";
import type { Counters } from "./counters.ts";
import type { Errands } from "./errands.ts";
import type { Journal } from "./journal.ts";
import type { KeptSeats } from "./kept-seats.ts";
import type { Line } from "./line.ts";
import type { Placement, Placements } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

interface RepairsHost {
  placements: Placements;
  rooms: Rooms;
  errands: Errands;
  events: ConferenceEvents;
  counters: Counters;
  journal: Journal;
  line: Pick<Line, "takeBack">;
  kept: KeptSeats;
}

/** What REST says against the ledger, believed: each repair is counted, logged and told in the call's story. */
export class Repairs {
  readonly #host: RepairsHost;
  readonly #now: () => number;

  constructor(host: RepairsHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  /** REST finds the call in its room. */
  found(row: Placement): void {
    if (row.state !== "joined") {
      this.#tell("repaired_joins", row, "REST found the call in its room, and no event had said so");
      const reason = "REST found the call in its room";
      confirmJoin(this.#host, row, { joined_by: row.joined_by ?? "relay", reason });
      this.#host.kept.unkeep(row);
    }
    this.#host.placements.update(row, { verified_at: this.#now() });
  }

  /** REST does not find the call in its room, and no event said why. */
  left(row: Placement): void {
    const { placements, errands, events, line } = this.#host;
    // It may hear music still: then it is fetched anew, and else found to be gone.
    if (line.takeBack(row)) return;
    this.#tell("repaired_leaves", row, "REST did not find the call in its room, and no event had said why");
    if (row.state !== "joined") {
      errands.drop("expire", row);
      // Never seen there, and never came back: the caller hung up, most likely. If not, nothing else would end the call.
      if (placements.move(row, "left", { reason: "REST: not in its room" }) && row.joined_by === "relay") {
        errands.add("end", row, row.node_id);
      }
      return;
    }
    const { room: name, conference_id } = row;
    events.change(row, { happened: "left", ended_by: null, name, conference_id, ts: null });
  }

  #tell(counter: string, row: Placement, said: string): void {
    this.#host.counters.add(counter);
    log("info", "ledger.repaired", { call: row.call_id, room: row.room, was: row.state, said });
    this.#host.journal.deed(row, { deed: "repair", by: "rest", said });
  }
}
