import type { WebhookNote, WebhookSaid } from "./journal-contract.ts";

/** A webhook's row: what came, and how it was answered; a placement's webhook is answered when its placement is. */
export type WebhookRow = WebhookNote & Partial<WebhookSaid> & { repeat?: true };

/** What was done for a call outside of its webhooks: a command for its afterlife, or what REST put right. */
export interface DeedRow {
  /** The errand's kind, or `repair`. */
  deed: string;
  by: "relay" | "rest" | "nobody";
  said: string;
}

export type JournalEntry = { seq: number; at: number; call_id: string } & (
  | { kind: "webhook"; data: WebhookRow }
  | { kind: "deed"; data: DeedRow }
);

/** The tenant and the call that an entry is about. */
export interface About {
  tenant: string;
  call_id: string;
}

/** Entries of one call that are read at most: a call has a few dozen. */
const OF_CALL = 1_000;

/**
 * What happened to calls, one compact row each; what a placement went through is in its own row's trail. Whoever writes here
 * keeps secrets out.
 */
export class Journal {
  readonly #sql: SqlStorage;
  readonly #now: () => number;

  constructor(sql: SqlStorage, now: () => number) {
    this.#sql = sql;
    this.#now = now;
  }

  webhook(about: About, row: WebhookRow): void {
    this.#add(about, "webhook", row);
  }

  deed(about: About, row: DeedRow): void {
    this.#add(about, "deed", row);
  }

  /** The call's entries, oldest first. */
  ofCall({ tenant, call_id }: About): JournalEntry[] {
    return this.#sql
      .exec(
        "SELECT seq, at, call_id, kind, data FROM journal WHERE call_id = ? AND tenant = ? ORDER BY seq LIMIT ?",
        call_id,
        tenant,
        OF_CALL,
      )
      .toArray()
      .map(entryOf);
  }

  /** Whether anything is written of the call, for whichever tenant. */
  knows(call_id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM journal WHERE call_id = ? LIMIT 1", call_id).toArray().length > 0;
  }

  /** The newest webhook of each of the tenant's calls, newest first, among those older than `before`. */
  *newestOfCalls(tenant: string, before: number, limit: number): Generator<JournalEntry> {
    const cursor = this.#sql.exec(
      `SELECT seq, at, call_id, kind, data FROM journal AS newest
       WHERE tenant = ?1 AND kind = 'webhook' AND seq < ?2 AND NOT EXISTS (
         SELECT 1 FROM journal AS later
         WHERE later.call_id = newest.call_id AND later.tenant = ?1 AND later.kind = 'webhook' AND later.seq > newest.seq)
       ORDER BY seq DESC LIMIT ?3`,
      tenant,
      before,
      limit,
    );
    for (const row of cursor) yield entryOf(row);
  }

  /** Since when there are entries; null where there are none. */
  oldest(): number | null {
    const [row] = this.#sql.exec<{ at: number }>("SELECT at FROM journal ORDER BY seq LIMIT 1");
    return row?.at ?? null;
  }

  /** Forgets up to `limit` entries older than `max_age_ms`; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    // Rows are written in the order of time, so the oldest are the first.
    return this.#sql
      .exec(
        `DELETE FROM journal WHERE seq IN (SELECT seq FROM (SELECT seq, at FROM journal ORDER BY seq LIMIT ?) WHERE at < ?)
         RETURNING seq`,
        limit,
        this.#now() - max_age_ms,
      )
      .toArray().length;
  }

  #add({ tenant, call_id }: About, kind: JournalEntry["kind"], data: object): void {
    this.#sql.exec(
      "INSERT INTO journal (at, tenant, call_id, kind, data) VALUES (?, ?, ?, ?, ?)",
      this.#now(),
      tenant,
      call_id,
      kind,
      JSON.stringify(data),
    );
  }
}

function entryOf(row: Record<string, SqlStorageValue>): JournalEntry {
  // The table is ours alone: what it holds is what #add wrote.
  return { ...row, data: JSON.parse(String(row["data"])) } as unknown as JournalEntry;
}
