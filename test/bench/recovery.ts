import { setTimeout as pause } from "node:timers/promises";
import { LightLoad } from "./light-load.ts";
import { percentiles, round2 } from "./load.ts";
import type { StandIn } from "./stand-in.ts";
import type { Served } from "./workerd.ts";

/** A call every so many ms. */
const EVERY_MS = 50;
/** Between a recovery and the next cut: short, so that the back-off is met. */
const RESPITE_MS = 400;
/** A connection that lasted this long is tried again at once, as one that never failed. */
const STEADY_MS = 10_500;

/**
 * From a cut socket to the next accepted command, under calls that go on all the while: in a row, half of them with a join's
 * answer owed, and of a connection that had been steady. A call that gets no document is lost.
 */
export async function measureRecovery(
  { url }: Served,
  standIn: StandIn,
  { in_a_row, steady }: { in_a_row: number; steady: number },
): Promise<object> {
  const load = new LightLoad(url, EVERY_MS);
  const steady_ms: number[] = [];
  for (let cut = 0; cut < steady; cut += 1) {
    await pause(STEADY_MS);
    steady_ms.push(await standIn.cut("at once"));
  }
  const row_ms: number[] = [];
  for (let cut = 0; cut < in_a_row; cut += 1) {
    await pause(RESPITE_MS);
    row_ms.push(await standIn.cut(cut % 2 ? "on a join" : "at once"));
  }
  await pause(RESPITE_MS);
  const fared = await load.stop();
  await standIn.settled();
  return { in_a_row: figures(row_ms), after_steady: figures(steady_ms), every_ms: EVERY_MS, calls: fared };
}

function figures(times: readonly number[]): object | null {
  if (times.length === 0) return null;
  const [p50_ms, p99_ms] = percentiles(times);
  return { cuts: times.length, p50_ms, p99_ms, max_ms: round2(Math.max(...times)) };
}
