import type { DeliveryView } from "../contract/feed.ts";
import type { Disk } from "./disk.ts";

/** Deliveries of one endpoint that are kept, those that wait among them, and for how long. */
const MOST = 10_000;
const KEPT_MS = 7 * 24 * 3_600_000;

/** A row of the table: one event for one endpoint. */
export interface Delivery {
  id: number;
  /** The endpoint's id. */
  webhook: string;
  /** The event's. */
  seq: number;
  type: string;
  /** What is sent. */
  body: string;
  state: DeliveryView["state"];
  attempts: number;
  reason: string;
  /** When it is tried next, ms; null unless it is pending. */
  due_at: number | null;
  created_at: number;
  updated_at: number;
}

type Row = Delivery & Record<string, SqlStorageValue>;
type Changes = Pick<Delivery, "state" | "attempts" | "reason" | "due_at">;

const COLUMNS = "id, webhook, seq, type, body, state, attempts, reason, due_at, created_at, updated_at";

/** The table of deliveries, which is also the queue of those that wait: the only place that reads and writes it. */
export class WebhookDeliveries {
  readonly #disk: Disk;
  readonly #now: () => number;
  readonly #most: number;

  /** @param most deliveries of an endpoint that are kept. */
  constructor(disk: Disk, now: () => number, most = MOST) {
    this.#disk = disk;
    this.#now = now;
    this.#most = most;
  }

  /** Due at once. False if there was no room. */
  add(webhook: string, { seq, type, body }: Pick<Delivery, "seq" | "type" | "body">): boolean {
    const now = this.#now();
    const added = this.#disk.attempt(
      `INSERT INTO webhook_deliveries (webhook, seq, type, body, state, attempts, reason, due_at, created_at, updated_at)
       VALUES (?, ?, ?, ?, 'pending', 0, '', ?, ?, ?)`,
      webhook,
      seq,
      type,
      body,
      now,
      now,
      now,
    );
    return added !== null;
  }

  find(webhook: string, seq: number): Delivery | null {
    const [row] = this.#disk.exec<Row>(
      `SELECT ${COLUMNS} FROM webhook_deliveries INDEXED BY webhook_deliveries_by_webhook
       WHERE webhook = ? AND seq = ? LIMIT 1`,
      webhook,
      seq,
    );
    return row ?? null;
  }

  /** The endpoint's that is due first, be it later. */
  nextOf(webhook: string): Delivery | null {
    const [row] = this.#disk.exec<Row>(
      `SELECT ${COLUMNS} FROM webhook_deliveries INDEXED BY webhook_deliveries_by_due
       WHERE webhook = ? AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`,
      webhook,
    );
    return row ?? null;
  }

  /** The next endpoint behind this one, by id, for which any waits; null: there is none. */
  nextWaiting(after: string): string | null {
    const [row] = this.#disk.exec<{ webhook: string }>(
      `SELECT webhook FROM webhook_deliveries INDEXED BY webhook_deliveries_by_due
       WHERE due_at IS NOT NULL AND webhook > ? ORDER BY webhook LIMIT 1`,
      after,
    );
    return row?.webhook ?? null;
  }

  /** Newest first. */
  page(webhook: string, before: number, limit: number): Delivery[] {
    return this.#disk
      .exec<Row>(
        `SELECT ${COLUMNS} FROM webhook_deliveries INDEXED BY webhook_deliveries_by_webhook
         WHERE webhook = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
        webhook,
        before,
        limit,
      )
      .toArray();
  }

  /** False if there was no room. */
  update({ id }: Pick<Delivery, "id">, changes: Changes): boolean {
    const { state, attempts, reason, due_at } = changes;
    const written = this.#disk.attempt(
      "UPDATE webhook_deliveries SET state = ?, attempts = ?, reason = ?, due_at = ?, updated_at = ? WHERE id = ?",
      state,
      attempts,
      reason,
      due_at,
      this.#now(),
      id,
    );
    return written !== null;
  }

  /** Forgets up to `limit` of the oldest of an endpoint that has too many; how many of them were waiting, and whether that was all. */
  trim(webhook: string, limit: number): { waiting: number; isDone: boolean } {
    const [oldest] = this.#disk.exec<{ seq: number }>(
      `SELECT seq FROM webhook_deliveries INDEXED BY webhook_deliveries_by_webhook
       WHERE webhook = ? ORDER BY seq DESC LIMIT 1 OFFSET ?`,
      webhook,
      this.#most,
    );
    return oldest ? this.#purge(webhook, oldest.seq, limit) : { waiting: 0, isDone: true };
  }

  /** Forgets up to `limit` of an endpoint that is no more; whether those were all. */
  purge(webhook: string, limit: number): boolean {
    return this.#purge(webhook, Number.MAX_SAFE_INTEGER, limit).isDone;
  }

  #purge(webhook: string, up_to: number, limit: number): { waiting: number; isDone: boolean } {
    const gone = this.#disk
      .exec<{ state: string }>(
        `DELETE FROM webhook_deliveries WHERE id IN (
           SELECT id FROM webhook_deliveries INDEXED BY webhook_deliveries_by_webhook
           WHERE webhook = ? AND seq <= ? ORDER BY seq LIMIT ?)
         RETURNING state`,
        webhook,
        up_to,
        limit,
      )
      .toArray();
    const waiting = gone.filter(({ state }) => state === "pending").length;
    return { waiting, isDone: gone.length < limit };
  }

  /** When the oldest is to be forgotten, ms; null if there is none. */
  nextForget(): number | null {
    const [row] = this.#disk.exec<{ at: number }>(
      "SELECT created_at AS at FROM webhook_deliveries WHERE id = (SELECT MIN(id) FROM webhook_deliveries)",
    );
    return row ? row.at + KEPT_MS : null;
  }

  /** Forgets up to `limit` that are older than a week; returns how many. */
  forget(limit: number): number {
    return this.#disk
      .exec(
        `DELETE FROM webhook_deliveries WHERE id < (SELECT MIN(id) + ? FROM webhook_deliveries) AND created_at < ?
         RETURNING id`,
        limit,
        this.#now() - KEPT_MS,
      )
      .toArray().length;
  }
}
