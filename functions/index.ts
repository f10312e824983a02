import { Hono } from "hono";
import { api } from "./api/index.ts";
import { schemas } from "./api/schemas.ts";
import { health, logMissingSecrets } from "./health.ts";
import { cxmlHook } from "./hooks/cxml.ts";
import { statusHooks } from "./hooks/status.ts";
import { swmlHook } from "./hooks/swml.ts";
import { wakeSessions } from "./scheduled.ts";

export { RelaySession } from "./session/relay-session.ts";

const routes = new Hono<{ Bindings: Env }>()
  .route("/hooks", swmlHook)
  .route("/hooks", cxmlHook)
  .route("/hooks", statusHooks)
  .route("/health", health)
  .route("/schemas", schemas)
  .route("/api", api);

export default {
  fetch: async (request, env, ctx) => {
    logMissingSecrets(env);
    return await routes.fetch(request, env, ctx);
  },
  scheduled: async ({ scheduledTime }, env) => {
    logMissingSecrets(env);
    await wakeSessions(env, scheduledTime);
  },
} satisfies ExportedHandler<Env>;
