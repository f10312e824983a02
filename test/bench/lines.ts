import { cpuMs, round2 } from "./load.ts";
import { median } from "./rounds.ts";
import { bundle, type Served, serve } from "./workerd.ts";

/** Callers who wait before one room while calls are placed into others. */
const WAITING = [0, 1_000, 5_000];
/** Placements of one round, one after the other. */
const TIMES = 200;

interface Timed {
  ms: number;
  /** CPU time of the whole workerd process for one placement, µs. */
  cpu_us: number;
}

/** What a placement takes while others wait for another room; by turns, so that what else the machine does falls on all alike. */
export async function measureLines(
  folder: string,
  given: () => Promise<Parameters<typeof serve>[3]>,
  rounds: number,
): Promise<object> {
  const script = await bundle(folder, "test/bench/lines-worker.ts");
  const lines: { waiting: number; served: Served; set_up_ms: number; timed: Timed[] }[] = [];
  for (const waiting of WAITING) {
    const served = await serve(folder, `lines-${waiting}`, script, await given());
    const begun = performance.now();
    const stand = Number(await get(served, `waiting=${waiting}`));
    if (stand !== waiting) throw new Error(`of ${waiting} callers ${stand} wait`);
    lines.push({ waiting, served, set_up_ms: performance.now() - begun, timed: [] });
    await place(served);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { served, timed } of round % 2 ? lines.toReversed() : lines) timed.push(await place(served));
  }
  for (const { served } of lines) served.stop();
  const [none] = lines;
  return {
    rounds,
    placements: rounds * TIMES,
    lines: lines.map(({ waiting, set_up_ms, timed }) => ({
      waiting,
      ms: median(timed.map(({ ms }) => ms)),
      cpu_us: Math.round(median(timed.map(({ cpu_us }) => cpu_us))),
      // Each round to the one beside it with nobody in line.
      ratio: median(timed.map(({ ms }, round) => ms / (none?.timed[round]?.ms ?? Number.NaN))),
      cpu_ratio: median(
        timed.map(({ cpu_us }, round) => cpu_us / (none?.timed[round]?.cpu_us ?? Number.NaN)),
      ),
      set_up_ms: round2(set_up_ms),
    })),
  };
}

async function place(served: Served): Promise<Timed> {
  const [cpu, begun] = [cpuMs(served.pid) ?? Number.NaN, performance.now()];
  await get(served, `times=${TIMES}&at_once=1`);
  const ms = (performance.now() - begun) / TIMES;
  return { ms, cpu_us: (((cpuMs(served.pid) ?? Number.NaN) - cpu) * 1000) / TIMES };
}

async function get({ url }: Served, query: string): Promise<string> {
  const response = await fetch(`${url}/?${query}`);
  const said = await response.text();
  if (!response.ok) throw new Error(`${query}: ${response.status} ${said}`);
  return said;
}
