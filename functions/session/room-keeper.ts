import { describeError, log } from "../log.ts";
import type { Counters } from "./counters.ts";
import type { Placements } from "./placements.ts";
import type { Repairs } from "./repairs.ts";
import { checkRoom } from "./room-check.ts";
import type { RoomCheck, RoomChecks } from "./room-checks.ts";
import type { Rooms } from "./rooms.ts";

/** A room with somebody in it is checked this often where nothing else gave cause: the last leave of all may be lost. */
const ROUTINE_MS = 300_000;
/** Rooms gone through for that at one time. */
const ROUTINE_ROOMS = 5_000;

interface RoomKeeperHost {
  placements: Placements;
  rooms: Rooms;
  checks: RoomChecks;
  repairs: Repairs;
  counters: Counters;
  /** The calls that REST has in the room. Rejects where it does not say. */
  list(room: string): Promise<ReadonlySet<string>>;
}

/** Keeps the ledger of each room what SignalWire says of it: gives cause to ask, asks when it is time. */
export class RoomKeeper {
  readonly #host: RoomKeeperHost;
  readonly #now: () => number;

  constructor(host: RoomKeeperHost, now: () => number) {
    this.#host = host;
    this.#now = now;
  }

  /** By the clock alone, since where an event is lost nothing may ever speak of the room again. */
  routine(): void {
    const { rooms, checks } = this.#host;
    for (const room of rooms.occupied(this.#now() - ROUTINE_MS, "anyhow", ROUTINE_ROOMS)) {
      checks.demandAfter(room, ROUTINE_MS);
    }
    checks.forget();
  }

  /** After a gap in RELAY's events: whom it placed is asked about call by call, and here the others. */
  afterGap(): void {
    const { rooms, checks } = this.#host;
    for (const room of rooms.occupied(this.#now(), "document", ROUTINE_ROOMS)) checks.demand(room);
  }

  /** A caller found no seat in them: whether all are taken in truth is asked. */
  doubt(names: readonly string[]): void {
    const { rooms, checks } = this.#host;
    for (const room of names) if (rooms.countJoined(room) > 0) checks.demand(room);
  }

  /** Does what is due. */
  async run(): Promise<void> {
    const { checks, rooms } = this.#host;
    for (const { room, size } of checks.settled()) {
      if (rooms.countJoined(room) !== size && rooms.around(room).length > 0) checks.demand(room);
    }
    await Promise.all(checks.takeDue().map((check) => this.#check(check)));
  }

  async #check(check: RoomCheck): Promise<void> {
    const { placements, rooms, checks, repairs, counters, list } = this.#host;
    const { room } = check;
    counters.add("room_checks");
    try {
      const { repaired, ...checked } = await checkRoom(
        {
          placements,
          rooms,
          now: this.#now,
          list,
          found: (row) => repairs.found(row),
          left: (row) => repairs.left(row),
        },
        room,
      );
      checks.checked(check, checked);
      if (checked.wasNeedless) return;
      counters.add("repaired_rooms");
      log("warn", "room.repaired", { room, calls: repaired, strangers: checked.strangers });
    } catch (error) {
      // The lease brings it again.
      log("warn", "room.unchecked", { room, error: describeError(error) });
    }
  }
}
