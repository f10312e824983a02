import worker, { RelaySession as Session } from "../../functions/index.ts";

/** Partyline, whose session says how many events it has on disk. */
export class RelaySession extends Session {
  eventRows(): number {
    return this.ctx.storage.sql.exec<{ rows: number }>("SELECT COUNT(*) AS rows FROM events").one().rows;
  }
}

interface FloodEnv extends Omit<Env, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
}

/** `GET /<project_id>`: how many events the project's session has kept; anything else is Partyline's. */
export default {
  async fetch(request, env, ctx) {
    if (request.method !== "GET") return await worker.fetch(request, env, ctx);
    const project_id = new URL(request.url).pathname.slice(1);
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(project_id));
    return Response.json(await session.eventRows());
  },
} satisfies ExportedHandler<FloodEnv>;
