import { cpuMs, round2 } from "./load.ts";
import { median } from "./rounds.ts";
import type { StandIn } from "./stand-in.ts";
import type { Served } from "./workerd.ts";

/** Callers of one room. */
const PEOPLE = [250, 1_000];
/** Joins under way at once. */
const AT_ONCE = 32;

interface Timed {
  ms: number;
  /** CPU time of the whole workerd process for one join, µs. */
  cpu_us: number;
}

/** What a join takes while a room fills from nobody to so many, its seats counted or not; by turns, so that noise falls on all alike. */
export async function measureRooms(worker: Served, standIn: StandIn, rounds: number): Promise<object> {
  const fill = async (room: string, people: number, capacity: number | null): Promise<Timed> => {
    const [cpu, begun] = [cpuMs(worker.pid) ?? Number.NaN, performance.now()];
    const seats = capacity === null ? "" : `&capacity=${capacity}`;
    const response = await fetch(`${worker.url}/?times=${people}&at_once=${AT_ONCE}&room=${room}${seats}`);
    const said = await response.text();
    if (!response.ok) throw new Error(`not everybody came into the room: ${response.status} ${said}`);
    await standIn.settled();
    return {
      ms: (performance.now() - begun) / people,
      cpu_us: (((cpuMs(worker.pid) ?? Number.NaN) - cpu) * 1000) / people,
    };
  };
  await fill("first", 1_000, null);
  const rooms = [];
  for (const people of PEOPLE) {
    const timed = { counted: [] as Timed[], uncounted: [] as Timed[] };
    for (let round = 0; round < rounds; round += 1) {
      const both = ["counted", "uncounted"] as const;
      for (const kind of round % 2 ? both.toReversed() : both) {
        const capacity = kind === "counted" ? people : null;
        timed[kind].push(await fill(`${kind}-${people}-${round}`, people, capacity));
      }
    }
    const compared = (of: (counted: Timed, uncounted: Timed) => number) =>
      timed.counted.map((one, round) => of(one, timed.uncounted[round] ?? one));
    const added = compared((counted, uncounted) => counted.cpu_us - uncounted.cpu_us);
    rooms.push({
      people,
      cpu_us: Math.round(median(timed.uncounted.map(({ cpu_us }) => cpu_us))),
      cpu_us_with_capacity: Math.round(median(timed.counted.map(({ cpu_us }) => cpu_us))),
      added_cpu_us: Math.round(median(added)),
      added_cpu_us_rounds: added.map(Math.round),
      ratio: median(compared((counted, uncounted) => counted.ms / uncounted.ms)),
      ms: round2(median(timed.uncounted.map(({ ms }) => ms))),
    });
  }
  return { at_once: AT_ONCE, rounds, rooms };
}
