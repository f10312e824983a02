import { project_id } from "./acme.ts";
import { LightLoad } from "./light-load.ts";
import { load, percentiles, round1, rssMib } from "./load.ts";
import type { StandIn } from "./stand-in.ts";
import type { Served } from "./workerd.ts";

/** A call every so many ms while the floods come. */
const EVERY_MS = 50;

/**
 * So many conference events in one burst, several times: until the last is acknowledged, what is on disk, how much memory workerd
 * takes after each, and how calls fare meanwhile. Throws where an event is lost.
 */
export async function measureFlood(
  served: Served,
  standIn: StandIn,
  { events, floods }: { events: number; floods: number },
): Promise<object> {
  // A few hundred calls, to whom the events happen.
  await load(served, 10);
  const before = await kept(served, standIn);
  const rss_mib = [rssMib(served.pid)];
  const calls = new LightLoad(served.url, EVERY_MS);
  const last_ack_ms: number[] = [];
  for (let flood = 0; flood < floods; flood += 1) {
    last_ack_ms.push(await standIn.flood(events));
    rss_mib.push(rssMib(served.pid));
  }
  const fared = await calls.stop();
  const after = await kept(served, standIn);
  const told = after.told - before.told;
  const recorded = after.rows - before.rows;
  if (recorded !== told) throw new Error(`of ${told} events ${recorded} were recorded`);
  const [p50_ms, max_ms] = [percentiles(last_ack_ms)[0], Math.max(...last_ack_ms)];
  return {
    events,
    floods,
    last_ack_ms: p50_ms,
    slowest_ms: round1(max_ms),
    per_s: Math.round(events / (p50_ms / 1000)),
    // Before the first, and after each.
    rss_mib,
    told,
    recorded,
    calls: fared,
  };
}

/** Events that were told and acknowledged, and those on disk. */
async function kept({ url }: Served, standIn: StandIn): Promise<{ told: number; rows: number }> {
  const { acks } = await standIn.settled();
  const response = await fetch(`${url}/${project_id}`);
  return { told: acks, rows: Number(await response.text()) };
}
