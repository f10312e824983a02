import worker, { RelaySession as Session } from "../../functions/index.ts";
import { fill } from "../functions/session/filled.ts";

/** Partyline's session, whose storage can be filled as years of use would. */
export class RelaySession extends Session {
  /** Has so many calls kept that are over, and vanishes: the next one finds them as after any restart. */
  async keep(calls: number): Promise<void> {
    const { storage } = this.ctx;
    fill(storage, { calls, live: 0, rooms: 50, now: Date.now() });
    // The rooms are those that webhooks place into; and nothing falls due or is forgotten while they are measured.
    storage.sql.exec(`
      UPDATE placements SET room = replace(room, ':room-', ':team-');
      UPDATE kept_seats SET room = NULL, until = NULL, claimed_by = NULL, claimed_until = NULL;
      UPDATE errands SET due_at = due_at + 86400000;
      UPDATE pin_tries SET forget_at = forget_at + 86400000;
      UPDATE rulesets SET last_used = last_used + 100 * 86400000;`);
    await storage.sync();
    this.ctx.abort("more is kept now");
  }

  kept(): number {
    return this.ctx.storage.sql.exec<{ kept: number }>("SELECT COUNT(*) AS kept FROM placements").one().kept;
  }
}

interface KeptEnv extends Omit<Env, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
}

/** `GET /<project_id>?calls=` has so many calls kept, and says how many are; anything else is Partyline's. */
export default {
  async fetch(request, env, ctx) {
    if (request.method !== "GET") return await worker.fetch(request, env, ctx);
    const { pathname, searchParams } = new URL(request.url);
    const session = () => env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(pathname.slice(1)));
    const calls = Number(searchParams.get("calls"));
    // It vanishes before it can answer.
    if (calls > 0)
      await session()
        .keep(calls)
        .catch(() => {});
    return Response.json(await session().kept());
  },
} satisfies ExportedHandler<KeptEnv>;
