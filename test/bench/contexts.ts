import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { honestBindings, project_id } from "./acme.ts";
import { child } from "./children.ts";
import { cpuMs, load, percentiles, type Round, round1, round2 } from "./load.ts";
import { median, Rounds } from "./rounds.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";
import { byCpu, cpu, relayUrl } from "./webhook-to-accepted.ts";
import { CONTEXT } from "./wire.ts";
import { bundle, type Served, serve } from "./workerd.ts";

/** Calls on the context that are under way at once, as SignalWire's client is measured beside us. */
const AT_ONCE = 32;

type Given = (standIn: StandIn, contexts: Record<string, string>) => Promise<Parameters<typeof serve>[3]>;
type Size = { rounds: number; round_s: number; warm_up: number };

/** One call, then the next: by webhook and by a context, beside the honest floor. */
export async function measureOneAtATime(
  folder: string,
  given: Given,
  size: Size,
  told: (figures: object) => void,
): Promise<object> {
  const honest = await honestFloor(folder);
  const ours = await partyline(folder, given);
  const rounds = new Rounds({
    honest_swml: (requests) => load(honest.served, requests, 1),
    swml: (requests) => load(ours.served, requests, 1),
    honest_context: (calls) => offer(honest.served.pid, honest.standIn, calls, 1),
    context: (calls) => offer(ours.served.pid, ours.standIn, calls, 1),
  });
  await rounds.warmUp(size.warm_up, size.round_s);
  await rounds.run(size.rounds, told);
  for (const { served } of [honest, ours]) served.stop();
  const p50 = (one: Round, other: Round) => one.p50_ms / other.p50_ms;
  return {
    swml: {
      p50_to_honest: median(rounds.compare("swml", "honest_swml", p50)),
      honest_cpu_ratio: median(rounds.compare("swml", "honest_swml", byCpu)),
    },
    context: {
      p50_to_honest: median(rounds.compare("context", "honest_context", p50)),
      honest_cpu_ratio: median(rounds.compare("context", "honest_context", byCpu)),
    },
    rounds: rounds.typical(),
  };
}

/** The same calls on a context by the honest floor, by us, and by SignalWire's published client, which keeps nothing. */
export async function measureSdk(
  folder: string,
  given: Given,
  size: Size,
  told: (figures: object) => void,
): Promise<object> {
  const honest = await honestFloor(folder);
  const ours = await partyline(folder, given);
  const sdk = await startStandIn();
  const client = child(fork(join(import.meta.dirname, "sdk-client.ts"), [sdk.relay_url, project_id]));
  await once(client, "message");
  const { pid = 0 } = client;
  const rounds = new Rounds({
    sdk: (calls) => offer(pid, sdk, calls, AT_ONCE),
    honest_floor: (calls) => offer(honest.served.pid, honest.standIn, calls, AT_ONCE),
    partyline: (calls) => offer(ours.served.pid, ours.standIn, calls, AT_ONCE),
  });
  await rounds.warmUp(size.warm_up, size.round_s);
  await rounds.run(size.rounds, told);
  client.disconnect();
  for (const { served } of [honest, ours]) served.stop();
  const to_sdk = rounds.compare("partyline", "sdk", (ours, theirs) => cpu(ours) / cpu(theirs));
  return {
    at_once: AT_ONCE,
    cpu_to_sdk: median(to_sdk),
    cpu_to_sdk_rounds: to_sdk.map(round2),
    honest_floor_cpu_to_sdk: median(
      rounds.compare("honest_floor", "sdk", (floor, theirs) => cpu(floor) / cpu(theirs)),
    ),
    honest_cpu_ratio: median(rounds.compare("partyline", "honest_floor", byCpu)),
    ...rounds.typical(),
  };
}

interface WithRelay {
  served: Served;
  standIn: StandIn;
}

async function honestFloor(folder: string): Promise<WithRelay> {
  const standIn = await startStandIn();
  const script = await bundle(folder, "test/bench/honest-floor-worker.ts");
  const text = { ...honestBindings, ...relayUrl(standIn) };
  return await connected(await serve(folder, "honest-contexts", script, { text }), standIn);
}

async function partyline(folder: string, given: Given): Promise<WithRelay> {
  const standIn = await startStandIn();
  const script = await bundle(folder, "functions/index.ts");
  const settings = await given(standIn, { [CONTEXT]: "acme" });
  return await connected(await serve(folder, "contexts", script, settings), standIn);
}

/** A webhook brings the session up, and it takes the calls of its context from then on. */
async function connected(served: Served, standIn: StandIn): Promise<WithRelay> {
  await load(served, 1, 1);
  await standIn.settled();
  return { served, standIn };
}

/** From the offer of each call to its join; what follows, up to its end, is not counted. */
async function offer(pid: number, standIn: StandIn, calls: number, at_once: number): Promise<Round> {
  const before = cpuMs(pid);
  const { took_ms, joined_ms } = await standIn.offer(calls, at_once);
  const after = cpuMs(pid);
  await standIn.endOffered();
  const [p50_ms, p99_ms] = percentiles(joined_ms);
  return {
    requests: calls,
    per_s: round1(calls / (took_ms / 1000)),
    p50_ms,
    p99_ms,
    workerd_cpu_us: before === null || after === null ? null : Math.round(((after - before) * 1000) / calls),
  };
}
