import { withRoom } from "../../../shared/callbacks.ts";
import { type JoinParameters, withLimit } from "../../../shared/conference.ts";
import { isSameCaller } from "../../../shared/identity.ts";
import type { PlaceRequest, RoomRequest, TurnedAway } from "../contract/placement.ts";
import type { Occupancy } from "./occupancy.ts";

export type Chosen =
  | { room: string; join: JoinParameters }
  | { room: null; turned_away: TurnedAway; reason: string };

/** What is to be known of rooms to choose one. */
type SeatCounts = Pick<Occupancy, "taken" | "ofCaller" | "participants" | "hasReleased">;

/** The rooms under the names that they have: one that lives under the name that the version before gave it keeps that. */
export function liveNames(
  ledger: Pick<Occupancy, "isLive">,
  { rooms, rooms_before }: Pick<PlaceRequest, "rooms" | "rooms_before">,
): PlaceRequest["rooms"] {
  const named = (room: string, index: number): string => {
    const before = rooms_before?.[index];
    return before !== undefined && !ledger.isLive(room) && ledger.isLive(before) ? before : room;
  };
  const [first, ...others] = rooms;
  return [named(first, 0), ...others.map((room, index) => named(room, index + 1))];
}

/** The room for a call, by the seats as they are now. Synchronous: the row that is written in the same turn has the seat. */
export function chooseRoom(ledger: SeatCounts, request: RoomRequest): Chosen {
  const room = roomWithSeat(ledger, request);
  if (room === null) return { room, turned_away: "full", reason: "every seat is taken" };
  const { capacity } = request;
  // Who was presumed gone may be there all the same: then SignalWire's own limit refuses one too many.
  const limited =
    capacity !== undefined && ledger.hasReleased(room) ? withLimit(request.join, capacity) : request.join;
  const join = withRoom(limited, room, request.room_proofs?.[room]);
  return request.coach ? withCoached(ledger, room, { ...request, join }) : { room, join };
}

function roomWithSeat(ledger: SeatCounts, request: RoomRequest): string | null {
  const { rooms, strategy, capacity, sticky_key, from_before, tenant } = request;
  if (capacity === undefined && strategy === "first" && sticky_key === undefined) return rooms[0];
  const taken = new Map(rooms.map((room) => [room, ledger.taken(room)]));
  const hasSeat = (room: string): boolean => capacity === undefined || (taken.get(room) ?? 0) < capacity;
  const before = sticky_key === undefined ? null : ledger.ofCaller(tenant, sticky_key, from_before);
  // Back to where they were, while it lives: a room with nobody in it is as good as any other.
  if (before !== null && (taken.get(before) ?? 0) > 0 && hasSeat(before)) return before;
  const free = rooms.filter(hasSeat);
  const [first] = free;
  if (first === undefined) return null;
  if (strategy === "first") return first;
  return free.reduce((best, room) => ((taken.get(room) ?? 0) < (taken.get(best) ?? 0) ? room : best), first);
}

/** Resolves whom to coach to the one live participant that fits. */
function withCoached(ledger: SeatCounts, room: string, { coach, join }: RoomRequest): Chosen {
  if (!coach) return { room, join };
  const fitting = ledger
    .participants(room)
    .filter(({ from, role }) =>
      coach.call_from === undefined ? role === coach.role : isSameCaller(from, coach.call_from),
    );
  const oldest = fitting[0];
  const newest = fitting.at(-1);
  if (!oldest || !newest) {
    if (coach.if_absent === "listen") return { room, join: { ...join, muted: true } };
    return { room: null, turned_away: "absent", reason: "nobody whom to coach is in the room" };
  }
  if (fitting.length === 1) return { room, join: { ...join, coach: oldest.call_id } };
  switch (coach.if_several) {
    case "oldest":
      return { room, join: { ...join, coach: oldest.call_id } };
    case "newest":
      return { room, join: { ...join, coach: newest.call_id } };
    case "listen":
      return { room, join: { ...join, muted: true } };
    default:
      return { room: null, turned_away: "several", reason: "several whom to coach are in the room" };
  }
}
