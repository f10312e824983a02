import type { AuditEntry, AuditPage } from "../contract/api-access.ts";
import type { Disk } from "./disk.ts";

const KEPT_MS = 365 * 24 * 3_600_000;
export const MOST_ENTRIES = 1_000_000;

interface AuditRow extends Record<string, SqlStorageValue> {
  seq: number;
  at: number;
  entry: string;
}

/**
 * Audit — the table of what was done by the API, and its one owner: entries are added, and never changed. Used by the API's access.
 */
export class Audit {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #most: number;

  constructor(disk: Disk, now: () => number, most = MOST_ENTRIES) {
    this.#disk = disk;
    this.#now = now;
    this.#most = most;
  }

  /** False: there was no room. */
  add(tenant: string, { at, ...entry }: AuditEntry): boolean {
    const written = this.#disk.attempt(
      "INSERT INTO audit (at, tenant, entry) VALUES (?, ?, ?)",
      at,
      tenant,
      JSON.stringify(entry),
    );
    return written !== null;
  }

  page(tenant: string, before: number, limit: number): AuditPage {
    const rows = this.#disk
      .exec<AuditRow>(
        `SELECT seq, at, entry FROM audit INDEXED BY audit_by_tenant
         WHERE tenant = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
        tenant,
        before,
        limit,
      )
      .toArray();
    return {
      // The table is ours alone: what it holds is what `add` wrote.
      entries: rows.map(({ seq, at, entry }) => ({
        id: seq,
        at,
        ...(JSON.parse(entry) as Omit<AuditEntry, "at">),
      })),
      next: rows.length < limit ? null : (rows.at(-1)?.seq ?? null),
    };
  }

  /** Forgets up to `limit` of what is older than a year, or more than a million entries old; returns how many. */
  forget(limit: number): number {
    return this.#disk
      .exec(
        `DELETE FROM audit WHERE seq < (SELECT MIN(seq) + ? FROM audit)
           AND (at < ? OR seq <= (SELECT MAX(seq) FROM audit) - ?) RETURNING seq`,
        limit,
        this.#now() - KEPT_MS,
        this.#most,
      )
      .toArray().length;
  }

  /** When the oldest is old enough to be forgotten, ms; null: there is none. */
  nextForget(): number | null {
    const [oldest] = this.#disk.exec<{ at: number }>(
      "SELECT at FROM audit WHERE seq = (SELECT MIN(seq) FROM audit)",
    );
    return oldest === undefined ? null : oldest.at + KEPT_MS;
  }
}
