import { honestBindings } from "./acme.ts";
import { cpuMs, load, round1 } from "./load.ts";
import { median } from "./rounds.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";
import { relayUrl } from "./webhook-to-accepted.ts";
import { bundle, serve } from "./workerd.ts";

interface Start {
  /** CPU time of the process until it listens, its script read by then. */
  listening_cpu_ms: number;
  /** Its first webhook, its connection to RELAY and its tables included. */
  first_ms: number;
  first_cpu_ms: number;
}

/** How a Worker starts before its first request, beside the two floors; by turns. */
export async function measureStart(
  folder: string,
  given: (standIn: StandIn) => Promise<Parameters<typeof serve>[3]>,
  starts: number,
): Promise<object> {
  const standIn = await startStandIn();
  const workers = {
    floor: {
      script: await bundle(folder, "test/bench/floor-worker.ts"),
      settings: { text: relayUrl(standIn) },
    },
    honest_floor: {
      script: await bundle(folder, "test/bench/honest-floor-worker.ts"),
      settings: { text: { ...honestBindings, ...relayUrl(standIn) } },
    },
    partyline: { script: await bundle(folder, "functions/index.ts"), settings: await given(standIn) },
  };
  const seen = { floor: [] as Start[], honest_floor: [] as Start[], partyline: [] as Start[] };
  const names = ["floor", "honest_floor", "partyline"] as const;
  for (let number = 0; number < starts; number += 1) {
    for (const name of number % 2 ? names.toReversed() : names) {
      const { script, settings } = workers[name];
      const served = await serve(folder, `start-${name}-${number}`, script, settings);
      const listening_cpu_ms = cpuMs(served.pid) ?? Number.NaN;
      const first = await load(served, 1, 1);
      seen[name].push({
        listening_cpu_ms,
        first_ms: first.p50_ms,
        first_cpu_ms: (first.workerd_cpu_us ?? Number.NaN) / 1000,
      });
      served.stop();
      await served.ended;
    }
  }
  const typical = (of: Start[]) => ({
    listening_cpu_ms: round1(median(of.map((one) => one.listening_cpu_ms))),
    first_ms: round1(median(of.map((one) => one.first_ms))),
    first_cpu_ms: round1(median(of.map((one) => one.first_cpu_ms))),
  });
  return {
    starts,
    floor: typical(seen.floor),
    honest_floor: typical(seen.honest_floor),
    partyline: typical(seen.partyline),
  };
}
