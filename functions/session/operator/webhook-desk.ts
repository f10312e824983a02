import { RpcTarget } from "cloudflare:workers";
import { ivBytes, sealSecret } from "../../../shared/credentials.ts";
import { SECRET_BYTES, secretText } from "../../../shared/outgoing-webhook.ts";
import type {
  DeliveriesPage,
  DeliveryView,
  WebhookReply,
  WebhookRequest,
  WebhookView,
} from "../contract/feed.ts";
import type { Feed } from "../feed/feed.ts";
import { deliveryId, type OutgoingWebhooks, seqOfDelivery } from "../feed/outgoing-webhooks.ts";
import type { Delivery, WebhookDeliveries } from "../store/webhook-deliveries.ts";
import { MOST_WEBHOOKS, type SealedSecret, type Webhook, type Webhooks } from "../store/webhooks.ts";

/** How long a secret signs beside the one that took its place, ms. */
const ROTATION_MS = 24 * 3_600_000;

interface WebhookDeskHost {
  webhooks: Webhooks;
  deliveries: WebhookDeliveries;
  feed: Feed;
  outgoing: OutgoingWebhooks;
}

/** WebhookDesk — the endpoints to which a tenant's events are sent, and what came of each. Used by the API. */
export class WebhookDesk extends RpcTarget {
  readonly #host: WebhookDeskHost;
  readonly #credentials_key: string | undefined;
  readonly #used: (project_id: string) => void;
  readonly #now: () => number;

  /** @param used told of each endpoint that is made, by its project. */
  constructor(
    host: WebhookDeskHost,
    credentials_key: string | undefined,
    used: (project_id: string) => void,
    now: () => number,
  ) {
    super();
    this.#host = host;
    this.#credentials_key = credentials_key;
    this.#used = used;
    this.#now = now;
  }

  list(tenant: string): WebhookView[] {
    return this.#host.webhooks.of(tenant).map(viewOf);
  }

  async create({ tenant, project_id, url, types }: WebhookRequest): Promise<WebhookReply> {
    const { webhooks, feed } = this.#host;
    const made = await this.#newSecret(project_id);
    if (!made) return { outcome: "unsealed" };
    if (webhooks.of(tenant).length >= MOST_WEBHOOKS) return { outcome: "many" };
    this.#used(project_id);
    feed.follow(tenant);
    const webhook: Webhook = {
      id: crypto.randomUUID(),
      tenant,
      project_id,
      url,
      types,
      secrets: [made.kept],
      state: "active",
      dropped: 0,
      created_at: this.#now(),
    };
    webhooks.add(webhook);
    return { outcome: "made", webhook: viewOf(webhook), secret: made.secret };
  }

  /** A new secret. The one before signs beside it for a day. */
  async rotate(tenant: string, id: string): Promise<WebhookReply> {
    const { webhooks } = this.#host;
    const known = webhooks.find(tenant, id);
    if (!known) return { outcome: "unknown" };
    const made = await this.#newSecret(known.project_id);
    if (!made) return { outcome: "unsealed" };
    const [before] = known.secrets;
    const others = before ? [{ ...before, until: this.#now() + ROTATION_MS }] : [];
    webhooks.update(known, { secrets: [made.kept, ...others] });
    return { outcome: "made", webhook: viewOf(known), secret: made.secret };
  }

  /** False: there is none. */
  async remove(tenant: string, id: string): Promise<boolean> {
    const { webhooks, outgoing } = this.#host;
    const webhook = webhooks.find(tenant, id);
    if (!webhook) return false;
    webhooks.drop(webhook);
    await outgoing.dropped(webhook);
    return true;
  }

  /** Newest first; null: there is no such endpoint. */
  page(tenant: string, id: string, after: number | null, limit: number): DeliveriesPage | null {
    const { webhooks, deliveries } = this.#host;
    if (!webhooks.find(tenant, id)) return null;
    const rows = deliveries.page(id, after ?? Number.MAX_SAFE_INTEGER, limit);
    return {
      deliveries: rows.map(deliveryView),
      next: rows.length < limit ? null : (rows.at(-1)?.seq ?? null),
    };
  }

  /** Sends it once more, with all its tries. Null: there is no such delivery. disabled: the endpoint takes nothing any more. */
  resend(tenant: string, id: string, delivery: string): DeliveryView | "disabled" | null {
    const { webhooks, deliveries, outgoing } = this.#host;
    const webhook = webhooks.find(tenant, id);
    const seq = seqOfDelivery(id, delivery);
    const found = webhook && seq !== null ? deliveries.find(id, seq) : null;
    if (!webhook || !found) return null;
    if (webhook.state === "disabled") return "disabled";
    const { reason } = found;
    deliveries.update(found, { state: "pending", attempts: 0, reason, due_at: this.#now() });
    void outgoing.again(id);
    const again = deliveries.find(id, found.seq);
    return again && deliveryView(again);
  }

  async #newSecret(project_id: string): Promise<{ secret: string; kept: SealedSecret } | null> {
    const credentials_key = this.#credentials_key;
    if (!credentials_key) return null;
    const secret = secretText(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    return {
      secret,
      kept: { sealed: await sealSecret(credentials_key, project_id, secret, iv), until: null },
    };
  }
}

function viewOf({ id, url, types, state, dropped, created_at }: Webhook): WebhookView {
  return { id, url, types, state, dropped, created_at };
}

function deliveryView({ webhook, seq, ...row }: Delivery): DeliveryView {
  const { type, state, attempts, reason, due_at, created_at, updated_at } = row;
  return { id: deliveryId(webhook, seq), type, seq, state, attempts, reason, due_at, created_at, updated_at };
}
