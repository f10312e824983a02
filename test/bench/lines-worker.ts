import { RelaySession as Session } from "../../functions/index.ts";
import type { PlaceRequest } from "../../functions/session/contract/placement.ts";
import { findTenant } from "../../functions/tenants/directory.ts";
import type { Tenant } from "../../functions/tenants/tenant.ts";
import placing, { placement } from "./placing-worker.ts";

/** Partyline's session, in whose storage a line of any length can be put. */
export class RelaySession extends Session {
  /** Puts so many copies of the one waiter behind it, and vanishes: the next one reads them as after any restart. */
  async lengthen(copies: number): Promise<void> {
    const { sql } = this.ctx.storage;
    const columns = sql
      .exec<{ name: string }>(
        "SELECT name FROM pragma_table_info('placements') WHERE name NOT IN ('seq', 'call_id')",
      )
      .toArray()
      .map(({ name }) => `"${name}"`)
      .join(", ");
    sql.exec(
      `INSERT INTO placements (call_id, ${columns})
       WITH RECURSIVE copies (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?)
       SELECT call_id || '-' || n, ${columns} FROM copies, placements WHERE state = 'waiting' ORDER BY n`,
      copies,
    );
    // Its join may not have been heard of yet, and the event will be lost: then a seat would be free.
    sql.exec("UPDATE placements SET state = 'joined' WHERE state = 'accepted'");
    await this.ctx.storage.sync();
    this.ctx.abort("the line is longer now");
  }

  waiting(): number {
    return this.ctx.storage.sql
      .exec<{ waiting: number }>("SELECT COUNT(*) AS waiting FROM placements WHERE state = 'waiting'")
      .one().waiting;
  }
}

interface LinesEnv extends Omit<Env, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
}

/** `?waiting=` has so many wait before one room, and says how many do; anything else places calls into other rooms. */
export default {
  async fetch(request, env, ctx) {
    const waiting = new URL(request.url).searchParams.get("waiting");
    if (waiting === null) return await placing.fetch(request, env, ctx);
    const tenant = await findTenant(env, "acme", (work) => ctx.waitUntil(work));
    if (!tenant) throw new Error("the bench has no tenant");
    const id = env.RELAY_SESSION.idFromName(tenant.project.project_id);
    await env.RELAY_SESSION.get(id).place(beforeDesk(tenant, 1));
    if (Number(waiting) > 0) await env.RELAY_SESSION.get(id).place(beforeDesk(tenant, 2));
    // It vanishes before it can answer.
    if (Number(waiting) > 1)
      await env.RELAY_SESSION.get(id)
        .lengthen(Number(waiting) - 1)
        .catch(() => {});
    return Response.json(await env.RELAY_SESSION.get(id).waiting());
  },
} satisfies ExportedHandler<LinesEnv>;

/** A call for a room of one seat, which the first has. */
function beforeDesk(tenant: Tenant, index: number): PlaceRequest {
  return {
    ...placement(tenant, index),
    rooms: ["acme:desk"],
    capacity: 1,
    wait: { for: ["seat"], max_s: 7_200, otherwise: { action: "reject" } },
  };
}
