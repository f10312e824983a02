import { project_id } from "./acme.ts";
import { CONNECTIONS, load, round2 } from "./load.ts";
import { median, Rounds } from "./rounds.ts";
import { bundle, type Served, serve } from "./workerd.ts";

/** Calls that are over and kept, each with a row of every kind. */
const KEPT = { none: 0, kept_10000: 10_000, kept_200000: 200_000 };
type Name = keyof typeof KEPT;

/** What a webhook takes of CPU time while so much is kept; by turns, so that what else the machine does falls on all alike. */
export async function measureKept(
  folder: string,
  given: () => Promise<Parameters<typeof serve>[3]>,
  size: { rounds: number; round_s: number; warm_up: number },
  told: (figures: object) => void,
): Promise<object> {
  const script = await bundle(folder, "test/bench/kept-worker.ts");
  const set_up = async (calls: number, name: string): Promise<Served> => {
    const served = await serve(folder, name, script, await given());
    const response = await fetch(`${served.url}/${project_id}?calls=${calls}`);
    const said = await response.text();
    if (Number(said) !== calls) throw new Error(`of ${calls} calls ${response.status} ${said} are kept`);
    return served;
  };
  const served: Record<Name, Served> = {
    none: await set_up(KEPT.none, "none"),
    kept_10000: await set_up(KEPT.kept_10000, "kept_10000"),
    kept_200000: await set_up(KEPT.kept_200000, "kept_200000"),
  };
  const rounds = new Rounds<Name>({
    none: (requests) => load(served.none, requests),
    kept_10000: (requests) => load(served.kept_10000, requests),
    kept_200000: (requests) => load(served.kept_200000, requests),
  });
  await rounds.warmUp(size.warm_up, size.round_s);
  await rounds.run(size.rounds, told);
  for (const each of Object.values(served)) each.stop();
  const cpu_ratios = (name: Name) =>
    rounds.compare(
      name,
      "none",
      (kept, none) => (kept.workerd_cpu_us ?? Number.NaN) / (none.workerd_cpu_us ?? Number.NaN),
    );
  return {
    connections: CONNECTIONS,
    rounds: size.rounds,
    kept: Object.entries(KEPT).map(([name, calls]) => ({
      calls,
      cpu_ratio: median(cpu_ratios(name as Name)), // A key of exactly this record.
      cpu_ratios: cpu_ratios(name as Name).map(round2),
    })),
    ...rounds.typical(),
  };
}
