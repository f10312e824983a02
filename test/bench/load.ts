import { readdirSync, readFileSync } from "node:fs";
import autocannon from "autocannon";
import { webhook } from "./acme.ts";
import type { Served } from "./workerd.ts";

export const CONNECTIONS = 32;
/** The document of a call that RELAY has joined: it answers, and stays out of the way. */
export const ACCEPTED = '[{"answer":{}},{"sleep":-1}]';

export interface Round {
  requests: number;
  /** Requests a second. */
  per_s: number;
  p50_ms: number;
  p99_ms: number;
  /** CPU time of the whole workerd process for one request, µs; null where the system does not tell. */
  workerd_cpu_us: number | null;
}

/** So many webhooks or a few more, over so many connections, each of a call of its own. Throws unless all are accepted. */
export async function load({ url, pid }: Served, wanted: number, connections = CONNECTIONS): Promise<Round> {
  const each = Math.ceil(wanted / connections);
  const amount = each * connections;
  const times: number[] = [];
  let wrong: string | undefined;
  const cpuBefore = cpuMs(pid);
  const running = autocannon({
    url,
    connections,
    amount,
    sampleInt: 50,
    timeout: 10,
    setupClient: (client) => client.setRequests(Array.from({ length: each }, (_, index) => webhook(index))),
    verifyBody: (body) => {
      const isAccepted = body.includes(ACCEPTED);
      if (!isAccepted) wrong ??= body;
      return isAccepted;
    },
  });
  // All requests are prepared by now, and none has been sent: that is for the next turn.
  const begun = performance.now();
  let ended = begun;
  running.on("response", (_client, _status, _bytes, ms) => {
    times.push(ms);
    ended = performance.now();
  });
  const result = await running;
  const cpuAfter = cpuMs(pid);
  if (result["2xx"] !== amount || wrong !== undefined || result.errors > 0 || result.mismatches > 0) {
    const { errors, timeouts, non2xx, mismatches } = result;
    const counts = JSON.stringify({ asked: amount, ok: result["2xx"], non2xx, errors, timeouts, mismatches });
    throw new Error(`not every webhook was accepted: ${counts} ${wrong ?? ""}`);
  }
  const [p50_ms, p99_ms] = percentiles(times);
  return {
    requests: amount,
    per_s: round1(amount / ((ended - begun) / 1000)),
    p50_ms,
    p99_ms,
    workerd_cpu_us:
      cpuBefore === null || cpuAfter === null ? null : Math.round(((cpuAfter - cpuBefore) * 1000) / amount),
  };
}

/** The median and the 99th percentile. */
export function percentiles(values: readonly number[]): [p50: number, p99: number] {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => round2(sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN);
  return [at(0.5), at(0.99)];
}

/** CPU time of a process so far, to the nanosecond, as Linux counts it for each thread; null where the system does not tell. */
export function cpuMs(pid: number): number | null {
  try {
    const ns = readdirSync(`/proc/${pid}/task`).map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    return ns.reduce((sum, each) => sum + each, 0) / 1e6;
  } catch {
    return null;
  }
}

/** What a process has in memory; null where the system does not tell. */
export function rssMib(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 1024);
  } catch {
    return null;
  }
}

export const round1 = (value: number): number => Math.round(value * 10) / 10;
export const round2 = (value: number): number => Math.round(value * 100) / 100;
