import { BareClient } from "./bare-client.ts";
import { cpuMs, round1, round2 } from "./load.ts";
import { median } from "./rounds.ts";
import type { StandIn } from "./stand-in.ts";
import type { Served } from "./workerd.ts";

/** Commands under way at once. */
const AT_ONCE = 64;

interface Timed {
  per_s: number;
  /** CPU time of the whole workerd process for one command, µs. */
  cpu_us: number;
}

/**
 * Commands a second through one session, beside the smallest Durable Object that sends the same frames with one ledger write
 * for each, and a client in Node that writes nothing; by turns, so that what else the machine does falls on all alike.
 */
export async function measureCommands(
  workers: { partyline: Served; floor: Served },
  standIn: StandIn,
  { rounds, round_s }: { rounds: number; round_s: number },
): Promise<object> {
  const client = await BareClient.open(standIn.relay_url);
  const runs = {
    floor: (times: number) => throughWorker(workers.floor, times),
    partyline: (times: number) => throughWorker(workers.partyline, times),
    bare_ws: (times: number) => timed(process.pid, times, () => client.joins(times, AT_ONCE)),
  };
  const names = ["floor", "partyline", "bare_ws"] as const;
  const measured = { floor: [] as Timed[], partyline: [] as Timed[], bare_ws: [] as Timed[] };
  const times = { floor: 0, partyline: 0, bare_ws: 0 };
  for (const name of names) {
    // The first connects and warms up; how fast the second goes says how many make a round.
    await runs[name](2_000);
    times[name] = Math.ceil((await runs[name](2_000)).per_s * round_s);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 ? names.toReversed() : names)
      measured[name].push(await runs[name](times[name]));
  }
  client.close();
  const { joins } = await standIn.settled();
  const { floor, partyline, bare_ws } = measured;
  const ratios = ratiosOf(partyline, floor, ({ per_s }) => per_s);
  const typical = (of: Timed[]) => ({
    per_s: round1(median(of.map(({ per_s }) => per_s))),
    cpu_us: Math.round(median(of.map(({ cpu_us }) => cpu_us))),
  });
  return {
    at_once: AT_ONCE,
    ratio: median(ratios),
    ratios: ratios.map(round2),
    // Of CPU time, the other way round: what else the machine does weighs less on it.
    cpu_ratio: median(ratiosOf(floor, partyline, ({ cpu_us }) => cpu_us)),
    ratio_to_bare_ws: median(ratiosOf(partyline, bare_ws, ({ per_s }) => per_s)),
    partyline: typical(partyline),
    floor: typical(floor),
    bare_ws: typical(bare_ws),
    commands: joins,
  };
}

function ratiosOf(one: Timed[], other: Timed[], of: (timed: Timed) => number): number[] {
  return one.map((timed, round) => of(timed) / of(other[round] ?? timed));
}

async function throughWorker({ url, pid }: Served, times: number): Promise<Timed> {
  return await timed(pid, times, async () => {
    const response = await fetch(`${url}/?times=${times}&at_once=${AT_ONCE}`);
    const said = await response.text();
    if (!response.ok) throw new Error(`not every command was accepted: ${response.status} ${said}`);
  });
}

async function timed(pid: number, times: number, run: () => Promise<void>): Promise<Timed> {
  const [cpu, begun] = [cpuMs(pid) ?? Number.NaN, performance.now()];
  await run();
  const took_s = (performance.now() - begun) / 1000;
  return { per_s: times / took_s, cpu_us: (((cpuMs(pid) ?? Number.NaN) - cpu) * 1000) / times };
}
