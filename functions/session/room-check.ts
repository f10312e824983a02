import { evidenceOfList, LIST_LAG_MS } from "../../shared/evidence.ts";
import { mayMove } from "../../shared/placement.ts";
import type { RoomListing } from "../rest.ts";
import { isBeingPutBack } from "./absence.ts";
import { listable } from "./doubts.ts";
import type { Placement, Placements } from "./placements.ts";
import type { Checked } from "./room-checks.ts";
import type { Rooms } from "./rooms.ts";
import { readTrail } from "./trail.ts";

/** So long before the seat of a call lapses that nobody saw come, an unknown call there is counted in its place. */
const LAPSING_MS = 2_000;

export interface RoomCheckHost {
  placements: Placements;
  rooms: Rooms;
  now(): number;
  /** What REST has in the room. Rejects where it does not say. */
  list(room: string): Promise<RoomListing>;
  /** What the list shows of SignalWire itself. */
  listed(listing: RoomListing, around: readonly Placement[]): void;
  /** The list has the placement's call in its room. */
  found(row: Placement): void;
  /** A proved list is without these: their own status is asked for before their seats are released. */
  missing(rows: readonly Placement[], asked_at: number): Promise<void>;
  /** The list is without these, and may be so though they are there. */
  unlisted(rows: readonly Placement[]): Promise<void>;
}

/**
 * Compares the ledger of one room with what REST lists, and counts those in it whom nobody placed there. Only what is listed, or
 * missing from a proved list, changes anything.
 */
export async function checkRoom(host: RoomCheckHost, room: string): Promise<Checked & { repaired: number }> {
  const { placements, rooms } = host;
  const asked_at = host.now();
  const before = new Map(rooms.around(room).map((row) => [row, row.trail]));
  const listing = await host.list(room);
  const around = rooms.around(room);
  host.listed(listing, around);
  const present = new Set(listing.conferences.flatMap(({ call_ids }) => [...call_ids]));
  const known = [...present].flatMap((call_id) => {
    const [row] = placements.ofCall(call_id);
    return row ? [row] : [];
  });
  const here = known.filter((row) => row.room === room);
  const joins = here.filter((row) => row.state !== "joined" && mayBeFound(row, before.get(row), asked_at));
  const confirmed = here.filter((row) => row.state === "joined" && before.get(row) === row.trail);
  const absent = around.filter((row) => !present.has(row.call_id));
  const participants = around.map(listable);
  // What moved while REST answered is newer than its answer.
  const unlisted = absent.filter((row) => row.state === "joined" && before.get(row) === row.trail);
  const missing = unlisted.filter(
    (row) => evidenceOfList(listing, listable(row), participants, asked_at) === "missing",
  );
  const released = missing.filter((row) => row.presumed_gone_at === null).length;
  const back = confirmed.filter((row) => row.presumed_gone_at !== null).length;
  for (const row of [...joins, ...confirmed]) host.found(row);
  await Promise.all([
    host.missing(missing, asked_at),
    host.unlisted(unlisted.filter((row) => !missing.includes(row))),
  ]);
  const held = here.filter((row) => rooms.holdsSeat(row)).length;
  // Where REST knows none of our names, those on their way are among its strangers, too.
  const isLasting = (row: Placement) => rooms.holdsSeat(row) && rooms.heldUntil(row) > asked_at + LAPSING_MS;
  const isUnmatched = (row: Placement) =>
    (row.state === "joined" && rooms.holdsSeat(row)) || (known.length === 0 && isLasting(row));
  const unmatched = absent.filter(isUnmatched).length;
  // The list may show what was: who has just left is no stranger.
  const gone = here.filter((row) => row.state === "left" && movedAt(row) > asked_at - LIST_LAG_MS).length;
  const counted = Math.max(0, present.size - held - unmatched - gone);
  // A list that leaves somebody out may show strangers, and never that there are fewer.
  const strangers = listing.complete ? counted : Math.max(counted, rooms.strangersIn(room));
  const repaired = joins.length + released + back;
  const unseen = absent.filter((row) => row.state !== "joined" && isLasting(row));
  // Of these nobody can say whether they came.
  const lapses = present.size > known.length ? unseen.map((row) => rooms.heldUntil(row) - LAPSING_MS) : [];
  return {
    strangers,
    repaired,
    wasNeedless: repaired === 0 && strangers === rooms.strangersIn(room),
    again_at: lapses.length > 0 ? Math.min(...lapses) : null,
  };
}

/** A row that was live, and as it was; or one whose document brought its call back, and nothing told of it. */
function mayBeFound(row: Placement, trail_before: string | undefined, asked_at: number): boolean {
  if (!mayMove(row.state, "joined") || isBeingPutBack(row)) return false;
  if (row.state !== "left") return trail_before === row.trail;
  return row.joined_by === "document" && movedAt(row) < asked_at - LIST_LAG_MS;
}

function movedAt({ trail }: Placement): number {
  return readTrail(trail).at(-1)?.at ?? 0;
}
