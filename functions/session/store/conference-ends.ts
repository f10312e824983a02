import type { Disk } from "./disk.ts";

/** A conference that has ended, as its event told it. */
export interface ConferenceEnd {
  /** Wire name. */
  room: string;
  conference_id: string;
  feed: "relay" | "callback";
  /** Whether the event was RELAY's, or signed. */
  trusted: boolean;
  /** Whose calls it bears on; null: everybody's. */
  tenant: string | null;
  /** Whether those who came by cXML, and the others, were in it who were seen under its name and nothing told its id. */
  found_cxml: boolean;
  found_others: boolean;
  /** The call whose leaving ended it, where that was said. */
  ended_by: string | null;
  /** SignalWire's time of it, seconds; null if it said none. */
  ts: number | null;
  /** When we heard of it, ms. */
  at: number;
}

/** Kept as 0 or 1. */
type Flag = "trusted" | "found_cxml" | "found_others";

/**
 * ConferenceEnds — the table of ended conferences whose participants are still worked through, so that a new object goes on with them.
 * Used by ConferenceEvents.
 */
export class ConferenceEnds {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Returns its id; null if there is no room for it, and it is lost with us. */
  add(end: ConferenceEnd): number | null {
    const added = this.#disk.attempt<{ id: number }>(
      `INSERT INTO conference_ends (room, conference_id, feed, trusted, tenant, found_cxml, found_others, ended_by, ts, at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      end.room,
      end.conference_id,
      end.feed,
      Number(end.trusted),
      end.tenant,
      Number(end.found_cxml),
      Number(end.found_others),
      end.ended_by,
      end.ts,
      end.at,
    );
    return added?.one().id ?? null;
  }

  /** Its last participant was seen to. */
  done(id: number): void {
    this.#disk.exec("DELETE FROM conference_ends WHERE id = ?", id);
  }

  /** The oldest first. */
  all(): (ConferenceEnd & { id: number })[] {
    return this.#disk
      .exec<Omit<ConferenceEnd, Flag> & Record<Flag, number> & { id: number }>(
        `SELECT id, room, conference_id, feed, trusted, tenant, found_cxml, found_others, ended_by, ts, at
         FROM conference_ends ORDER BY id`,
      )
      .toArray()
      .map((row) => ({
        ...row,
        trusted: row.trusted === 1,
        found_cxml: row.found_cxml === 1,
        found_others: row.found_others === 1,
      }));
  }
}
