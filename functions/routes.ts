import { Hono } from "hono";
import { api } from "./api/index.ts";
import { schemas } from "./api/schemas.ts";
import { health } from "./health.ts";
import { cxmlHook } from "./webhooks/cxml.ts";
import { movedHook } from "./webhooks/moved.ts";
import { noticeHook } from "./webhooks/notice.ts";
import { statusHooks } from "./webhooks/status-callbacks.ts";
import { swmlHook } from "./webhooks/swml.ts";

/** All that the Worker answers to. */
export const routes = new Hono<{ Bindings: Env }>()
  .route("/hooks", swmlHook)
  .route("/hooks", cxmlHook)
  .route("/hooks", statusHooks)
  .route("/hooks", noticeHook)
  .route("/hooks", movedHook)
  .route("/health", health)
  .route("/schemas", schemas)
  .route("/api", api);
