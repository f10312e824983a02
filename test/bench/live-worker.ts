import { RelaySession as Session } from "../../functions/index.ts";
import { findTenant } from "../../functions/tenants/directory.ts";
import { fill } from "../functions/session/filled.ts";

const HOUR_MS = 3_600_000;

/** Partyline's session, in whose rooms thousands of calls can be put, and whose turns are timed. */
export class RelaySession extends Session {
  /** Has so many calls in rooms. */
  async settle(live: number, rooms: number): Promise<void> {
    const { storage } = this.ctx;
    fill(storage, { calls: 0, live, rooms, now: Date.now() });
    // They came long ago, so their rooms are due to be checked; and nothing else falls due meanwhile.
    storage.sql.exec(`
      UPDATE placements SET created_at = created_at - ${HOUR_MS}, joined_ts = joined_ts - ${HOUR_MS / 1_000};
      UPDATE kept_seats SET room = NULL, until = NULL, claimed_by = NULL, claimed_until = NULL;
      UPDATE errands SET due_at = due_at + ${24 * HOUR_MS};`);
    await storage.sync();
  }

  /** Vanishes: the next one finds all calls confirmed since, or each in doubt. */
  async restart(confirmed: boolean): Promise<void> {
    const { storage } = this.ctx;
    storage.sql.exec("UPDATE placements SET verified_at = ?", Date.now() + (confirmed ? HOUR_MS : -HOUR_MS));
    storage.sql.exec("DELETE FROM errands WHERE kind = 'verify'");
    storage.sql.exec("UPDATE room_checks SET due_at = NULL, not_before = 0, checked_at = 0");
    await storage.deleteAlarm();
    await storage.sync();
    this.ctx.abort("another takes over");
  }

  /** The longest time for which nothing else could run, ms, within so long from an alarm that comes now. */
  async longestTurn(within_ms: number): Promise<number> {
    const until = performance.now() + within_ms;
    const beat = this.alarm();
    let longest = 0;
    for (let before = performance.now(); before < until; ) {
      await scheduler.wait(1);
      const now = performance.now();
      longest = Math.max(longest, now - before - 1);
      before = now;
    }
    await beat;
    return longest;
  }
}

interface LiveEnv extends Omit<Env, "RELAY_SESSION"> {
  RELAY_SESSION: DurableObjectNamespace<RelaySession>;
}

/** `?live=&rooms=` fills, `?confirmed=` restarts, `?connect` connects and says how many are in rooms, `?within=` times an alarm. */
export default {
  async fetch(request, env, ctx) {
    const { searchParams } = new URL(request.url);
    const asked = (name: string) => Number(searchParams.get(name));
    const tenant = await findTenant(env, "acme", (work) => ctx.waitUntil(work));
    if (!tenant) throw new Error("the bench has no tenant");
    const { project_id, version } = tenant.project;
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(project_id));
    if (searchParams.has("live")) {
      await session.settle(asked("live"), asked("rooms"));
      return Response.json(null);
    }
    // It vanishes before it can answer.
    if (searchParams.has("confirmed"))
      return Response.json(await session.restart(asked("confirmed") === 1).catch(() => null));
    if (searchParams.has("connect")) {
      using status = await session.check(project_id, version, 5_000);
      return Response.json({ state: status.state, live: status.live_placements });
    }
    return Response.json(await session.longestTurn(asked("within")));
  },
} satisfies ExportedHandler<LiveEnv>;
