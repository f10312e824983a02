import type { DialState } from "../../shared/dialing.ts";
import type { DialRequest } from "./dial-contract.ts";

/** A row of the table: one call that an operator asked for. */
export interface Dial {
  /** Ours, by which RELAY's events name it. */
  tag: string;
  tenant: string;
  id: string;
  state: DialState;
  reason: string;
  request: DialRequest;
  call_id: string | null;
  node_id: string | null;
  created_at: number;
  updated_at: number;
  /** When its command went out last, ms. */
  sent_at: number | null;
}

type Changes = Partial<Pick<Dial, "state" | "reason" | "call_id" | "node_id" | "sent_at">>;

/** As the index has it: SQLite uses one of some rows only where the query says the same in the same words. */
const OPEN = "state IN ('queued', 'sending', 'dialing', 'ringing')";
const UNDER_WAY = `${OPEN} AND state != 'queued'`;
const QUEUED = `${OPEN} AND state = 'queued'`;

/** The table of calls that we make: the only place that reads and writes it. */
export class Dials {
  readonly #sql: SqlStorage;
  readonly #now: () => number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  add(tag: string, request: DialRequest): Dial {
    const now = this.#now();
    this.#sql.exec(
      `INSERT INTO dials (tag, tenant, id, state, reason, request, created_at, updated_at)
       VALUES (?, ?, ?, 'queued', 'waits for its turn', ?, ?, ?)`,
      tag,
      request.tenant,
      request.id,
      JSON.stringify(request),
      now,
      now,
    );
    return this.#only(this.#select("tag = ?", tag));
  }

  find(tenant: string, id: string): Dial | null {
    return this.#select("tenant = ? AND id = ?", tenant, id)[0] ?? null;
  }

  byTag(tag: string): Dial | null {
    return this.#select("tag = ?", tag)[0] ?? null;
  }

  byCall(call_id: string): Dial | null {
    return this.#select("call_id = ?", call_id)[0] ?? null;
  }

  /** Newest first. */
  ofTenant(tenant: string, limit: number): Dial[] {
    return this.#select("tenant = ? ORDER BY created_at DESC, rowid DESC LIMIT ?", tenant, limit);
  }

  /** Of those that wait for their turn the oldest that is of none of these tenants. */
  nextQueued(besides: ReadonlySet<string>): Dial | null {
    const others = "tenant NOT IN (SELECT value FROM json_each(?))";
    return (
      this.#select(`${QUEUED} AND ${others} ORDER BY rowid LIMIT 1`, JSON.stringify([...besides]))[0] ?? null
    );
  }

  /** Those that have waited for their turn since before then. */
  queuedBefore(at: number): Dial[] {
    return this.#select(`${QUEUED} AND created_at < ?`, at);
  }

  /** Whether any waits for its turn, or is under way. */
  get areOpen(): boolean {
    return this.#sql.exec(`SELECT 1 FROM dials WHERE ${OPEN} LIMIT 1`).toArray().length > 0;
  }

  /** Those for which a phone rings, or may. */
  underWay(): Dial[] {
    return this.#select(UNDER_WAY);
  }

  countQueued(tenant: string): number {
    return this.#count(`${QUEUED} AND tenant = ?`, tenant);
  }

  countUnderWay(tenant: string): number {
    return this.#count(`${UNDER_WAY} AND tenant = ?`, tenant);
  }

  /** When the newest command went out, ms. */
  lastSentAt(): number | null {
    return this.#sql
      .exec<{ at: number | null }>("SELECT MAX(sent_at) AS at FROM dials WHERE sent_at IS NOT NULL")
      .one().at;
  }

  /** When the oldest was asked for, ms; null where there is none. */
  oldest(): number | null {
    const [row] = this.#sql.exec<{ at: number }>("SELECT created_at AS at FROM dials ORDER BY rowid LIMIT 1");
    return row?.at ?? null;
  }

  update(dial: Dial, changes: Changes): void {
    const written = { ...changes, updated_at: this.#now() };
    Object.assign(dial, written);
    const columns = Object.entries(written);
    this.#sql.exec(
      `UPDATE dials SET ${columns.map(([name]) => `${name} = ?`).join(", ")} WHERE tag = ?`,
      ...columns.map(([, value]) => value),
      dial.tag,
    );
  }

  /** Forgets up to `limit` calls asked for over `max_age_ms` ago; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    return this.#sql
      .exec(
        `DELETE FROM dials WHERE created_at < ? AND rowid IN (SELECT rowid FROM dials ORDER BY rowid LIMIT ?)
         RETURNING tag`,
        this.#now() - max_age_ms,
        limit,
      )
      .toArray().length;
  }

  #count(where: string, ...values: SqlStorageValue[]): number {
    return this.#sql
      .exec<{ count: number }>(
        `SELECT COUNT(*) AS count FROM dials INDEXED BY dials_open WHERE ${where}`,
        ...values,
      )
      .one().count;
  }

  #select(where: string, ...values: SqlStorageValue[]): Dial[] {
    return this.#sql
      .exec(`SELECT * FROM dials WHERE ${where}`, ...values)
      .toArray()
      .map((row) => ({ ...row, request: JSON.parse(String(row["request"])) }) as unknown as Dial); // The table is ours alone.
  }

  #only([dial]: Dial[]): Dial {
    if (!dial) throw new Error("a dial vanished while it was made");
    return dial;
  }
}
