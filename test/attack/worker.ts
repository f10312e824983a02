import worker, { RelaySession as Session } from "../../functions/index.ts";
import { routes } from "../../functions/routes.ts";

/** As wrangler.toml sets up Cloudflare's limiter, which workerd alone does not have. */
const REFUSALS_A_MINUTE = 60;

/** Refusals by network, since the minute began. */
const refusals = { minute: 0, counts: new Map<string, number>() };
let kvWrites = 0;

/** Partyline's session, which shows all that it keeps. */
export class RelaySession extends Session {
  kept(): Record<string, unknown[]> {
    const { sql } = this.ctx.storage;
    const tables = sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    return Object.fromEntries(
      [...tables].map(({ name }) => [name, sql.exec(`SELECT * FROM ${name} ORDER BY 1, 2`).toArray()]),
    );
  }
}

/** KV that counts what is written to it, for nothing else lists it here. */
function counted(kv: KVNamespace): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      if (name === "put" || name === "delete") kvWrites += 1;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const limiter: RateLimit = {
  async limit({ key }) {
    const minute = Math.floor(Date.now() / 60_000);
    if (minute !== refusals.minute) {
      refusals.minute = minute;
      refusals.counts.clear();
    }
    const count = (refusals.counts.get(key) ?? 0) + 1;
    refusals.counts.set(key, count);
    return { success: count <= REFUSALS_A_MINUTE };
  },
};

/**
 * Partyline, and beside it what the attack looks at: `GET /attack/routes`, `GET /attack/kept/:project_id`, `GET /attack/kv-writes`, and
 * `PUT /attack/directory/:key`, which is no write of the Worker's own.
 */
export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const [, what, which] = /^\/attack\/(routes|kept|kv-writes|directory)(?:\/(.+))?$/.exec(pathname) ?? [];
    switch (what) {
      case "routes":
        return Response.json(routes.routes.map(({ method, path }) => ({ method, path })));
      case "kv-writes":
        return Response.json(kvWrites);
      case "directory":
        await env.DIRECTORY.put(which ?? "", await request.text());
        return new Response(null, { status: 204 });
      case "kept": {
        const id = env.RELAY_SESSION.idFromName(which ?? "");
        // The namespace's class is the one above, by the configuration that the attack serves it with.
        const session = env.RELAY_SESSION.get(id) as unknown as DurableObjectStub<RelaySession>;
        return Response.json(await session.kept());
      }
      default:
        return await worker.fetch(
          request,
          { ...env, DIRECTORY: counted(env.DIRECTORY), REFUSALS: limiter },
          ctx,
        );
    }
  },
} satisfies ExportedHandler<Env>;
