import { toHex } from "../../../shared/encoding.ts";
import type { FeedGrant } from "../contract/feed.ts";
import type { Disk } from "./disk.ts";

/** Tickets that nobody used are forgotten so many at a time. */
const AT_ONCE = 100;

/** FeedTickets — each opens the feed once, within its time. What is kept of one is its digest. */
export class FeedTickets {
  readonly #disk: Disk;
  readonly #now: () => number;

  constructor(disk: Disk, now: () => number) {
    this.#disk = disk;
    this.#now = now;
  }

  /** @param until ms. */
  async add(ticket: string, tenant: string, grant: FeedGrant, until: number): Promise<void> {
    const digest = await digestOf(ticket);
    this.#disk.exec(
      `DELETE FROM feed_tickets WHERE digest IN (
         SELECT digest FROM feed_tickets INDEXED BY feed_tickets_by_age WHERE until < ? LIMIT ?)`,
      this.#now(),
      AT_ONCE,
    );
    this.#disk.exec(
      "INSERT INTO feed_tickets (digest, tenant, bearer, until) VALUES (?, ?, ?, ?)",
      digest,
      tenant,
      JSON.stringify(grant),
      until,
    );
  }

  /** What the ticket allows; it is good no more. Null if it is none of the tenant's, or was used, or came too late. */
  async take(ticket: string, tenant: string): Promise<FeedGrant | null> {
    const [row] = this.#disk.exec<{ tenant: string; bearer: string; until: number }>(
      "DELETE FROM feed_tickets WHERE digest = ? RETURNING tenant, bearer, until",
      await digestOf(ticket),
    );
    if (!row || row.tenant !== tenant || row.until < this.#now()) return null;
    return JSON.parse(row.bearer) as FeedGrant; // Written by `add`.
  }
}

async function digestOf(ticket: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ticket))));
}
