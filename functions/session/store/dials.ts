import { type DialState, isOpen } from "../../../shared/dialing.ts";
import type { DialRequest } from "../contract/dial.ts";
import { type Disk, isFull } from "./disk.ts";
import type { Following } from "./news.ts";

/** A row of the table: one call that an operator asked for. */
export interface Dial {
  /** Ascending in the order in which they were asked for. */
  seq: number;
  /** Ours, by which RELAY's events name it. */
  tag: string;
  tenant: string;
  id: string;
  state: DialState;
  reason: string;
  request: DialRequest;
  call_id: string | null;
  node_id: string | null;
  /** The leg's newest. */
  segment_id: string | null;
  created_at: number;
  updated_at: number;
  /** When its command went out last, ms. */
  sent_at: number | null;
}

export interface DialNews extends Following {
  /** The call was asked for, or moved. */
  dialled(dial: Dial): void;
}

type Changes = Partial<Pick<Dial, "state" | "reason" | "call_id" | "node_id" | "segment_id" | "sent_at">>;

/** As the index has it: SQLite uses one of some rows only where the query says the same in the same words. */
const OPEN = "state IN ('queued', 'sending', 'dialing', 'ringing')";
const UNDER_WAY = "state IN ('sending', 'dialing', 'ringing')";
/** Of calls that wait, and of phones that ring, so many are looked at in one turn; a call is under way for a minute or two. */
const TENANTS = 150;
const RINGING = 300;

/** Dials — the table of outbound calls, and its one owner. Used by Dialer. */
export class Dials {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #news: DialNews;
  /** Whose changes found no room: they are at hand alone. */
  readonly #unsaved = new Map<string, Dial>();

  constructor(disk: Disk, now: () => number, news: DialNews) {
    this.#disk = disk;
    this.#now = now;
    this.#news = news;
  }

  add(tag: string, request: DialRequest): Dial {
    const now = this.#now();
    this.#disk.exec(
      `INSERT INTO dials (tag, tenant, id, state, reason, request, created_at, updated_at)
       VALUES (?, ?, ?, 'queued', 'waits for its turn', ?, ?, ?)`,
      tag,
      request.tenant,
      request.id,
      JSON.stringify(request),
      now,
      now,
    );
    const dial = this.#only(this.#select("WHERE tag = ?", tag));
    if (this.#news.isFollowed(dial.tenant)) this.#news.dialled(dial);
    return dial;
  }

  find(tenant: string, id: string): Dial | null {
    return this.#select("WHERE tenant = ? AND id = ?", tenant, id)[0] ?? null;
  }

  byTag(tag: string): Dial | null {
    return this.#select("WHERE tag = ?", tag)[0] ?? null;
  }

  byCall(call_id: string): Dial | null {
    return this.#select("INDEXED BY dials_by_call WHERE call_id = ? LIMIT 1", call_id)[0] ?? null;
  }

  /** Up to `limit` of the tenant's that were asked for before the one with this `seq`, newest first. */
  ofTenant(tenant: string, before: number, limit: number): Dial[] {
    return this.#select(
      "INDEXED BY dials_by_tenant WHERE tenant = ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
      tenant,
      before,
      limit,
    );
  }

  /** The call of each tenant that has waited for its turn longest, the longest of all first. */
  heads(): Dial[] {
    const heads: Dial[] = [];
    for (let tenant = this.#queuedAfter(""); tenant !== null; tenant = this.#queuedAfter(tenant)) {
      const head = this.nextOf(tenant);
      if (head) heads.push(head);
      if (heads.length === TENANTS) break;
    }
    return heads.sort((a, b) => a.seq - b.seq);
  }

  /** The tenant's that has waited for its turn longest. */
  nextOf(tenant: string): Dial | null {
    const where = "INDEXED BY dials_queued WHERE state = 'queued' AND tenant = ? ORDER BY rowid LIMIT 1";
    return this.#select(where, tenant)[0] ?? null;
  }

  /** Whether any waits for its turn, or is under way. */
  get areOpen(): boolean {
    return (
      this.#disk.exec(`SELECT 1 FROM dials INDEXED BY dials_open WHERE ${OPEN} LIMIT 1`).toArray().length > 0
    );
  }

  /** Those for which a phone rings, or may. */
  underWay(): Dial[] {
    return this.#select(
      `INDEXED BY dials_under_way WHERE ${UNDER_WAY} ORDER BY tenant LIMIT ?`,
      RINGING,
    ).filter(({ state }) => isOpen(state));
  }

  /** How many of the tenant's wait for their turn; not counted beyond `most`. */
  countQueued(tenant: string, most: number): number {
    return this.#count("INDEXED BY dials_queued WHERE state = 'queued' AND tenant = ?", tenant, most);
  }

  countUnderWay(tenant: string, most: number): number {
    return this.#count(`INDEXED BY dials_under_way WHERE ${UNDER_WAY} AND tenant = ?`, tenant, most);
  }

  /** When the newest command went out, ms. */
  lastSentAt(): number | null {
    return this.#disk
      .exec<{ at: number | null }>(
        "SELECT MAX(sent_at) AS at FROM dials INDEXED BY dials_by_sending WHERE sent_at IS NOT NULL",
      )
      .one().at;
  }

  /** When the oldest was asked for, ms; null if there is none. */
  oldest(): number | null {
    const [row] = this.#disk.exec<{ at: number }>(
      "SELECT created_at AS at FROM dials WHERE rowid = (SELECT MIN(rowid) FROM dials)",
    );
    return row?.at ?? null;
  }

  update(dial: Dial, changes: Changes): void {
    const { state } = dial;
    this.#change(dial, changes);
    if (dial.state !== state && this.#news.isFollowed(dial.tenant)) this.#news.dialled(dial);
  }

  #change(dial: Dial, changes: Changes): void {
    const written = { ...changes, updated_at: this.#now() };
    // Nothing of one that is about to be sent may be forgotten: its phone would ring again and again.
    if (changes.state === "sending") this.#write(dial.tag, written);
    Object.assign(dial, written);
    if (changes.state === "sending") return;
    const { state, reason, call_id, node_id, segment_id, sent_at, updated_at } = dial;
    const isUnsaved = this.#unsaved.delete(dial.tag);
    const all = isUnsaved ? { state, reason, call_id, node_id, segment_id, sent_at, updated_at } : written;
    try {
      this.#write(dial.tag, all);
    } catch (error) {
      if (!isFull(error)) throw error;
      this.#unsaved.set(dial.tag, dial);
    }
  }

  #write(tag: string, written: Changes & Pick<Dial, "updated_at">): void {
    const columns = Object.entries(written);
    this.#disk.exec(
      `UPDATE dials SET ${columns.map(([name]) => `${name} = ?`).join(", ")} WHERE tag = ?`,
      ...columns.map(([, value]) => value),
      tag,
    );
  }

  /** Forgets up to `limit` calls asked for over `max_age_ms` ago; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    return this.#disk
      .exec(
        "DELETE FROM dials WHERE rowid < (SELECT MIN(rowid) + ? FROM dials) AND created_at < ? RETURNING tag",
        limit,
        this.#now() - max_age_ms,
      )
      .toArray()
      .map(({ tag }) => this.#unsaved.delete(String(tag))).length;
  }

  #queuedAfter(tenant: string): string | null {
    const [next] = this.#disk.exec<{ tenant: string }>(
      "SELECT tenant FROM dials INDEXED BY dials_queued WHERE state = 'queued' AND tenant > ? ORDER BY tenant LIMIT 1",
      tenant,
    );
    return next?.tenant ?? null;
  }

  #count(where: string, tenant: string, most: number): number {
    return this.#disk
      .exec<{ count: number }>(
        `SELECT COUNT(*) AS count FROM (SELECT 1 FROM dials ${where} LIMIT ?)`,
        tenant,
        most,
      )
      .one().count;
  }

  #select(where: string, ...values: SqlStorageValue[]): Dial[] {
    return this.#disk
      .exec(`SELECT rowid AS seq, * FROM dials ${where}`, ...values)
      .toArray()
      .map((row) => ({ ...row, request: JSON.parse(String(row["request"])) }) as unknown as Dial) // The table is ours alone.
      .map((dial) => this.#unsaved.get(dial.tag) ?? dial);
  }

  #only([dial]: Dial[]): Dial {
    if (!dial) throw new Error("a dial vanished while it was made");
    return dial;
  }
}
