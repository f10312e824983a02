import type { DeliveriesPage, DeliveryView, WebhookReply, WebhookView } from "../session/contract/feed.ts";
import { askPart, sessionOf } from "../session-client.ts";
import type { Api, ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET|POST /api/tenants/:tenant/webhooks`, `DELETE …/webhooks/:id`: the servers to which the tenant's events are sent. `POST
 * …/webhooks/:id/secret`: a new secret. `GET …/webhooks/:id/deliveries`: what came of each event, the newest first; `POST
 * …/deliveries/:delivery/resend`: sends one once more.
 */
export function webhooksRoutes(api: Api): void {
  route(api, "listWebhooks", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const webhooks: WebhookView[] = await askPart(sessionOf(c.env, project).webhooks(), (desk) =>
        desk.list(tenant),
      );
      return answer(200, { webhooks });
    }),
  );
  route(api, "createWebhook", (c, { params, body: { url, types }, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project: { project_id }, project }) => {
      const reply: WebhookReply = await askPart(sessionOf(c.env, project).webhooks(), (desk) =>
        desk.create({ tenant, project_id, url, types: types ?? null }),
      );
      if (reply.outcome !== "made") return refused(c, reply.outcome);
      c.set("noted", { target: { id: reply.webhook.id } });
      return answer(201, { ...reply.webhook, secret: reply.secret });
    }),
  );
  route(api, "deleteWebhook", (c, { params }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const isRemoved = await askPart(sessionOf(c.env, project).webhooks(), (desk) =>
        desk.remove(tenant, params.id),
      );
      return isRemoved ? c.body(null, 204) : refused(c, "unknown");
    }),
  );
  route(api, "rotateWebhookSecret", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const reply: WebhookReply = await askPart(sessionOf(c.env, project).webhooks(), (desk) =>
        desk.rotate(tenant, params.id),
      );
      if (reply.outcome !== "made") return refused(c, reply.outcome);
      return answer(200, { ...reply.webhook, secret: reply.secret });
    }),
  );
  route(api, "listDeliveries", (c, { params, query: { after, limit }, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const page: DeliveriesPage | null = await askPart(sessionOf(c.env, project).webhooks(), (desk) =>
        desk.page(tenant, params.id, after ?? null, limit),
      );
      return page ? answer(200, page) : refused(c, "unknown");
    }),
  );
  route(api, "resendDelivery", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const again: DeliveryView | "disabled" | null = await askPart(
        sessionOf(c.env, project).webhooks(),
        (desk) => desk.resend(tenant, params.id, params.delivery),
      );
      if (again === "disabled")
        return refusal(c, 409, "webhook_disabled", "Its receiver answered 410, so nothing is sent to it.");
      if (again) return answer(202, again);
      return refusal(c, 404, "unknown_delivery", "Nothing is kept of such a delivery to that webhook.");
    }),
  );
}

function refused(c: ApiContext, outcome: Exclude<WebhookReply["outcome"], "made">): Response {
  switch (outcome) {
    case "many":
      return refusal(c, 409, "too_many_webhooks", "The tenant has 20 webhooks: delete one first.");
    case "unsealed":
      return refusal(c, 422, "no_credentials_key", "This Worker has no CREDENTIALS_KEY to keep a secret by.");
    case "unknown":
      return refusal(c, 404, "unknown_webhook", "The tenant has no such webhook.");
    default:
      return outcome satisfies never;
  }
}
