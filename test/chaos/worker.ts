import worker, { RelaySession as Session } from "../../functions/index.ts";
import { wakeSession } from "../../functions/scheduled.ts";

/** Partyline's session, which can be made to vanish as a deploy or an eviction would have it. */
export class RelaySession extends Session {
  vanish(): void {
    this.ctx.abort("chaos");
  }
}

/**
 * Partyline, and beside it `POST /chaos/:project_id/{vanish,retry,wake}` and `PUT /chaos/directory/:key`: what no operator can
 * order, or would order over the API, or what cron and wrangler do.
 */
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const [, key] = /^\/chaos\/directory\/(.+)$/.exec(pathname) ?? [];
    if (key !== undefined) {
      await env.DIRECTORY.put(key, await request.text());
      return new Response(null, { status: 204 });
    }
    const [, project_id, deed] = /^\/chaos\/([^/]+)\/(vanish|retry|wake)$/.exec(pathname) ?? [];
    if (project_id === undefined) return await worker.fetch(request, env, ctx);
    const id = env.RELAY_SESSION.idFromName(project_id);
    // The namespace's class is the one above, by the configuration that chaos serves it with.
    const session = env.RELAY_SESSION.get(id) as unknown as DurableObjectStub<RelaySession>;
    // Whoever vanishes does not answer.
    if (deed === "vanish") await session.vanish().catch(() => {});
    else if (deed === "retry") await session.check(project_id, "chaos", 0);
    else await wakeSession(env, project_id);
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Env>;
