import { describeError, log } from "../../log.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { Counters } from "../store/counters.ts";
import type { Placements } from "../store/placements.ts";
import type { RoomCheck, RoomChecks } from "../store/room-checks.ts";
import { type Turns, take } from "../store/turns.ts";
import type { RoomReconciler } from "./reconcile-room.ts";
import type { SeatReleases } from "./seat-releases.ts";

/** How often an occupied room is checked without other cause: the event of the last leave may be lost. */
const ROUTINE_MS = 300_000;
/** Rooms looked at for that at one alarm, more than REST can be asked about until the next, which continues behind them. */
const ROUTINE_ROOMS = 300;
/** Rooms looked at in one turn. */
const ROOMS_AT_ONCE = 100;

interface ReconcilerHost {
  placements: Placements;
  occupancy: Occupancy;
  checks: RoomChecks;
  counters: Counters;
  turns: Turns;
}

/**
 * Reconciler — says when rooms are compared with what SignalWire says of them: by the clock, after a gap in RELAY's events, and if
 * something gives cause for doubt. Each room is asked about only so often. Used by the dispatcher.
 */
export class Reconciler {
  readonly #host: ReconcilerHost;
  readonly #rooms: RoomReconciler;
  readonly #releases: SeatReleases;
  readonly #seat_doubt_ms: () => number;
  readonly #now: () => number;
  /** Where the next alarm continues. */
  #next: Iterator<string> | null = null;

  /** @param seat_doubt_ms how long a participant in doubt keeps the seat without evidence. */
  constructor(
    host: ReconcilerHost,
    rooms: RoomReconciler,
    releases: SeatReleases,
    seat_doubt_ms: () => number,
    now: () => number,
  ) {
    this.#host = host;
    this.#rooms = rooms;
    this.#releases = releases;
    this.#seat_doubt_ms = seat_doubt_ms;
    this.#now = now;
  }

  /** By the clock alone: after a lost event nothing else may ever mention the room. */
  async routine(): Promise<void> {
    const { occupancy, checks } = this.#host;
    this.#next ??= [...occupancy.all()].values();
    const names = take(this.#next, ROUTINE_ROOMS);
    if (names.length < ROUTINE_ROOMS) this.#next = null;
    const placed_before = this.#now() - ROUTINE_MS;
    checks.forget();
    await this.#host.turns.each(names, ROOMS_AT_ONCE, (room) => {
      if (occupancy.isOccupied(room, placed_before, "anyhow")) checks.demandAfter(room, ROUTINE_MS);
    });
    await this.#releases.releaseDoubted(this.#seat_doubt_ms());
  }

  /** After a gap in RELAY's events: calls that it placed are asked about one by one, and here the others. */
  async afterGap(): Promise<void> {
    const { occupancy, checks } = this.#host;
    await occupancy.known();
    const now = this.#now();
    await this.#host.turns.each([...occupancy.all()], ROOMS_AT_ONCE, (room) => {
      if (occupancy.isOccupied(room, now, "document")) checks.demand(room);
    });
  }

  /** A caller found no seat in these rooms: REST is asked whether all seats are really taken. */
  doubt(names: readonly string[]): void {
    const { occupancy, checks } = this.#host;
    for (const room of names) if (occupancy.countJoined(room) > 0) checks.demand(room);
  }

  /** Does what is due. */
  async run(): Promise<void> {
    const { checks } = this.#host;
    for (const heard of checks.settled()) await this.#releases.compare(heard);
    await Promise.all(checks.takeDue().map((check) => this.#check(check)));
  }

  async #check(check: RoomCheck): Promise<void> {
    const { placements, checks, counters } = this.#host;
    const { room } = check;
    counters.add("room_checks");
    try {
      const { repaired, ...checked } = await this.#rooms.reconcile(room);
      const isOther = checks.checked(check, checked);
      if (checked.wasNeedless && !isOther) return;
      counters.add("repaired_rooms");
      placements.touched(room);
      log("warn", "room.repaired", { room, calls: repaired, strangers: checked.strangers });
    } catch (error) {
      // It is tried again when its lease ends.
      log("warn", "room.unchecked", { room, error: describeError(error) });
    }
  }
}
