import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ConferenceEvents } from "../../../functions/session/conference-events.ts";
import type { PlaceRequest } from "../../../functions/session/contract.ts";
import { Counters } from "../../../functions/session/counters.ts";
import { Errands } from "../../../functions/session/errands.ts";
import { Facts } from "../../../functions/session/facts.ts";
import { Health } from "../../../functions/session/health.ts";
import { Journal } from "../../../functions/session/journal.ts";
import { KeptSeats } from "../../../functions/session/kept-seats.ts";
import { type Placement, Placements } from "../../../functions/session/placements.ts";
import { Repairs } from "../../../functions/session/repairs.ts";
import { RoomChecks } from "../../../functions/session/room-checks.ts";
import { RoomKeeper } from "../../../functions/session/room-keeper.ts";
import { Rooms } from "../../../functions/session/rooms.ts";
import { migrate } from "../../../functions/session/schema.ts";
import { chooseRoom } from "../../../functions/session/seats.ts";

/** A session's ledger without its connection: real rows, a clock that the test sets, and REST as the test has it. */
export class Ledger {
  readonly placements: Placements;
  readonly rooms: Rooms;
  readonly checks: RoomChecks;
  readonly kept: KeptSeats;
  readonly errands: Errands;
  readonly counters: Counters;
  readonly journal: Journal;
  readonly events: ConferenceEvents;
  readonly repairs: Repairs;
  readonly keeper: RoomKeeper;

  constructor(sql: SqlStorage, now: () => number, list: (room: string) => Promise<ReadonlySet<string>>) {
    this.placements = new Placements(sql, now);
    this.checks = new RoomChecks(sql, now);
    this.kept = new KeptSeats(sql, now);
    this.rooms = new Rooms(sql, this.placements, (room) => this.checks.strangersIn(room), this.kept, now);
    this.errands = new Errands(sql, now);
    this.counters = new Counters(sql);
    this.journal = new Journal(sql, now);
    const health = new Health(new Facts(sql, undefined));
    this.events = new ConferenceEvents(sql, { ...this.#parts(), health }, () => {}, now);
    // Nobody waits here.
    const line = { takeBack: () => false };
    this.repairs = new Repairs({ ...this.#parts(), events: this.events, line }, now);
    this.keeper = new RoomKeeper({ ...this.#parts(), repairs: this.repairs, list }, now);
  }

  #parts() {
    const { placements, rooms, checks, kept, errands, counters, journal } = this;
    return { placements, rooms, checks, kept, errands, counters, journal };
  }

  /** Plans a call as `place` does, by RELAY or by its document; null where there is no seat. */
  plan(request: PlaceRequest): Placement | null {
    const chosen = chooseRoom(this.rooms, request);
    if (chosen.room === null) return null;
    if (request.join_via === "document") {
      return this.placements.plan(request, chosen.room, "by document", "by_document");
    }
    const row = this.placements.plan(request, chosen.room, "planned", "planned");
    this.placements.move(row, "sending", { reason: "sent" });
    this.placements.move(row, "accepted", { reason: "accepted", joined_by: "relay" });
    return row;
  }
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
