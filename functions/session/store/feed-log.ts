import type { FeedEvent, FeedType } from "../../../shared/api/feed.ts";
import type { Disk } from "./disk.ts";

/** Events of a tenant that are kept, and for how long. */
const MOST = 10_000;
const KEPT_MS = 24 * 3_600_000;
/** Events that are forgotten in one turn because there are too many of a tenant. */
const AT_ONCE = 100;

/** An event with its text, as it is sent. */
export interface LoggedEvent {
  seq: number;
  frame: string;
}

interface Feed {
  /** Of the newest event. */
  seq: number;
  /** Every event after this one is in the table. */
  floor: number;
  /** Events are kept until then though nobody listens, ms. */
  until: number;
}

/**
 * FeedLog — the newest events of each tenant whose feed somebody follows. A `seq` is never used twice: while nobody follows no event
 * is numbered, and the number that is left out when somebody does again tells that some may be missing. Used by the feed.
 */
export class FeedLog {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #most: number;
  readonly #feeds = new Map<string, Feed>();

  /** @param most events of a tenant that are kept. */
  constructor(disk: Disk, now: () => number, most = MOST) {
    this.#disk = disk;
    this.#now = now;
    this.#most = most;
  }

  /** Whether events are kept though nobody may listen. */
  isKept(tenant: string): boolean {
    return this.#of(tenant).until > this.#now();
  }

  /** For how long they are, ms. */
  keptFor(tenant: string): number {
    return this.#of(tenant).until - this.#now();
  }

  /** Of the newest event; what comes next has a higher one. */
  seqOf(tenant: string): number {
    return this.#of(tenant).seq;
  }

  /** Whether every event after this one is there. */
  hasAllAfter(tenant: string, seq: number): boolean {
    const feed = this.#of(tenant);
    return seq >= feed.floor && seq <= feed.seq;
  }

  /** Events are kept from now on, and there may have been others since the last. Throws if there is no room for that. */
  begin(tenant: string, until: number): void {
    const { seq } = this.#of(tenant);
    // Of a session that has lost its storage no client goes on as if it had not.
    const next = seq === 0 ? this.#now() : seq + 1;
    this.#write(tenant, { seq: next, floor: next, until });
  }

  keep(tenant: string, until: number): void {
    this.#write(tenant, { ...this.#of(tenant), until });
  }

  /** Null if there is no room for it: then nothing was told. */
  add(tenant: string, event: { type: FeedType; data: FeedEvent["data"] }): LoggedEvent | null {
    const feed = this.#of(tenant);
    const at = this.#now();
    const seq = feed.seq + 1;
    const frame = JSON.stringify({ v: 1, seq, type: event.type, at, data: event.data });
    const added = this.#disk.attempt(
      "INSERT INTO feed_events (tenant, seq, at, frame) VALUES (?, ?, ?, ?)",
      tenant,
      seq,
      at,
      frame,
    );
    if (!added) return null;
    feed.seq = seq;
    if (seq - feed.floor >= this.#most + AT_ONCE) this.#trim(tenant, feed);
    return { seq, frame };
  }

  /** An event could not be written: who has not heard of it can't go on as if there had been none. */
  lose(tenant: string): void {
    const feed = this.#of(tenant);
    feed.seq += 1;
    feed.floor = feed.seq;
    feed.until = 0;
    this.#disk.attempt("UPDATE feeds SET floor = ?, until = 0 WHERE tenant = ?", feed.floor, tenant);
  }

  /** Up to `limit` events after this one, in order. */
  after(tenant: string, seq: number, limit: number): LoggedEvent[] {
    return this.#disk
      .exec<{ seq: number; frame: string }>(
        `SELECT seq, frame FROM feed_events INDEXED BY feed_events_by_tenant
         WHERE tenant = ? AND seq > ? ORDER BY seq LIMIT ?`,
        tenant,
        seq,
        limit,
      )
      .toArray();
  }

  /** Since when there are any, ms; null if there are none. */
  oldest(): number | null {
    const [row] = this.#disk.exec<{ at: number }>(
      "SELECT at FROM feed_events WHERE id = (SELECT MIN(id) FROM feed_events)",
    );
    return row?.at ?? null;
  }

  /** When the oldest is to be forgotten, ms; null if there is none. */
  nextForget(): number | null {
    const oldest = this.oldest();
    return oldest === null ? null : oldest + KEPT_MS;
  }

  /** Forgets up to `limit` events that are older than a day, or than `max_age_ms` if that is less; returns how many. */
  forget(max_age_ms: number, limit: number): number {
    const gone = this.#disk
      .exec<{ tenant: string; seq: number }>(
        `DELETE FROM feed_events WHERE id < (SELECT MIN(id) + ? FROM feed_events) AND at < ?
         RETURNING tenant, seq`,
        limit,
        this.#now() - Math.min(max_age_ms, KEPT_MS),
      )
      .toArray();
    const floors = new Map<string, number>();
    for (const { tenant, seq } of gone) floors.set(tenant, Math.max(seq, floors.get(tenant) ?? 0));
    for (const [tenant, floor] of floors) this.#raiseFloor(tenant, this.#of(tenant), floor);
    return gone.length;
  }

  #trim(tenant: string, feed: Feed): void {
    const floor = feed.floor + AT_ONCE;
    this.#disk.exec(
      `DELETE FROM feed_events WHERE id IN (
         SELECT id FROM feed_events INDEXED BY feed_events_by_tenant WHERE tenant = ? AND seq <= ? LIMIT ?)`,
      tenant,
      floor,
      AT_ONCE,
    );
    this.#raiseFloor(tenant, feed, floor);
  }

  #raiseFloor(tenant: string, feed: Feed, floor: number): void {
    if (floor <= feed.floor) return;
    feed.floor = floor;
    feed.seq = Math.max(feed.seq, floor);
    this.#disk.exec("UPDATE feeds SET floor = ? WHERE tenant = ?", floor, tenant);
  }

  #write(tenant: string, feed: Feed): void {
    this.#disk.exec(
      `INSERT INTO feeds (tenant, floor, until) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET floor = excluded.floor, until = excluded.until`,
      tenant,
      feed.floor,
      feed.until,
    );
    this.#feeds.set(tenant, feed);
  }

  #of(tenant: string): Feed {
    const known = this.#feeds.get(tenant);
    if (known) return known;
    const [row] = this.#disk.exec<{ floor: number; until: number }>(
      "SELECT floor, until FROM feeds WHERE tenant = ?",
      tenant,
    );
    const { seq } = this.#disk
      .exec<{ seq: number | null }>(
        "SELECT MAX(seq) AS seq FROM feed_events INDEXED BY feed_events_by_tenant WHERE tenant = ?",
        tenant,
      )
      .one();
    const { floor, until } = row ?? { floor: 0, until: 0 };
    const feed = { seq: Math.max(seq ?? 0, floor), floor, until };
    this.#feeds.set(tenant, feed);
    return feed;
  }
}
