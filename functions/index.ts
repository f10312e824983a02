import { RelayCallDecider } from "./call-flow/decide-relay-call.ts";
import { logMissingSecrets } from "./health.ts";
import { routes } from "./routes.ts";
import { wakeSessions } from "./scheduled.ts";
import { RelaySession as Session } from "./session/relay-session.ts";

/** The project's session, with the call flows that decide on its calls. */
export class RelaySession extends Session {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, (...parts) => new RelayCallDecider(...parts));
  }
}

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
