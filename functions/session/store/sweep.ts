import type { Disk } from "./disk.ts";

/** What of a table tells a row's age, and whether it may go before its time. SQL. */
interface Sweepable {
  table: "journal" | "placements";
  at: string;
  mayGo: string;
}

/** What one slice came to: how many rows it went through that will not be gone through again, and which of them may go. */
interface Swept {
  passed: number;
  seqs: number[];
}

/** Sweep — goes through a table's oldest rows a slice at a time. Those that must stay are passed, and stand before no others. */
export class Sweep {
  readonly #disk: Disk;
  readonly #what: Sweepable;
  #after = 0;

  constructor(disk: Disk, what: Sweepable) {
    this.#disk = disk;
    this.#what = what;
  }

  /** Where nothing older than `before` is left it begins anew the next time. */
  next(before: number, limit: number): Swept {
    const { table, at, mayGo } = this.#what;
    const rows = this.#disk
      .exec<{ seq: number; at: number; may_go: number }>(
        `SELECT seq, ${at} AS at, ${mayGo} AS may_go FROM ${table} WHERE seq > ? ORDER BY seq LIMIT ?`,
        this.#after,
        limit,
      )
      .toArray();
    // Rows are written in the order of time.
    const old = rows.filter((row) => row.at < before);
    const last = old.at(-1);
    const seqs = old.flatMap(({ seq, may_go }) => (may_go === 1 ? [seq] : []));
    const isEnd = last === undefined || old.length < limit;
    this.#after = isEnd ? 0 : last.seq;
    return { passed: isEnd ? seqs.length : old.length, seqs };
  }
}
