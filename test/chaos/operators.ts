import type { PlannedCall } from "./callers.ts";
import { Random } from "./random.ts";
import { seedFrom } from "./readings.ts";
import { roomKinds, teams, wireRoom } from "./rules.ts";

// What operators do in a run, by the API: drawn from a random stream of its own, so that a seed's calls and troubles stay the same.

/** To one call, so many ms after it is in its room. */
export interface CallAct {
  call_id: string;
  project: number;
  tenant: string;
  act: "mute" | "unmute" | "hold" | "unhold" | "remove" | "move";
  /** Of a move: the room's plain name. */
  to?: string;
  ms: number;
}

/** To one room, so many ms after the run's start. */
export interface RoomAct {
  project: number;
  tenant: string;
  /** Plain. */
  room: string;
  act: "lock" | "unlock" | "end";
  at_ms: number;
}

export interface Operators {
  calls: CallAct[];
  rooms: RoomAct[];
}

/** How many of the calls something is done to. */
const OPERATED = 0.1;
/** In each project. */
const ROOM_ACT_EVERY_MS = 4_000;
/** A lock is longer than this for no caller. */
export const LOCKED_MS = 5_000;
/** How long after its join something is done to a call. */
const AFTER_MS = { from: 200, to: 6_000 };

const ACTS = { mute: 25, hold: 15, remove: 25, move: 35 } as const;

export function planOperators(
  seed: number,
  calls: readonly PlannedCall[],
  projects: readonly { tenants: readonly [string, string] }[],
  over_at_ms: number,
): Operators {
  const random = new Random(seedFrom(`${seed} operators`));
  const acts = calls
    .filter(({ room }) => room !== null)
    .filter(() => random.chance(OPERATED))
    .flatMap((call): CallAct[] => {
      const { call_id, project, tenant } = call;
      const ms = random.between(AFTER_MS.from, AFTER_MS.to);
      const act = random.weighted(ACTS);
      const about = { call_id, project, tenant };
      if (act === "move") return [{ ...about, act, to: `annexe-${random.between(1, 3)}`, ms }];
      if (act === "remove") return [{ ...about, act, ms }];
      const back = act === "mute" ? ("unmute" as const) : ("unhold" as const);
      return [
        { ...about, act, ms },
        { ...about, act: back, ms: ms + random.between(500, 3_000) },
      ];
    });
  const rooms = projects.flatMap(({ tenants: [first, second] }, project) =>
    Array.from({ length: Math.floor(over_at_ms / ROOM_ACT_EVERY_MS) }, (): RoomAct[] => {
      const tenant = random.pick([first, second]);
      const room = wireRoom(tenant, random.pick(roomKinds), random.pick(teams)).slice(tenant.length + 1);
      const at_ms = random.between(2_000, over_at_ms);
      const about = { project, tenant, room };
      if (random.chance(0.5)) return [{ ...about, act: "end", at_ms }];
      const unlocked_at_ms = at_ms + random.between(1_000, LOCKED_MS);
      return [
        { ...about, act: "lock", at_ms },
        { ...about, act: "unlock", at_ms: unlocked_at_ms },
      ];
    }).flat(),
  );
  return { calls: acts, rooms };
}
