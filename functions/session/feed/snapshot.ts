import type { FeedRoom } from "../../../shared/api/feed.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { LivePlacement, LiveRows } from "../store/live-placements.ts";
import { isNewer, participantsOf } from "./derive.ts";
import { type HeadHost, headOf, participantView, waiterView } from "./views.ts";

/** A part of a snapshot is over when it has so many participants and waiters. */
const PEOPLE = 200;
/** And when so many rooms were looked at, each of which may take a read. */
const ROOMS = 40;

interface SnapshotHost extends HeadHost {
  live: LiveRows;
  occupancy: Pick<Occupancy, "waiting" | "waitersOf" | "known">;
}

/** A part of how all is, and the last room that it looked at; null: it is the last part. */
export interface SnapshotPart {
  rooms: FeedRoom[];
  last: string | null;
}

/** How all rooms of a tenant are, as the feed's events would have it, a part at a time. Used by the feed's readers. */
export class Snapshot {
  readonly #host: SnapshotHost;

  constructor(host: SnapshotHost) {
    this.#host = host;
  }

  /** The part behind this room, by name. Parts may be taken at different times: the events since the first complete them. */
  async part(tenant: string, after: string, isShown: (room: string) => boolean): Promise<SnapshotPart> {
    await this.#host.occupancy.known();
    const names = this.#roomsOf(tenant)
      .filter((room) => room > after && isShown(room))
      .sort();
    const rooms: FeedRoom[] = [];
    let people = 0;
    for (const [index, name] of names.entries()) {
      if (people >= PEOPLE || index === ROOMS) return { rooms, last: names[index - 1] ?? null };
      const room = this.#room(tenant, name);
      const here = room.participants.length + room.waiting.length;
      people += here;
      if (here > 0) rooms.push(room);
    }
    return { rooms, last: null };
  }

  #roomsOf(tenant: string): string[] {
    const rooms = new Set(this.#host.occupancy.waitersOf(tenant).keys());
    for (const row of this.#host.live.all())
      if (row.tenant === tenant && row.state === "joined") rooms.add(row.room);
    return [...rooms];
  }

  #room(tenant: string, room: string): FeedRoom {
    const { occupancy } = this.#host;
    const newest = new Map<string, LivePlacement>();
    for (const row of participantsOf(tenant, room, this.#host)) {
      const other = newest.get(row.call_id);
      if (!other || isNewer(row, other)) newest.set(row.call_id, row);
    }
    const waiting = occupancy.waiting.before(room).filter((row) => row.tenant === tenant);
    const head = newest.size > 0 ? headOf(this.#host, tenant, room) : { room, recordings: [], locked: null };
    return {
      ...head,
      participants: [...newest.values()].map(participantView),
      waiting: waiting.map(waiterView),
    };
  }
}
