import { number, ruleset } from "./acme.ts";
import { percentiles, round2 } from "./load.ts";
import type { Served } from "./workerd.ts";

/** Calls that are decided in turn: enough that no rule stays at hand. */
const CALLS = 5_000;

/**
 * What decide() and the compiling of a ruleset take in workerd, whose clocks stand still while code runs. So the time is
 * taken outside: a request that does it 2n times less one that does it n times is n times alone, HTTP and all else taken
 * out. Each sample is such a pair, so p50 and p99 are of means over n, not of single runs.
 */
export async function measureDecide(served: Served, rules: number, pairs: number): Promise<object> {
  const source = JSON.stringify(ruleset(rules));
  // A stride that meets every rule before any twice, far from the order written.
  const calls = Array.from({ length: CALLS }, (_, index) => call(number((index * 7919) % rules)));
  await post(`${served.url}/load`, JSON.stringify({ source, calls }));
  const decide_n = 2_000;
  const decide_us = await differences(served, "decide", decide_n, pairs, (count, times) => {
    if (count !== times) throw new Error(`decide() found a rule for ${count} of ${times} calls`);
  });
  const compile_n = Math.max(1, Math.round(2_000 / rules));
  const compile_us = await differences(served, "compile", compile_n, Math.ceil(pairs / 5), () => {});
  const [p50_us, p99_us] = percentiles(decide_us);
  return {
    rules,
    p50_us,
    p99_us,
    per_sample: decide_n,
    samples: pairs,
    compile_ms: round2(percentiles(compile_us)[0] / 1000),
    ruleset_kib: Math.round(source.length / 1024),
  };
}

/** µs for one, of each pair. */
async function differences(
  { url }: Served,
  what: string,
  n: number,
  pairs: number,
  check: (count: number, times: number) => void,
): Promise<number[]> {
  const timed = async (times: number): Promise<number> => {
    const begun = performance.now();
    const count = await post(`${url}/${what}?times=${times}`);
    const took = performance.now() - begun;
    check(count, times);
    return took;
  };
  // The compiler of V8 takes a while to be done with code that is new.
  for (let i = 0; i < 10; i++) await timed(n);
  const found: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const [once, twice] = [await timed(n), await timed(2 * n)];
    found.push(((twice - once) / n) * 1000);
  }
  return found;
}

async function post(url: string, body?: string): Promise<number> {
  const response = await fetch(url, { method: "POST", ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return Number(text);
}

function call(to: string): object {
  return {
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
  };
}
