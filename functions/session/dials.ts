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

  /** Those that wait for their turn, oldest first. */
  queued(limit: number): Dial[] {
    return this.#select("state = 'queued' ORDER BY rowid LIMIT ?", limit);
  }

  /** Those for which a phone rings, or may. */
  underWay(): Dial[] {
    return this.#select("state IN ('sending', 'dialing', 'ringing')");
  }

  countQueued(tenant: string): number {
    return this.#count("tenant = ? AND state = 'queued'", tenant);
  }

  countUnderWay(tenant: string): number {
    return this.#count("tenant = ? AND state IN ('sending', 'dialing', 'ringing')", tenant);
  }

  /** When the newest command went out, ms. */
  lastSentAt(): number | null {
    return this.#sql.exec<{ at: number | null }>("SELECT MAX(sent_at) AS at FROM dials").one().at;
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
        "DELETE FROM dials WHERE tag IN (SELECT tag FROM dials WHERE created_at < ? LIMIT ?) RETURNING tag",
        this.#now() - max_age_ms,
        limit,
      )
      .toArray().length;
  }

  #count(where: string, ...values: SqlStorageValue[]): number {
    return this.#sql
      .exec<{ count: number }>(`SELECT COUNT(*) AS count FROM dials WHERE ${where}`, ...values)
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
