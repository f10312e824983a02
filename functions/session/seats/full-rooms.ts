import type { RelayEvent } from "../../../shared/relay/events.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Occupancy } from "./occupancy.ts";

/** Remembered joins that failed by an event; the oldest is dropped first. */
const REMEMBERED = 200;
/** End reasons of calls that the caller or a command has ended. */
const HUNG_UP = new Set<string | undefined>(["hangup", "cancel", undefined]);

interface FullRoomsHost {
  occupancy: Pick<Occupancy, "participants">;
  placements: Pick<Placements, "currentOf">;
  observations: Pick<Observations, "saw">;
}

/**
 * FullRooms — observes how RELAY's join of a full conference fails: one with as many participants as the join itself
 * allows. Changes nothing. Used by RELAY's events, by placing and by locating a call.
 */
export class FullRooms {
  readonly #host: FullRoomsHost;
  readonly #failed = new Set<string>();

  constructor(host: FullRoomsHost) {
    this.#host = host;
  }

  /** What RELAY says of a call, before anything is done about it. */
  heard(event: RelayEvent): void {
    if (event.kind !== "error" && event.kind !== "state") return;
    const { call_id } = event.params;
    if (typeof call_id !== "string") return;
    if (event.kind === "state") {
      const { call_state, end_reason } = event.params;
      if (call_state === "ended" && !HUNG_UP.has(end_reason)) this.#saw(this.#joining(call_id), "hang_up");
      return;
    }
    const row = this.#joining(call_id);
    if (!row) return;
    this.#failed.add(call_id);
    const [oldest] = this.#failed;
    if (this.#failed.size > REMEMBERED && oldest !== undefined) this.#failed.delete(oldest);
    this.#saw(row, "calling.error");
  }

  /** RELAY refused the join with a code that names the request. */
  refused(row: Placement): void {
    this.#saw(row, "code");
  }

  /** RELAY took the join, and the call is not in its room. */
  unseen(row: Placement): void {
    if (!this.#failed.has(row.call_id)) this.#saw(row, "silence");
  }

  #joining(call_id: string): Placement | undefined {
    return this.#host.placements
      .currentOf(call_id)
      .find(({ state }) => state === "sending" || state === "accepted" || state === "unknown");
  }

  #saw(row: Placement | undefined, reading: string): void {
    const most = row?.join.max_participants;
    if (!row || most === undefined) return;
    const others = this.#host.occupancy
      .participants(row.room)
      .filter(({ call_id }) => call_id !== row.call_id);
    if (others.length >= most) this.#host.observations.saw("join_when_full", reading);
  }
}
