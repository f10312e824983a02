import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { RoomListing } from "../../../functions/rest-conferences.ts";
import { composeEvents } from "../../../functions/session/compose-events.ts";
import { composeReconciler } from "../../../functions/session/compose-upkeep.ts";
import type { PlaceRequest } from "../../../functions/session/contract/placement.ts";
import type { Backlog } from "../../../functions/session/events/backlog.ts";
import type { ConferenceEvents } from "../../../functions/session/events/conference-events.ts";
import type { DroppedCallers } from "../../../functions/session/events/dropped-callers.ts";
import type { ParticipantChanges } from "../../../functions/session/events/participant-changes.ts";
import type { SplitRooms } from "../../../functions/session/events/split-rooms.ts";
import { Corrections } from "../../../functions/session/reconcile/corrections.ts";
import type { Reconciler } from "../../../functions/session/reconcile/reconciler.ts";
import { Repositories } from "../../../functions/session/repositories.ts";
import { chooseRoom } from "../../../functions/session/seats/choose-room.ts";
import type { Placement } from "../../../functions/session/store/placement-row.ts";
import { migrate } from "../../../functions/session/store/schema.ts";

/** A session's ledger without its connection: real rows, a clock that the test sets, and REST as the test has it. */
export class Ledger extends Repositories {
  readonly events: ConferenceEvents;
  readonly participants: ParticipantChanges;
  readonly dropped: DroppedCallers;
  readonly splits: SplitRooms;
  readonly backlog: Backlog;
  readonly corrections: Corrections;
  readonly reconciler: Reconciler;

  /**
   * @param list the calls that REST lists in the room's one conference.
   * @param status what REST says of a call itself; null: it knows no such call.
   * @param moved told in which rooms a row was planned or moved.
   * @param limit_bytes what the storage holds at most; absent: as much as Cloudflare's.
   * @param news told of every change.
   */
  constructor(
    sql: SqlStorage,
    now: () => number,
    list: (room: string) => Promise<ReadonlySet<string>>,
    status: (call_id: string) => string | null = () => null,
    moved: (rooms: readonly string[]) => void = () => {},
    limit_bytes?: number,
    news = NOBODY_FOLLOWS,
  ) {
    super(sql, now, undefined, { written: () => {}, moved, counted: () => {}, news }, limit_bytes);
    // Nobody waits here.
    const parts = composeEvents(this, { joined: () => {}, stopsWaiting: () => {} }, now);
    this.events = parts.events;
    this.participants = parts.participants;
    this.dropped = parts.dropped;
    this.splits = parts.splits;
    this.backlog = parts.backlog;
    this.corrections = new Corrections(this, this.counters, this.history, now);
    this.reconciler = composeReconciler(
      this,
      this.corrections,
      {
        list: async (room) => listingOf(await list(room)),
        statuses: async ({ call_id }) => ({ compatibility: status(call_id), voice_log: null }),
        seat_doubt_ms: () => SEAT_DOUBT_MS,
      },
      now,
    );
  }

  /** Plans a call as `place` does, by RELAY or by its document; null where there is no seat. */
  plan(wanted: PlaceRequest): Placement | null {
    const chosen = chooseRoom(this.occupancy, wanted);
    if (chosen.room === null) return null;
    const request = { ...wanted, join: chosen.join };
    if (request.join_via === "document") {
      return this.placements.plan(request, chosen.room, "by document", "by_document");
    }
    const row = this.placements.plan(request, chosen.room, "planned", "planned");
    this.placements.move(row, "sending", { reason: "sent" });
    this.placements.move(row, "accepted", { reason: "accepted", joined_by: "relay" });
    return row;
  }
}

export const NOBODY_FOLLOWS: Repositories["news"] = {
  isFollowed: () => false,
  placed: () => {},
  dropped: () => {},
  recorded: () => {},
  dialled: () => {},
  refused: () => {},
  rulesServed: () => {},
  locked: () => {},
  unlocked: () => {},
  split: () => {},
  spoke: () => {},
};

/** The default of `session.seat_doubt_s`. */
export const SEAT_DOUBT_MS = 1_800_000;

/** A complete list of one live conference; one in which nobody is listed is none. */
export function listingOf(call_ids: ReadonlySet<string>): RoomListing {
  if (call_ids.size === 0) return { complete: false, incomplete: "no conference is listed", conferences: [] };
  return {
    complete: true,
    incomplete: null,
    conferences: [{ sid: "conf-1", status: "in-progress", call_ids }],
  };
}

/** A request of the tenant `acme`, for a room of two seats unless said otherwise. */
export function requestOf(
  call_id: string,
  more: Partial<PlaceRequest> & Pick<PlaceRequest, "deadline_at">,
): PlaceRequest {
  return {
    v: 1,
    call_id,
    entry: "",
    step: 0,
    project_id: "p-1",
    project_version: "1",
    tenant: "acme",
    node_id: "node-1",
    answered: true,
    from: "+15550100001",
    rooms: ["acme:support"],
    strategy: "first",
    capacity: 2,
    join: {},
    forwarding: null,
    join_via: "relay",
    rule: "support",
    role: "participant",
    ruleset: "r1",
    decided_at: 0,
    join_deadline_ms: 2_000,
    ...more,
  };
}

/** Runs on an object's storage, emptied and migrated. */
export async function onStorage<T>(
  name: string,
  use: (storage: DurableObjectStorage) => Promise<T>,
): Promise<T> {
  const stub = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(name));
  return await runInDurableObject(stub, async (_, { storage }) => {
    await emptied(storage);
    return await use(storage);
  });
}

export async function emptied(storage: DurableObjectStorage): Promise<void> {
  await storage.deleteAll();
  migrate(storage);
}
