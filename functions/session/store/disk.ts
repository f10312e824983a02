import { log } from "../../log.ts";

/** What a Durable Object holds at most. */
export const LIMIT_BYTES = 10_000_000_000;
/** A storage that stays full is logged this often. */
const LOGGED_EVERY_MS = 60_000;

/** What reads and writes rows. */
export type Sql = Pick<SqlStorage, "exec">;

/** Whether what was to be written found no room. What is read and deleted still is then. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && error.message.includes("SQLITE_FULL");
}

/** Disk — the object's SQLite. Where it is full some rows stay unwritten, and nothing else fails for that. Used by every table. */
export class Disk {
  readonly #sql: SqlStorage;
  readonly #now: () => number;
  readonly #limit_bytes: number;
  #isFull = false;
  #leftOut = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(sql: SqlStorage, now: () => number, limit_bytes = LIMIT_BYTES) {
    this.#sql = sql;
    this.#now = now;
    this.#limit_bytes = limit_bytes;
  }

  /** As `SqlStorage` has it. */
  exec<T extends Record<string, SqlStorageValue>>(
    statement: string,
    ...values: SqlStorageValue[]
  ): SqlStorageCursor<T> {
    try {
      const cursor = this.#sql.exec<T>(statement, ...values);
      if (this.#isFull && /^\s*INSERT/.test(statement)) this.#isFull = false;
      return cursor;
    } catch (error) {
      if (isFull(error)) this.#full();
      throw error;
    }
  }

  /** Writes what may stay unwritten; null if there was no room for it. */
  attempt<T extends Record<string, SqlStorageValue>>(
    statement: string,
    ...values: SqlStorageValue[]
  ): SqlStorageCursor<T> | null {
    try {
      return this.exec<T>(statement, ...values);
    } catch (error) {
      if (!isFull(error)) throw error;
      return null;
    }
  }

  /** Whether the last row that was to be added found no room. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** How much is used of what there is, in bytes. */
  usage(): { used: number; limit: number } {
    return { used: this.#sql.databaseSize, limit: this.#limit_bytes };
  }

  #full(): void {
    this.#isFull = true;
    this.#leftOut += 1;
    if (this.#now() - this.#loggedAt < LOGGED_EVERY_MS) return;
    this.#loggedAt = this.#now();
    log("error", "storage.full", { ...this.usage(), left_out: this.#leftOut });
    this.#leftOut = 0;
  }
}
