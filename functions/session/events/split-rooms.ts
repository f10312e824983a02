import { log } from "../../log.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import { dropOldest } from "../store/drop-oldest.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Observations } from "../store/observations.ts";
import type { Placement } from "../store/placement-row.ts";

/** Two conferences under one name. */
export interface SplitRoom {
  room: string;
  conference_ids: string[];
  /** When it was seen last, ms. */
  at: number;
}

/** Split names that are remembered. */
const SPLIT_ROOMS = 20;

export interface SplitNews {
  /** Two conferences live under one name. */
  split(tenant: string, room: string, conference_ids: readonly string[]): void;
}

/**
 * SplitRooms — names under which two conferences live at once, as joins show them: each is logged and reported once, and the
 * newest few are remembered. Used for each join, and by the session's status.
 */
export class SplitRooms {
  readonly #occupancy: Occupancy;
  readonly #observations: Observations;
  readonly #news: SplitNews;
  readonly #now: () => number;
  /** By name. */
  readonly #split = new Map<string, SplitRoom>();

  constructor(occupancy: Occupancy, observations: Observations, news: SplitNews, now: () => number) {
    this.#occupancy = occupancy;
    this.#observations = observations;
    this.#news = news;
    this.#now = now;
  }

  all(): SplitRoom[] {
    return [...this.#split.values()];
  }

  has(room: string): boolean {
    return this.#split.has(room);
  }

  /**
   * A join while participants are in another conference of the same name. If joins of the two are mixed in time, both are live. If not,
   * the earlier one may have ended without an event: its participants are in doubt.
   * @returns those participants.
   */
  joined(row: Placement, isProved: boolean): LivePlacement[] {
    const { room, conference_id, joined_ts } = row;
    if (conference_id === null) return [];
    const others = this.#occupancy
      .participants(room)
      .filter((other) => other.conference_id !== null && other.conference_id !== conference_id);
    if (others.length === 0) return [];
    const mine = this.#occupancy.joinedTo(room, conference_id).surely;
    const began = Math.min(...mine.map((one) => one.joined_ts ?? Number.POSITIVE_INFINITY));
    const otherBegan = Math.min(...others.map((one) => one.joined_ts ?? Number.POSITIVE_INFINITY));
    const otherNewest = Math.max(...others.map((one) => one.joined_ts ?? 0));
    const interleaved = otherNewest > began && (joined_ts ?? 0) > otherBegan;
    if (interleaved) {
      const conference_ids = [
        ...new Set([conference_id, ...others.flatMap((one) => one.conference_id ?? [])]),
      ];
      this.#isSplit(row, conference_ids, isProved);
      return [];
    }
    return others;
  }

  /** Two conferences live under one name. Only a proved join teaches us how SignalWire behaves. */
  #isSplit({ tenant, room }: Placement, conference_ids: string[], isProved: boolean): void {
    const known = this.#split.get(room);
    const at = this.#now();
    this.#split.delete(room);
    this.#split.set(room, { room, conference_ids, at });
    dropOldest(this.#split, SPLIT_ROOMS);
    if (isProved) this.#observations.saw("two_conferences_under_one_name", true);
    if (known?.conference_ids.every((id) => conference_ids.includes(id))) return;
    log("error", "room.split", { room, conferences: conference_ids });
    this.#news.split(tenant, room, conference_ids);
  }
}
