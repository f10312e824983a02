import { logMissingSecrets } from "./health.ts";
import { routes } from "./routes.ts";
import { wakeSessions } from "./scheduled.ts";

export { RelaySession } from "./session/relay-session.ts";

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
