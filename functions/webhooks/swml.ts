import { Hono } from "hono";
import { render } from "../../shared/documents/render.ts";
import { writeSwml } from "../../shared/documents/write-swml.ts";
import { fromUtf8 } from "../../shared/encoding.ts";
import { parseSwmlWebhook } from "../../shared/swml-webhook.ts";
import { authenticate } from "./signature.ts";
import { answerWebhook, type WebhookIngress } from "./webhook.ts";

const ingress: WebhookIngress = {
  via: "swml",
  content_type: "application/json",
  authenticate,
  parse: (raw) => parseSwmlWebhook(fromUtf8(raw)),
  write: (next, call) => render(writeSwml(next, call?.keyed !== undefined)),
};

/** `POST /hooks/:tenant/swml`. */
export const swmlHook = new Hono<{ Bindings: Env }>().post("/:tenant/swml", (c) => answerWebhook(c, ingress));
