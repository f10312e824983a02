import type {
  FeedData,
  FeedParticipant,
  FeedRoomHead,
  FeedType,
  FeedWaiter,
} from "../../../shared/api/feed.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import { joinCommandId } from "../store/place-reply.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Recording, Recordings } from "../store/recordings.ts";
import type { RoomPolicies } from "../store/room-policies.ts";

/** An event that was not numbered yet. */
export type Happened = { [Type in FeedType]: { type: Type; data: FeedData<Type> } }[FeedType];

/** Of a participant what both a row and one at hand have. */
export type Seated = Pick<Placement, keyof LivePlacement & keyof Placement>;

/** Columns of a participant that the feed shows; `joined_ts` as `since`. */
export const SHOWN: ReadonlySet<string> = new Set([
  "joined_by",
  "conference_id",
  "muted",
  "held",
  "coaching",
  "presumed_gone_at",
  "doubted_at",
  "over_capacity",
  "joined_ts",
] satisfies (keyof Seated)[]);

export function participantView(row: Seated): FeedParticipant {
  return {
    call_id: row.call_id,
    from: row.from,
    role: row.role,
    rule: row.rule,
    via: row.ingress,
    joined_by: row.joined_by,
    conference_id: row.conference_id,
    muted: row.muted === 1,
    held: row.held === 1,
    coaching: row.coaching,
    presumed_gone: row.presumed_gone_at !== null,
    doubted: row.doubted_at !== null,
    over_capacity: row.over_capacity === 1,
    since: row.joined_ts === null ? row.created_at : Math.round(row.joined_ts * 1_000),
  };
}

export function waiterView(row: Placement): FeedWaiter {
  return {
    id: joinCommandId(row),
    call_id: row.call_id,
    from: row.from,
    role: row.role,
    for: [...(row.placing.wait?.for ?? [])],
    admitted: row.admitted === 1,
    since: row.created_at,
  };
}

export interface HeadHost {
  recordings: Pick<Recordings, "newestIn">;
  policies: Pick<RoomPolicies, "standingLock">;
}

/** What is said of a room with participants, beside who they are. */
export function headOf({ recordings, policies }: HeadHost, tenant: string, room: string): FeedRoomHead {
  const lock = policies.standingLock(room);
  return {
    room,
    recordings: recordings.newestIn(tenant, room).flatMap((row) => goingOn(row) ?? []),
    locked: lock?.tenant === tenant ? { mode: lock.data.mode, until: lock.until } : null,
  };
}

/** null: it does not go on. */
export function goingOn({ id, state, started_at }: Recording): FeedRoomHead["recordings"][number] | null {
  return state === "in-progress" || state === "paused" ? { id, state, since: started_at } : null;
}
