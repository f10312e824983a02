import { Hono } from "hono";
import { parseCxmlWebhook } from "../../shared/cxml-webhook.ts";
import { writeCxml } from "../../shared/documents/write-cxml.ts";
import { authenticateForm, formOf } from "./form-signature.ts";
import { formLimit, unpackForm } from "./read-body.ts";
import { answerWebhook, type WebhookIngress } from "./webhook.ts";

const ingress: WebhookIngress = {
  via: "cxml",
  content_type: "text/xml; charset=utf-8",
  unpack: unpackForm,
  authenticate: authenticateForm,
  parse: (raw, request) =>
    raw.length > formLimit
      ? { ok: false, path: "", message: `the body is over ${formLimit} bytes` }
      : parseCxmlWebhook({ form: formOf(raw, request), query: new URL(request.url).searchParams }),
  write: (next, call) => writeCxml(next, call?.call_state === "answered"),
};

/** `POST|GET /hooks/:tenant/cxml`. */
export const cxmlHook = new Hono<{ Bindings: Env }>().on(["GET", "POST"], "/:tenant/cxml", (c) =>
  answerWebhook(c, ingress),
);
