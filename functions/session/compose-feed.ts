import type { Base } from "./compose-upkeep.ts";
import { Feed } from "./feed/feed.ts";
import { OutgoingWebhooks } from "./feed/outgoing-webhooks.ts";
import { FeedReaders } from "./feed/readers.ts";
import { Snapshot } from "./feed/snapshot.ts";
import { FeedDesk } from "./operator/feed-desk.ts";
import { WebhookDesk } from "./operator/webhook-desk.ts";
import type { Repositories } from "./repositories.ts";

/** What tells a tenant's clients and servers of its calls. */
export interface FeedParts {
  feed: Feed;
  readers: FeedReaders;
  outgoing: OutgoingWebhooks;
  feedDesk: FeedDesk;
  webhookDesk: WebhookDesk;
}

/**
 * Builds the live feed and the outgoing webhooks. Used by the session.
 * @param used told of each endpoint that is made, by its project.
 */
export function composeFeed(
  { tables, relayManager, scheduler }: Omit<Base, "queue">,
  sockets: DurableObjectState,
  credentials_key: string | undefined,
  used: (project_id: string) => void,
): FeedParts {
  const now = Date.now;
  const outgoing: OutgoingWebhooks = new OutgoingWebhooks(
    { ...tables, pool: relayManager.pool },
    { credentials_key, fetch: (url, init) => fetch(url, init), now, random: Math.random },
    () => scheduler.changed(outgoing),
  );
  // Answered without waking the object: a client sees that its connection lives.
  sockets.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  const live = { ...tables, live: tables.placements.live, now };
  const readers = new FeedReaders({ ...live, sockets, snapshot: new Snapshot(live) });
  const feed = new Feed({ ...live, readers, outgoing });
  return {
    feed,
    readers,
    outgoing,
    feedDesk: new FeedDesk(tables, feed, now),
    webhookDesk: new WebhookDesk({ ...tables, feed, outgoing }, credentials_key, used, now),
  };
}

/** What the tables tell of their changes, for the feed, which is built after them. */
export function newsTo(feed: () => Feed): Repositories["news"] {
  return {
    isFollowed: (tenant) => feed().isFollowed(tenant),
    placed: (row, before) => feed().placed(row, before),
    dropped: (row) => feed().dropped(row),
    recorded: (row, before) => feed().recorded(row, before),
    dialled: (dial) => feed().dialled(dial),
    refused: (about, row) => feed().refused(about, row),
    rulesServed: (tenant, hash) => feed().rulesServed(tenant, hash),
    locked: (tenant, room, mode, until) => feed().locked(tenant, room, mode, until),
    unlocked: (tenant, room) => feed().unlocked(tenant, room),
    split: (tenant, room, ids) => feed().split(tenant, room, ids),
    spoke: (tenant, room, call_id, speaking) => feed().spoke(tenant, room, call_id, speaking),
  };
}
