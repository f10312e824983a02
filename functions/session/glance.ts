import type { LivePlacement } from "./live-rows.ts";
import type { Placement } from "./placements.ts";
import type { Rooms } from "./rooms.ts";

/** Rooms as they are in this turn, each figure read once for all of them: for whoever looks at many calls. */
export class Glance {
  readonly #rooms: Rooms;
  readonly #names: readonly string[];
  #taken: Map<string, number> | null = null;
  #staffed: ReadonlySet<string> | null = null;

  /** @param line whose rooms are looked at. */
  constructor(rooms: Rooms, line: readonly Placement[]) {
    this.#rooms = rooms;
    this.#names = [...new Set(line.flatMap(({ wait }) => wait?.rooms ?? []))];
  }

  /** As `Rooms.taken`. */
  taken(room: string): number {
    this.#taken ??= this.#rooms.takenIn(this.#names);
    return this.#taken.get(room) ?? this.#rooms.taken(room);
  }

  /** As `Rooms.isStaffed`. */
  isStaffed(room: string): boolean {
    this.#staffed ??= this.#rooms.staffedOf(this.#names);
    return this.#staffed.has(room);
  }

  ofCaller(tenant: string, sticky_key: string): string | null {
    return this.#rooms.ofCaller(tenant, sticky_key);
  }

  hasReleased(room: string): boolean {
    return this.#rooms.hasReleased(room);
  }

  participants(room: string): LivePlacement[] {
    return this.#rooms.participants(room);
  }

  /** A seat of the room was given: its seats are counted anew. */
  seated(room: string): void {
    this.#taken?.delete(room);
  }
}
