import { Hono } from "hono";
import { api } from "./api/index.ts";
import { schemas } from "./api/schemas.ts";
import { cxmlHook } from "./hooks/cxml.ts";
import { statusHooks } from "./hooks/status.ts";
import { swmlHook } from "./hooks/swml.ts";
import { wakeSessions } from "./scheduled.ts";

export { RelaySession } from "./session/relay-session.ts";

const routes = new Hono<{ Bindings: Env }>()
  .route("/hooks", swmlHook)
  .route("/hooks", cxmlHook)
  .route("/hooks", statusHooks)
  .route("/schemas", schemas)
  .route("/api", api);

export default {
  fetch: routes.fetch,
  scheduled: async ({ scheduledTime }, env) => await wakeSessions(env, scheduledTime),
} satisfies ExportedHandler<Env>;
