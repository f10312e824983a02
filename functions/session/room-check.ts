import { mayMove } from "../../shared/placement.ts";
import { absenceBy, isBeingPutBack } from "./absence.ts";
import type { Placement, Placements } from "./placements.ts";
import type { Checked } from "./room-checks.ts";
import type { Rooms } from "./rooms.ts";
import { readTrail } from "./trail.ts";

/** What happened this shortly before REST was asked may be missing from what it answers. */
const YOUNG_MS = 10_000;
/** So long before the seat of a call lapses that nobody saw come, whoever is there unknown is counted in its place. */
const LAPSING_MS = 2_000;

export interface RoomCheckHost {
  placements: Placements;
  rooms: Rooms;
  now(): number;
  /** The calls that REST has in the room. Rejects where it does not say. */
  list(room: string): Promise<ReadonlySet<string>>;
  /** By REST's word the placement's call is in its room; or it is not. */
  found(row: Placement): void;
  left(row: Placement): void;
}

/** Makes the ledger of one room what REST says of it, and counts those in it whom nobody placed there. */
export async function checkRoom(host: RoomCheckHost, room: string): Promise<Checked & { repaired: number }> {
  const { placements, rooms } = host;
  const asked_at = host.now();
  const before = new Map(rooms.around(room).map((row) => [row, row.trail]));
  const present = await host.list(room);
  const known = [...present].flatMap((call_id) => {
    const [row] = placements.ofCall(call_id);
    return row ? [row] : [];
  });
  const isAbsent = absenceBy(present, placements);
  const here = known.filter((row) => row.room === room);
  const joins = here.filter((row) => row.state !== "joined" && mayBeFound(row, before.get(row), asked_at));
  const absent = rooms.around(room).filter((row) => !present.has(row.call_id));
  // What moved while REST answered is newer than its answer.
  const settled = absent.filter((row) => before.get(row) === row.trail && mayHaveLeft(row));
  const young = settled.filter((row) => !isOld(row, asked_at));
  const leaves = settled.filter((row) => !young.includes(row) && isAbsent(row));
  for (const row of joins) host.found(row);
  for (const row of leaves) host.left(row);
  const held = here.filter((row) => rooms.holdsSeat(row)).length;
  // Where REST knows none of our names, those on their way are among its strangers, too.
  const isLasting = (row: Placement) => rooms.holdsSeat(row) && rooms.heldUntil(row) > asked_at + LAPSING_MS;
  const isUnmatched = (row: Placement) => row.state === "joined" || (known.length === 0 && isLasting(row));
  const unmatched = absent.filter(isUnmatched).length;
  // REST may not know of it yet: it is nobody's stranger.
  const gone = here.filter(({ state, left_ts }) => {
    return state === "left" && left_ts !== null && left_ts * 1000 > asked_at - YOUNG_MS;
  }).length;
  const strangers = Math.max(0, present.size - held - unmatched - gone);
  const repaired = joins.length + leaves.length;
  const unseen = absent.filter((row) => row.state !== "joined" && isLasting(row));
  // Of these nobody can say whether they came.
  const lapses = present.size > known.length ? unseen.map((row) => rooms.heldUntil(row) - LAPSING_MS) : [];
  const again = [...(young.length > 0 ? [asked_at + YOUNG_MS] : []), ...lapses];
  return {
    strangers,
    repaired,
    wasNeedless: repaired === 0 && strangers === rooms.strangersIn(room),
    again_at: again.length > 0 ? Math.min(...again) : null,
  };
}

function mayHaveLeft(row: Placement): boolean {
  return mayMove(row.state, "left") && !isBeingPutBack(row);
}

/** A row that was live, and as it was; or one whose document brought its call back, and nothing told of it. */
function mayBeFound(row: Placement, trail_before: string | undefined, asked_at: number): boolean {
  if (!mayMove(row.state, "joined") || isBeingPutBack(row)) return false;
  if (row.state !== "left") return trail_before === row.trail;
  return row.joined_by === "document" && (readTrail(row.trail).at(-1)?.at ?? 0) < asked_at - YOUNG_MS;
}

function isOld({ state, joined_ts, created_at, deadline_at, hold_at }: Placement, asked_at: number): boolean {
  const joined_at = joined_ts === null ? created_at : joined_ts * 1000;
  const since = Math.max(state === "joined" ? joined_at : deadline_at, hold_at ?? 0);
  return since < asked_at - YOUNG_MS;
}
