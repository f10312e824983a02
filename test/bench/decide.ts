import { loadavg } from "node:os";
import type { Dated } from "./decide-worker.ts";
import { cpuMs, percentiles, round2, rssMib } from "./load.ts";
import { callFor, type Kind, kinds, rulesetOf } from "./rulesets.ts";
import { bundle, type Served, serve } from "./workerd.ts";

/** Calls that are decided in turn: enough that no rule stays at hand. */
const CALLS = 5_000;
/** One request works for so long at least, which is long beside what HTTP takes, unless it does so often what it does. */
const SAMPLE_MS = 15;
const MOST = 4_096;

/**
 * What decide() and the compiling of a ruleset take in workerd, whose clocks stand still while code runs. So the time is
 * taken outside: a request that does it 2n times less one that does it n times is n times alone, HTTP and all else taken
 * out. Each sample is such a pair, so p50 and p99 are of means over n, not of single runs. Every ruleset has a process of
 * its own, whose memory before and after it was first compiled is told, garbage included.
 */
export async function measureDeciding(
  folder: string,
  samples: number,
  print: (figures: object) => void,
): Promise<void> {
  const script = await bundle(folder, "test/bench/decide-worker.ts");
  for (const kind of kinds) {
    for (const rules of [10, 1_000, 10_000]) {
      const served = await serve(folder, `decide-${kind}-${rules}`, script, {});
      print(await measure(served, kind, rules, samples));
      served.stop();
    }
  }
}

async function measure(served: Served, kind: Kind, rules: number, samples: number): Promise<object> {
  const source = JSON.stringify(rulesetOf(kind, rules));
  // A stride that meets every rule before any twice, far from the order written.
  const taken = Array.from({ length: CALLS }, (_, index) => dated(kind, (index * 7_919) % rules));
  await post(served, "ready");
  const before = rssMib(served.pid);
  const begun = performance.now();
  await post(served, "load", JSON.stringify({ source, taken, stray: dated(kind, rules) }));
  const first_compile_ms = performance.now() - begun;
  const after = rssMib(served.pid);
  const [p50_us, p99_us, per_sample] = await timesOf(served, "taken", samples, 10, (count, n) => count === n);
  const [no_rule_p50_us] = await timesOf(served, "stray", Math.ceil(samples / 2), 5, (count) => count === 0);
  const compiles = Math.max(3, Math.ceil(samples / 20));
  const [compile_us] = await timesOf(served, "compile", compiles, 2, (count, n) => count === n * rules);
  const compile_cpu_ms = await cpuOfCompiling(served, Math.max(3, Math.ceil(10_000 / rules)));
  return {
    led_by: kind,
    rules,
    p50_us,
    p99_us,
    per_sample,
    samples,
    no_rule_p50_us,
    compile_ms: round2(compile_us / 1000),
    // As compile_ms, but of CPU time, the collecting of garbage beside it included: what else the machine does weighs less on it.
    compile_cpu_ms,
    first_compile_ms: Math.round(first_compile_ms),
    ruleset_kib: Math.round(source.length / 1024),
    workerd_mib: [before, after],
    machine_load: round2(loadavg()[0] ?? Number.NaN),
  };
}

/** Median and 99th percentile of what one takes, µs, over so many pairs, and how often each of a pair did it. */
async function timesOf(
  served: Served,
  what: string,
  pairs: number,
  warmUps: number,
  isRight: (count: number, times: number) => boolean,
): Promise<[p50_us: number, p99_us: number, n: number]> {
  const timed = async (times: number): Promise<number> => {
    const begun = performance.now();
    const count = await post(served, `${what}?times=${times}`);
    const took = performance.now() - begun;
    if (!isRight(count, times)) throw new Error(`${what}: ${count} of ${times} found a rule`);
    return took;
  };
  // V8 takes a while to be done with code that is new; how much one request can do is found on the way.
  let n = 1;
  for (let ran = 0, took = 0; ran < warmUps || (took < SAMPLE_MS && n < MOST); ran++) {
    if (ran > 0 && took < SAMPLE_MS) n = Math.min(MOST, 4 * n);
    took = await timed(n);
  }
  const found: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const [once, twice] = [await timed(n), await timed(2 * n)];
    found.push(((twice - once) / n) * 1_000);
  }
  return [...percentiles(found), n];
}

async function cpuOfCompiling(served: Served, times: number): Promise<number | null> {
  const before = cpuMs(served.pid);
  await post(served, `compile?times=${times}`);
  const after = cpuMs(served.pid);
  return before === null || after === null ? null : round2((after - before) / times);
}

async function post({ url }: Served, what: string, body?: string): Promise<number> {
  const response = await fetch(`${url}/${what}`, { method: "POST", ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${what}: ${response.status} ${text}`);
  return Number(text);
}

function dated(kind: Kind, index: number): Dated {
  const { to, at_ms } = callFor(kind, index);
  return {
    at_ms,
    call: {
      via: "swml",
      call_id: "c2d3e4f5-a6b7-4901-8def-234567890abc",
      direction: "inbound",
      type: "phone",
      from: "+15550100001",
      to,
      headers: {},
      vars: {},
      params: {},
      details: {},
    },
  };
}
