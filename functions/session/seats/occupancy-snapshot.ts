import type { LivePlacement } from "../store/live-placements.ts";
import type { Occupancy, Seats } from "./occupancy.ts";

/**
 * OccupancySnapshot — the rooms as they are in this turn, each figure read once. Used by the waiting queue, which looks at many calls.
 */
export class OccupancySnapshot {
  readonly #occupancy: Occupancy;
  readonly #names: ReadonlySet<string>;
  #seats: Map<string, Seats> | null = null;
  #staffed: ReadonlySet<string> | null = null;

  /** @param names of the rooms that are looked at. */
  constructor(occupancy: Occupancy, names: ReadonlySet<string>) {
    this.#occupancy = occupancy;
    this.#names = names;
  }

  /** As `Rooms.taken`. */
  taken(room: string): number {
    return this.#seatsIn(room)?.taken ?? this.#occupancy.taken(room);
  }

  /** When the next seat of the room that somebody was given and not seen to take is free again, ms. */
  lapsesAt(room: string): number {
    return this.#seatsIn(room)?.lapses_at ?? Number.POSITIVE_INFINITY;
  }

  /** As `Rooms.isStaffed`. */
  isStaffed(room: string): boolean {
    this.#staffed ??= this.#occupancy.staffedOf([...this.#names]);
    return this.#staffed.has(room);
  }

  ofCaller(tenant: string, sticky_key: string, before?: string): string | null {
    return this.#occupancy.ofCaller(tenant, sticky_key, before);
  }

  hasReleased(room: string): boolean {
    return this.#occupancy.hasReleased(room);
  }

  participants(room: string): LivePlacement[] {
    return this.#occupancy.participants(room);
  }

  /** A seat of the room was given: its seats are counted anew. */
  seated(room: string): void {
    for (const [name, seats] of this.#occupancy.seatsIn([room])) this.#seats?.set(name, seats);
  }

  #seatsIn(room: string): Seats | undefined {
    this.#seats ??= this.#occupancy.seatsIn([...this.#names]);
    return this.#seats.get(room);
  }
}
