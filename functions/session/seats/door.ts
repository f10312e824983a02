import { sameCallerKey } from "../../../shared/identity.ts";
import type { Wait } from "../../../shared/rules/decision.ts";
import type { PlaceRequest } from "../contract/placement.ts";
import type { Dials } from "../store/dials.ts";
import type { RoomPolicies } from "../store/room-policies.ts";

/** How long a caller waits before a locked room whose rule says nothing of waiting, in seconds. */
const LOBBY_S = 1_800;

/** closed: not let in. lobby: an operator lets it in, by a wait that the rule may not have. */
export type AtTheDoor =
  | { door: "open"; request: PlaceRequest }
  | { door: "lobby"; request: PlaceRequest; wait: Wait }
  | { door: "closed"; reason: string; say?: string };

/**
 * Whether a newcomer may come into its rooms: not into those that are locked, nor where the caller is barred. A room's policy to mute all
 * mutes the join. Used where a call is placed for the first time.
 */
export function atTheDoor(
  policies: RoomPolicies,
  dials: Pick<Dials, "byCall">,
  request: PlaceRequest,
): AtTheDoor {
  if (policies.isEmpty) return { door: "open", request };
  const { rooms, from, wait } = request;
  const caller = sameCallerKey(from, "from");
  const admitting = rooms.filter((room) => !policies.isBarred(room, caller));
  if (admitting.length === 0) return { door: "closed", reason: "an operator has barred the caller" };
  const locks = admitting.map((room) => policies.lockOf(room));
  // It was called before the room was locked.
  const isAwaited = (at: number) => (dials.byCall(request.call_id)?.created_at ?? at) < at;
  const [first, ...others] = admitting.filter((_, index) => {
    const lock = locks[index];
    return !lock || isAwaited(lock.at);
  });
  if (first !== undefined)
    return { door: "open", request: muted(policies, { ...request, rooms: [first, ...others] }) };
  const lobby = locks.find((lock) => lock?.data.mode === "lobby");
  const say = locks.find((lock) => lock?.data.say !== undefined)?.data.say;
  const words = say === undefined ? {} : { say };
  if (!lobby) return { door: "closed", reason: "the room is locked", ...words };
  const waits: Wait = wait ?? {
    for: ["admission"],
    max_s: LOBBY_S,
    otherwise: { action: "reject", ...(say === undefined ? {} : { say: { say } }) },
  };
  const forAdmission: Wait = waits.for.includes("admission")
    ? waits
    : { ...waits, for: ["admission", ...waits.for] };
  return { door: "lobby", request: muted(policies, { ...request, wait: forAdmission }), wait: forAdmission };
}

/** Of several rooms it is not known yet which it will be: then it is muted once it is there. */
function muted(policies: RoomPolicies, request: PlaceRequest): PlaceRequest {
  const [room, ...others] = request.rooms;
  const policy = others.length === 0 ? policies.muteAllOf(room) : null;
  if (!policy || policy.data.except.includes(request.role)) return request;
  return { ...request, join: { ...request.join, muted: true } };
}
