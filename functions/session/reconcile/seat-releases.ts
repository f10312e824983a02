import { tooMany } from "../../../shared/evidence.ts";
import type { Occupancy } from "../seats/occupancy.ts";
import type { LivePlacement } from "../store/live-placements.ts";
import type { Placement } from "../store/placement-row.ts";
import type { Placements } from "../store/placements.ts";
import type { Heard, RoomChecks } from "../store/room-checks.ts";
import type { Suspicions } from "../store/suspicions.ts";
import { type Turns, take } from "../store/turns.ts";
import type { Corrections } from "./corrections.ts";

/** Participants checked at one alarm for a doubt that has lasted too long; the next alarm continues behind them. */
const DOUBTED_AT_ONCE = 5_000;
/** Participants whose rows are written in one turn. */
const WRITTEN_AT_ONCE = 20;

interface SeatReleasesHost {
  placements: Placements;
  occupancy: Occupancy;
  checks: RoomChecks;
  suspicions: Suspicions;
  corrections: Corrections;
}

/**
 * SeatReleases — releases seats without asking REST: if events count fewer participants than we do for long enough, or a doubt has lasted
 * too long. No call is ended for it. Used by the reconciler.
 */
export class SeatReleases {
  readonly #host: SeatReleasesHost;
  readonly #turns: Turns;
  readonly #now: () => number;
  /** Where the next alarm continues. */
  #unconfirmed: Iterator<LivePlacement> | null = null;

  constructor(host: SeatReleasesHost, turns: Turns, now: () => number) {
    this.#host = host;
    this.#turns = turns;
    this.#now = now;
  }

  /** A conference's size, as its newest event told it, and our count of it. */
  async compare(heard: Heard): Promise<void> {
    const { occupancy, checks, suspicions, corrections } = this.#host;
    const { conference_id, room, size, isTrusted, mayCountLeaver } = heard;
    const { surely, perhaps } = occupancy.joinedTo(room, conference_id);
    const counted = surely.filter(({ presumed_gone_at }) => presumed_gone_at === null);
    if (counted.length !== size && occupancy.around(room).length > 0) checks.demand(room);
    if (!isTrusted) return;
    const isEqual = size === surely.length || size === surely.length + perhaps.length;
    // If the size counts the participant who left, our count may be one too high.
    if (isEqual && mayCountLeaver) return;
    if (isEqual) {
      suspicions.confirmed(conference_id);
      const released = surely.filter(({ presumed_gone_at }) => presumed_gone_at !== null);
      await this.#write(released, (row) => corrections.bringBack(row));
      return;
    }
    if (size >= counted.length) return;
    const since = checks.below(heard);
    const excess = tooMany(counted.length, size, since, this.#now());
    const said = `events tell of ${size} in the conference, and ${counted.length} were counted`;
    await this.#write(this.#doubtfulFirst(counted).slice(0, excess), (row) => corrections.release(row, said));
  }

  /** The most doubtful ones first. */
  #doubtfulFirst(rows: readonly LivePlacement[]): LivePlacement[] {
    const { suspicions } = this.#host;
    const rank = (row: LivePlacement) =>
      row.unsigned_leave_at ?? suspicions.since(row) ?? Number.MAX_SAFE_INTEGER;
    const confirmed_at = ({ verified_at, created_at }: LivePlacement) => verified_at ?? created_at;
    return rows.toSorted((a, b) => rank(a) - rank(b) || confirmed_at(a) - confirmed_at(b));
  }

  /** Releases seats that were in doubt for `seat_doubt_ms` without evidence either way. */
  async releaseDoubted(seat_doubt_ms: number): Promise<void> {
    const { occupancy, suspicions, corrections } = this.#host;
    const before = this.#now() - seat_doubt_ms;
    this.#unconfirmed ??= occupancy.unconfirmedSince(before);
    const rows = take(this.#unconfirmed, DOUBTED_AT_ONCE);
    if (rows.length < DOUBTED_AT_ONCE) this.#unconfirmed = null;
    const doubted = rows.filter((row) => (suspicions.since(row) ?? Number.MAX_SAFE_INTEGER) <= before);
    await this.#write(doubted, (row) =>
      corrections.release(row, "it was in doubt for too long, without evidence"),
    );
  }

  async #write(rows: readonly LivePlacement[], act: (row: Placement) => void): Promise<void> {
    await this.#turns.each(rows, WRITTEN_AT_ONCE, (key) => {
      const row = this.#host.placements.find(key);
      if (row) act(row);
    });
  }
}
