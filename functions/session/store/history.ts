import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { WebhookNote, WebhookSaid } from "../contract/history.ts";
import type { Disk } from "./disk.ts";
import type { Following } from "./news.ts";
import { Sweep } from "./sweep.ts";

/** A webhook's row: what came, and how it was answered; a placement's webhook is answered when its placement is. */
export type WebhookRow = WebhookNote & Partial<WebhookSaid> & { repeat?: true };

/** What was done for a call outside of its webhooks: a command for its afterlife, or what REST put right. */
export interface ActionRow {
  /** The command's kind, or `repair`. */
  deed: string;
  by: "relay" | "rest" | "nobody";
  said: string;
}

export type HistoryEntry = { seq: number; at: number; call_id: string } & (
  | { kind: "webhook"; data: WebhookRow }
  | { kind: "deed"; data: ActionRow }
);

/** A part of many rows: those of it that are wanted, and the last that was read; null if that was all. */
export interface PageOf<T> {
  items: T[];
  last: number | null;
}

type HistoryRow = {
  seq: number;
  at: number;
  tenant: string;
  call_id: string;
  kind: HistoryEntry["kind"];
  data: string;
};

/** Whether an entry is of what machines did; `control.ts` words what people do. */
const BY_NO_OPERATOR = "NOT (kind = 'deed' AND data LIKE '%operator%')";

/** Entries in which a repeat of a webhook is looked for, and a call's newest webhook. */
const NEWEST = 30;
/** Entries in which a later webhook of a call is looked for: between two there are few commands. */
const LATER = 10;

/** Outcomes of a webhook by which a call was refused without having been placed. */
const REFUSED: ReadonlySet<string> = new Set(["reject", "no_pin"]);

/** The tenant and the call that an entry is about. */
export interface About {
  tenant: string;
  call_id: string;
}

export interface HistoryNews extends Following {
  /** The call was refused, and never placed. */
  refused(about: About, row: WebhookRow): void;
}

/**
 * What happened to calls, one compact row each; what a placement went through is in its own row's trail. Whoever writes here
 * keeps secrets out.
 */
export class History {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #news: HistoryNews;
  readonly #sweep: Sweep;

  constructor(disk: Disk, now: () => number, news: HistoryNews) {
    this.#disk = disk;
    this.#now = now;
    this.#news = news;
    this.#sweep = new Sweep(disk, { table: "journal", at: "at", mayGo: BY_NO_OPERATOR });
  }

  webhook(about: About, row: WebhookRow): void {
    this.#add(about, "webhook", row);
    const isRefused = row.outcome !== undefined && REFUSED.has(row.outcome);
    if (isRefused && this.#news.isFollowed(about.tenant)) this.#news.refused(about, row);
  }

  action(about: About, row: ActionRow): void {
    this.#add(about, "deed", row);
  }

  /** Up to `limit` of the call's entries after the one with this `seq`, oldest first. */
  ofCall({ tenant, call_id }: About, after: number, limit: number): PageOf<HistoryEntry> {
    const rows = this.#disk
      .exec<HistoryRow>(
        `SELECT seq, at, tenant, call_id, kind, data FROM journal INDEXED BY journal_by_call
         WHERE call_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
        call_id,
        after,
        limit,
      )
      .toArray();
    return pageOf(rows, limit, (row) => row.tenant === tenant);
  }

  /** The newest of the call's entries, newest first: a call that goes on for ever has any number. */
  newestOf({ tenant, call_id }: About): HistoryEntry[] {
    return this.#disk
      .exec<HistoryRow>(
        `SELECT seq, at, tenant, call_id, kind, data FROM journal INDEXED BY journal_by_call
         WHERE call_id = ? ORDER BY seq DESC LIMIT ?`,
        call_id,
        NEWEST,
      )
      .toArray()
      .filter((row) => row.tenant === tenant)
      .map(entryOf);
  }

  /** Whether anything is written of the call, for whichever tenant. What is older than any call is of another with the same id. */
  knows(call_id: string): boolean {
    const [newest] = this.#disk.exec<{ at: number }>(
      "SELECT at FROM journal INDEXED BY journal_by_call WHERE call_id = ? ORDER BY seq DESC LIMIT 1",
      call_id,
    );
    return newest !== undefined && newest.at > this.#now() - LONGEST_CALL_MS;
  }

  /** Up to `limit` of the tenant's entries older than `before`, newest first. */
  ofTenant(tenant: string, before: number, limit: number): PageOf<HistoryEntry> {
    const rows = this.#disk
      .exec<HistoryRow>(
        `SELECT seq, at, tenant, call_id, kind, data FROM journal INDEXED BY journal_by_tenant
         WHERE tenant = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
        tenant,
        before,
        limit,
      )
      .toArray();
    return pageOf(rows, limit, ({ kind }) => kind === "webhook");
  }

  /** Whether a webhook of the call is among the entries from `since` on. */
  hasWebhookSince({ tenant, call_id }: About, since: number): boolean {
    return this.#disk
      .exec<Pick<HistoryRow, "tenant" | "kind">>(
        `SELECT tenant, kind FROM journal INDEXED BY journal_by_call WHERE call_id = ? AND seq >= ? ORDER BY seq LIMIT ?`,
        call_id,
        since,
        LATER,
      )
      .toArray()
      .some((row) => row.tenant === tenant && row.kind === "webhook");
  }

  /** Since when there are entries; null if there are none. */
  oldest(): number | null {
    const [row] = this.#disk.exec<{ at: number }>(
      "SELECT at FROM journal WHERE seq = (SELECT MIN(seq) FROM journal)",
    );
    return row?.at ?? null;
  }

  /** Forgets up to `limit` entries older than `max_age_ms`; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    // Rows are written in the order of time, so the oldest are the first.
    return this.#disk
      .exec(
        "DELETE FROM journal WHERE seq < (SELECT MIN(seq) + ? FROM journal) AND at < ? RETURNING seq",
        limit,
        this.#now() - max_age_ms,
      )
      .toArray().length;
  }

  /** The same before their time: what operators did stays. Returns how many it went through. */
  forgetHistory(max_age_ms: number, limit: number): number {
    const { passed, seqs } = this.#sweep.next(this.#now() - max_age_ms, limit);
    const statement = "DELETE FROM journal WHERE seq IN (SELECT value FROM json_each(?))";
    if (seqs.length > 0) this.#disk.exec(statement, JSON.stringify(seqs));
    return passed;
  }

  #add({ tenant, call_id }: About, kind: HistoryEntry["kind"], data: object): void {
    this.#disk.attempt(
      "INSERT INTO journal (at, tenant, call_id, kind, data) VALUES (?, ?, ?, ?, ?)",
      this.#now(),
      tenant,
      call_id,
      kind,
      JSON.stringify(data),
    );
  }
}

function pageOf(
  rows: readonly HistoryRow[],
  limit: number,
  isWanted: (row: HistoryRow) => boolean,
): PageOf<HistoryEntry> {
  return {
    items: rows.filter(isWanted).map(entryOf),
    last: rows.length < limit ? null : (rows.at(-1)?.seq ?? null),
  };
}

function entryOf({ tenant: _, data, ...row }: HistoryRow): HistoryEntry {
  // The table is ours alone: what it holds is what #add wrote.
  return { ...row, data: JSON.parse(data) } as HistoryEntry;
}
