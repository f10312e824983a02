import worker, { RelaySession as Session } from "../../functions/index.ts";
import { wakeSession } from "../../functions/scheduled.ts";

/** What Cloudflare charges for, since it was asked last. */
export interface Costs {
  webhooks: number;
  /** Of the session, by Workers. */
  object_requests: number;
  alarms: number;
  /** An alarm that is set is a row, too. */
  rows_written: number;
  rows_read: number;
  kv_reads: number;
}

interface CostsEnv extends Omit<Env, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
  /** How many times as fast as the wall's clock the Worker's runs. */
  SPEED: string;
}

const none = { webhooks: 0, object_requests: 0, alarms: 0, rows_written: 0, rows_read: 0, kv_reads: 0 };
let costs: Costs = { ...none };
let cursors: { rowsRead: number; rowsWritten: number }[] = [];
const counted = new WeakSet<object>();

/** Partyline's session, all that it does for money counted. */
export class RelaySession extends Session {
  constructor(ctx: DurableObjectState, env: CostsEnv) {
    const { storage } = ctx;
    hasten(Number(env.SPEED));
    countKv(env.DIRECTORY);
    const exec = storage.sql.exec.bind(storage.sql);
    storage.sql.exec = (text, ...bindings) => {
      const cursor = exec(text, ...bindings);
      cursors.push(cursor);
      return cursor as never; // Of whichever rows were asked for.
    };
    const setAlarm = storage.setAlarm.bind(storage);
    storage.setAlarm = (at) => {
      costs.rows_written += 1;
      return setAlarm(clock.wall(Number(at)));
    };
    super(ctx, env as unknown as Env); // Its namespace's class is this one.
  }

  override async alarm(): Promise<void> {
    costs.alarms += 1;
    await super.alarm();
  }

  bytes(): number {
    return this.ctx.storage.sql.databaseSize;
  }
}

const clock = { wall: (at: number) => at };

/** Has the Worker's clock and timers run so many times as fast, once. */
function hasten(speed: number): void {
  if (speed === 1 || counted.has(clock)) return;
  counted.add(clock);
  const [now, later] = [Date.now, setTimeout];
  const begun = now();
  Date.now = () => begun + (now() - begun) * speed;
  globalThis.setTimeout = ((run: () => void, ms = 0) => later(run, ms / speed)) as typeof setTimeout; // As ours use it.
  clock.wall = (at) => begun + (at - begun) / speed;
}

function countKv(directory: KVNamespace): void {
  if (counted.has(directory)) return;
  counted.add(directory);
  const get = directory.get.bind(directory) as (...asked: unknown[]) => Promise<unknown>; // In any of its forms.
  Object.assign(directory, {
    get: (key: string | string[], ...more: unknown[]) => {
      costs.kv_reads += typeof key === "string" ? 1 : key.length;
      return get(key, ...more);
    },
  });
}

/** The namespace, each request to an object of it counted. */
function counting(sessions: Env["RELAY_SESSION"]): Env["RELAY_SESSION"] {
  const stub = (of: ReturnType<typeof sessions.get>) =>
    new Proxy(of, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== "function") return method;
        return (...given: unknown[]) => {
          costs.object_requests += 1;
          // What an RPC method has by the name of `apply` is another method.
          return Reflect.apply(method, target, given) as unknown;
        };
      },
    });
  return {
    idFromName: (name: string) => sessions.idFromName(name),
    get: (...asked: Parameters<typeof sessions.get>) => stub(sessions.get(...asked)),
  } as Env["RELAY_SESSION"]; // What ours use of it.
}

/**
 * `PUT /bench/directory/<key>` puts a record, `POST /bench/<project_id>/<wake|check>` has a session come up, `GET /bench/<project_id>`
 * takes what was counted; anything else is Partyline's.
 */
export default {
  async fetch(request, env, ctx) {
    countKv(env.DIRECTORY);
    const partyline = {
      ...env,
      RELAY_SESSION: counting(env.RELAY_SESSION as unknown as Env["RELAY_SESSION"]),
    };
    const { pathname } = new URL(request.url);
    const [, asked] = /^\/bench\/(.+)$/.exec(pathname) ?? [];
    if (asked === undefined) {
      costs.webhooks += 1;
      return await worker.fetch(request, partyline, ctx);
    }
    const [, key] = /^directory\/(.+)$/.exec(asked) ?? [];
    if (key !== undefined) {
      await env.DIRECTORY.put(key, await request.text());
      return Response.json(null);
    }
    const [project_id = "", deed] = asked.split("/");
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(project_id));
    if (deed === "wake") await wakeSession(partyline, project_id);
    if (deed === "check") await session.check(project_id, "bench", 5_000);
    using status = await session.status();
    const { state, live_placements, contexts } = status;
    const rows = cursors;
    cursors = [];
    const taken = costs;
    costs = { ...none };
    for (const { rowsRead, rowsWritten } of rows) {
      taken.rows_read += rowsRead;
      taken.rows_written += rowsWritten;
    }
    return Response.json({
      ...taken,
      state,
      live: live_placements,
      contexts: contexts.length,
      bytes: await session.bytes(),
    });
  },
} satisfies ExportedHandler<CostsEnv>;
