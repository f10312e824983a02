import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { Disk } from "../store/disk.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Recordings } from "../store/recordings.ts";
import type { Occupancy } from "./occupancy.ts";

interface Recorded {
  conference_id: string | null;
  /** ms */
  since: number;
}

/** Rooms in one read; more than are ever recorded at once by one project. */
const MOST = 5_000;
/** A room whose conference looks empty is forgotten after this: a join may be told late until then. */
const EMPTY_MS = 3_600_000;

/**
 * RecordedRooms — rooms whose live conference is known to be recorded: SignalWire said so, or a participant joined who asked for it; and
 * somebody is still in it. Used by the notices and by who asks before a call is placed. The only place that reads and writes its table.
 */
export class RecordedRooms {
  readonly #disk: Disk;
  readonly #occupancy: Pick<Occupancy, "participants">;
  readonly #recordings: Pick<Recordings, "expect" | "left">;
  readonly #now: () => number;
  readonly #recorded: Map<string, Recorded>;

  constructor(
    disk: Disk,
    occupancy: Pick<Occupancy, "participants">,
    recordings: Pick<Recordings, "expect" | "left">,
    now: () => number,
  ) {
    this.#disk = disk;
    this.#occupancy = occupancy;
    this.#recordings = recordings;
    this.#now = now;
    const rows = disk.exec<{ room: string } & Recorded & Record<string, SqlStorageValue>>(
      "SELECT room, conference_id, since FROM recorded_rooms LIMIT ?",
      MOST,
    );
    this.#recorded = new Map([...rows].map(({ room, ...recorded }) => [room, recorded]));
  }

  /** A call is in its room. What SignalWire tells of the recording that it asked for may be lost. */
  joined(row: Placement): void {
    this.#recordings.expect(row);
    if (row.join.record === "record-from-start") this.began(row.room, row.conference_id);
  }

  /**
   * A call is out of its room, or the room's conference is over.
   * @param conference_id by what told of that, if it is known.
   */
  left(row: Placement, conference_id = row.conference_id): void {
    this.#recordings.left(row, conference_id);
  }

  /** @param told null: which conference is not known. What was known of the live one stays. */
  began(room: string, told: string | null): void {
    const conference_id = told ?? (this.has(room) ? this.conferenceIn(room) : null);
    const since = this.#now();
    this.#recorded.set(room, { conference_id, since });
    this.#disk.attempt(
      "INSERT OR REPLACE INTO recorded_rooms (room, conference_id, since) VALUES (?, ?, ?)",
      room,
      conference_id,
      since,
    );
  }

  /** Its recording, or its conference, is over. @param conference_id another's end means nothing; null: unknown. */
  ended(room: string, conference_id: string | null): void {
    const recorded = this.#recorded.get(room);
    if (!recorded || !isSame(recorded.conference_id, conference_id)) return;
    this.#recorded.delete(room);
    this.#disk.exec("DELETE FROM recorded_rooms WHERE room = ?", room);
  }

  /** Its end may not have been told: if no participant of that conference is left in the room, it is not recorded any more. */
  has(room: string): boolean {
    const recorded = this.#recorded.get(room);
    if (!recorded || recorded.since < this.#now() - LONGEST_CALL_MS) return false;
    return this.#occupancy
      .participants(room)
      .some(({ conference_id }) => isSame(conference_id, recorded.conference_id));
  }

  conferenceIn(room: string): string | null {
    return this.#recorded.get(room)?.conference_id ?? null;
  }

  all(): string[] {
    return [...this.#recorded.keys()];
  }

  /** Forgets those of whose end nothing was told. */
  forget(): void {
    for (const room of this.all()) {
      const { since, conference_id } = this.#recorded.get(room) ?? { since: 0, conference_id: null };
      if (since < this.#now() - EMPTY_MS && !this.has(room)) this.ended(room, conference_id);
    }
  }
}

function isSame(one: string | null, other: string | null): boolean {
  return one === null || other === null || one === other;
}
