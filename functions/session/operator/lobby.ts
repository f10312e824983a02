import { RpcTarget } from "cloudflare:workers";
import type { Placing } from "../../../shared/placing.ts";
import type { Returning, RoomRequest } from "../contract/placement.ts";
import type { WaitingQueue } from "../queue/waiting-queue.ts";
import { chooseRoom, liveNames } from "../seats/choose-room.ts";
import type { HeldSeats } from "../seats/held-seats.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { RecordedRooms } from "../seats/recorded-rooms.ts";
import type { Namings } from "../seats/room-naming.ts";
import type { Placements } from "../store/placements.ts";

/** Which caller an operator means. */
export interface LobbyRequest {
  tenant: string;
  /** Wire name. */
  room: string;
  call_id: string;
}

interface LobbyHost {
  placements: Placements;
  occupancy: Occupancy;
  heldSeats: HeldSeats;
  recorded: RecordedRooms;
  namings: Namings;
}

/**
 * Lobby — admits and rejects waiting callers for operators, says where a caller would sit, and gives callers who dropped their seats
 * back. Used by the API and before a call is placed.
 */
export class Lobby extends RpcTarget {
  readonly #host: LobbyHost;
  readonly #queue: WaitingQueue;

  constructor(host: LobbyHost, queue: WaitingQueue) {
    super();
    this.#host = host;
    this.#queue = queue;
  }

  /** Idempotent; false where the caller does not wait there for admission. */
  admit(request: LobbyRequest): boolean {
    const row = this.#find(request);
    return row !== undefined && this.#queue.admit(row);
  }

  /** Idempotent; false where the caller does not wait there. */
  reject(request: LobbyRequest): boolean {
    const row = this.#find(request);
    const why = "an operator did not admit the caller";
    return row !== undefined && this.#queue.turnAway(row, "declined", why);
  }

  /** Which number the caller would be in the room, were it placed now; null where it would find no seat. */
  callerNumber(request: RoomRequest): number | null {
    const { room } = this.#placeOf(request);
    return room === null ? null : this.#host.occupancy.taken(room) + 1;
  }

  /** Whether the room that the caller would be in, were it placed now, is known to be recorded. */
  isRecorded(request: RoomRequest): boolean {
    const { room, first } = this.#placeOf(request);
    return this.#host.recorded.has(room ?? first);
  }

  /** What was decided of a caller who dropped, where the seat is kept; JSON, for it is deep. */
  returning(request: Returning): string | null {
    const placing: Placing | null = this.#host.heldSeats.claim(request);
    return placing && JSON.stringify(placing);
  }

  /** The room that has a seat, and the first of all, by the names that they have on the wire. */
  #placeOf(request: RoomRequest): { room: string | null; first: string } {
    const { occupancy, namings } = this.#host;
    const named = { ...request, rooms: namings.peek(request), ...namings.before(request) };
    const live = liveNames(occupancy, named);
    return { room: chooseRoom(occupancy, { ...named, rooms: live }).room, first: live[0] };
  }

  #find({ tenant, room, call_id }: LobbyRequest) {
    return this.#host.placements
      .currentOf(call_id, tenant)
      .find((row) => row.wait !== null && row.placing.rooms.includes(room));
  }
}
