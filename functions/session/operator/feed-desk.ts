import { RpcTarget } from "cloudflare:workers";
import { TICKET_PREFIX } from "../../../shared/api/feed.ts";
import { toBase64Url } from "../../../shared/encoding.ts";
import type { FeedGrant, FeedTicket } from "../contract/feed.ts";
import type { Feed } from "../feed/feed.ts";
import { isFull } from "../store/disk.ts";
import type { FeedTickets } from "../store/feed-tickets.ts";
import type { Tokens } from "../store/tokens.ts";

/** How long a ticket is good for, ms. */
const TICKET_MS = 60_000;
const TICKET_BYTES = 32;

/** FeedDesk — hands out tickets for the feed, and lets in who brings one. Used by the API. */
export class FeedDesk extends RpcTarget {
  readonly #tickets: FeedTickets;
  readonly #tokens: Pick<Tokens, "find">;
  readonly #feed: Feed;
  readonly #now: () => number;

  constructor(
    { feedTickets, tokens }: { feedTickets: FeedTickets; tokens: Pick<Tokens, "find"> },
    feed: Feed,
    now: () => number,
  ) {
    super();
    this.#tickets = feedTickets;
    this.#tokens = tokens;
    this.#feed = feed;
    this.#now = now;
  }

  /** For one connection. */
  async ticket(tenant: string, grant: FeedGrant): Promise<FeedTicket> {
    const ticket = toBase64Url(crypto.getRandomValues(new Uint8Array(TICKET_BYTES)));
    const expires_at = this.#now() + TICKET_MS;
    await this.#tickets.add(ticket, tenant, grant, expires_at);
    return { ticket, expires_at };
  }

  /** Connects a client: the request as the Worker had it, for the tenant whose it says it is. */
  async open(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const tenant = url.searchParams.get("tenant") ?? "";
    const after = url.searchParams.get("after");
    const protocols = (request.headers.get("sec-websocket-protocol") ?? "").split(/\s*,\s*/);
    const ticket = protocols.find((protocol) => protocol.startsWith(TICKET_PREFIX));
    const grant =
      ticket === undefined ? null : await this.#tickets.take(ticket.slice(TICKET_PREFIX.length), tenant);
    // Its token may have been revoked since.
    const isGood =
      grant !== null && (grant.token === null || this.#tokens.find(tenant, grant.token) !== null);
    if (!isGood) return new Response(null, { status: 401 });
    try {
      const client = this.#feed.open(tenant, grant, after === null ? null : Number(after));
      return client ?? new Response(null, { status: 429 });
    } catch (error) {
      if (isFull(error)) return new Response(null, { status: 507 });
      throw error;
    }
  }
}
