import { round1 } from "./load.ts";
import { median } from "./rounds.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";
import { bundle, type Served, serve } from "./workerd.ts";

/** Calls that are in rooms, and in how many. */
const LIVE = 50_000;
const ROOMS = 500;
const RUNS = 5;
/** An alarm, and what it set going, is watched for so long, ms. */
const WATCHED_MS = 5_000;

/**
 * The longest turn within the seconds after an alarm while thousands are in rooms: when all were confirmed, and after a start that put
 * all in doubt. Beside each run, an alarm with nobody in rooms, by turns: so much is the machine's.
 */
export async function measureLive(
  folder: string,
  given: (standIn: StandIn) => Promise<Parameters<typeof serve>[3]>,
): Promise<object> {
  const script = await bundle(folder, "test/bench/live-worker.ts");
  const standIn = { nobody: await startStandIn(), live: await startStandIn() };
  await standIn.live.settle(LIVE, ROOMS);
  const filled = await serve(folder, "live", script, await given(standIn.live));
  await get(filled, `live=${LIVE}&rooms=${ROOMS}`);
  await end(filled);
  /** In a process of its own: what was left in memory before would be cleared away in the midst of it. */
  const longest = async (live: number, areConfirmed: boolean): Promise<number> => {
    const name = live > 0 ? "live" : "nobody";
    const served = await serve(folder, name, script, await given(standIn[name]));
    await get(served, `confirmed=${areConfirmed ? 1 : 0}`);
    const session = (await get(served, "connect")) as { state: string; live: number };
    if (session.state !== "ready" || session.live !== live)
      throw new Error(`the session is not as it should be: ${JSON.stringify(session)}`);
    const ms = (await get(served, `within=${WATCHED_MS}`)) as number;
    await end(served);
    return ms;
  };
  const turns = { nobody: [] as number[], confirmed: [] as number[], in_doubt: [] as number[] };
  for (let run = 0; run < RUNS; run += 1) {
    turns.nobody.push(await longest(0, true));
    turns.confirmed.push(await longest(LIVE, true));
    turns.in_doubt.push(await longest(LIVE, false));
  }
  return {
    live: LIVE,
    rooms: ROOMS,
    longest_turn_ms: Object.fromEntries(Object.entries(turns).map(([what, each]) => [what, median(each)])),
    runs: Object.fromEntries(Object.entries(turns).map(([what, each]) => [what, each.map(round1)])),
  };
}

async function end(served: Served): Promise<void> {
  served.stop();
  await served.ended;
}

async function get({ url }: Served, query: string): Promise<unknown> {
  const response = await fetch(`${url}/?${query}`);
  const said = await response.text();
  if (!response.ok) throw new Error(`${query}: ${response.status} ${said}`);
  return JSON.parse(said);
}
