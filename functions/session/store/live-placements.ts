import { isLive } from "../../../shared/placement.ts";
import type { PlacementKey } from "../contract/placement.ts";
import type { Sql } from "./disk.ts";
import { type Changes, type Placement, stateOf } from "./placement-row.ts";
import { roomsOf } from "./wait-terms.ts";

/** Rows that are loaded in one turn. */
const LOADED_AT_ONCE = 500;

/** What of a live row is at hand. */
const COLUMNS = [
  "call_id",
  "entry",
  "step",
  "tenant",
  "node_id",
  "from",
  "state",
  "joined_by",
  "room",
  "rule",
  "role",
  "ingress",
  "created_at",
  "deadline_at",
  "lease_until",
  "hold_at",
  "conference_id",
  "joined_ts",
  "verified_at",
  "muted",
  "held",
  "coaching",
  "over_capacity",
  "doubted_at",
  "presumed_gone_at",
  "unsigned_leave_at",
  "untold",
] as const satisfies readonly (keyof Placement)[];

type Kept = Pick<Placement, (typeof COLUMNS)[number]>;

/** A placement that is live, without what only its own call needs. The same object for as long as it is. */
export type LivePlacement = Readonly<Kept> & {
  /** The rooms for which it waits; none unless its state is `waiting`. */
  readonly waits_for: readonly string[];
  /** How often it moved since it is at hand. */
  readonly moves: number;
};

type Row = Kept & { seq: number; waits_for: string | null };

const NONE: ReadonlySet<LivePlacement> = new Set();

/**
 * LiveRows — every live placement, at hand: who is where is asked at each webhook and each event, and a room may hold thousands.
 * Follows the table, which `Placements` alone writes; a new object loads it in slices, and a room that is asked for before that at once.
 */
export class LiveRows {
  readonly #sql: Sql;
  readonly #rows = new Map<string, LivePlacement>();
  readonly #rooms = new Map<string, Set<LivePlacement>>();
  /** Rooms that are here whole, while others may not be. */
  readonly #loaded = new Set<string>();
  /** Up to where the table is loaded, in the order of its index; null: to its end. */
  #position: { room: string; seq: number } | null = { room: "", seq: 0 };
  #loading: Promise<void> | null = null;

  /** With one slice of the table: of most projects that is all. */
  constructor(sql: Sql) {
    this.#sql = sql;
    this.#load({ room: "", seq: 0 });
  }

  /** Those in one room, or on their way to it. */
  in(room: string): ReadonlySet<LivePlacement> {
    if (this.#position !== null && !this.#loaded.has(room)) {
      this.#loaded.add(room);
      this.#keepAll(this.#select("AND room = ?", room));
    }
    return this.#rooms.get(room) ?? NONE;
  }

  /** Those in all rooms, as far as they are loaded. */
  all(): Iterable<LivePlacement> {
    return this.#rows.values();
  }

  /** Rooms with anybody in them, as far as they are loaded. */
  rooms(): Iterable<string> {
    return this.#rooms.keys();
  }

  /** Loads the next slice of the table. */
  #load({ room, seq }: { room: string; seq: number }): void {
    const rows = this.#select("AND room = ? AND seq > ? ORDER BY seq LIMIT ?", room, seq, LOADED_AT_ONCE);
    const more = LOADED_AT_ONCE - rows.length;
    if (more > 0) rows.push(...this.#select("AND room > ? ORDER BY room, seq LIMIT ?", room, more));
    this.#keepAll(rows);
    const last = rows.at(-1);
    this.#position = last && rows.length === LOADED_AT_ONCE ? { room: last.room, seq: last.seq } : null;
    if (this.#position === null) this.#loaded.clear();
  }

  /** Resolves when all are loaded, slice by slice in turns of their own. */
  whole(): Promise<void> {
    this.#loading ??= this.#loadAll().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  /** Whether any is loaded; the first slice is, from the start. */
  get areAny(): boolean {
    return this.#rows.size > 0;
  }

  /** A new row. */
  add(row: Placement): void {
    if (isLive(row.state)) this.#keep(picked(row), waitedFor(row));
  }

  /**
   * So much of a row changed. Holders of the row see, too, that it is live no more. Of a row at hand nothing else is taken: the caller's
   * may have been read before another's change.
   */
  change(row: Placement, changes: Changes): void {
    const { state } = changes;
    const known = this.#rows.get(idOf(row));
    if (!known) {
      // Live it would be here, or is still to be loaded.
      if (state !== undefined) this.add(row);
      return;
    }
    const changed = Object.entries(changes).filter(([name]) => isColumn(name));
    const waits_for = state === undefined ? known.waits_for : waitedFor(row);
    this.#keep({ ...known, ...Object.fromEntries(changed) }, waits_for);
    if (!isLive(known.state)) this.drop(row);
  }

  /** The row that was here. */
  drop(key: PlacementKey): LivePlacement | undefined {
    const row = this.#rows.get(idOf(key));
    if (!row) return undefined;
    this.#rows.delete(idOf(key));
    this.#leave(row);
    return row;
  }

  async #loadAll(): Promise<void> {
    while (this.#position !== null) {
      await scheduler.wait(0);
      this.#load(this.#position);
    }
  }

  #keepAll(rows: readonly Row[]): void {
    for (const { seq: _, waits_for, ...row } of rows)
      this.#keep(
        { ...row, state: stateOf(row) },
        waits_for === null ? [] : (JSON.parse(waits_for) as string[]),
      );
  }

  #keep(row: Kept, waits_for: readonly string[]): void {
    const id = idOf(row);
    const known = this.#rows.get(id);
    if (known && known.room !== row.room) this.#leave(known);
    const moves = known === undefined ? 0 : known.moves + (known.state === row.state ? 0 : 1);
    const now: LivePlacement = Object.assign(known ?? {}, row, { waits_for, moves });
    this.#rows.set(id, now);
    const room = this.#rooms.get(now.room);
    if (room) room.add(now);
    else this.#rooms.set(now.room, new Set([now]));
  }

  #leave(row: LivePlacement): void {
    const room = this.#rooms.get(row.room);
    room?.delete(row);
    if (room?.size === 0) this.#rooms.delete(row.room);
  }

  #select(where: string, ...values: SqlStorageValue[]): Row[] {
    return this.#sql
      .exec(
        `SELECT seq, ${COLUMNS.map((name) => `"${name}"`).join(", ")},
           CASE state WHEN 'waiting' THEN json_extract(wait, '$.rooms') END AS waits_for
         FROM placements INDEXED BY placements_by_seat WHERE live = 1 ${where}`,
        ...values,
      )
      .toArray() as unknown as Row[]; // The table is the ledger's: what it holds is what `Placements` wrote.
  }
}

function idOf({ call_id, entry, step }: PlacementKey): string {
  return `${call_id} ${entry} ${step}`;
}

function isColumn(name: string): boolean {
  return (COLUMNS as readonly string[]).includes(name);
}

function waitedFor(row: Placement): readonly string[] {
  return row.state === "waiting" ? roomsOf(row) : [];
}

function picked(row: Kept): Kept {
  return Object.fromEntries(COLUMNS.map((name) => [name, row[name]])) as unknown as Kept; // By the columns' own names.
}
