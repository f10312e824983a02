import { honestBindings } from "./acme.ts";
import { CONNECTIONS, load, type Round, round2 } from "./load.ts";
import { recordPlacement } from "./recorded.ts";
import { median, Rounds } from "./rounds.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";
import { bundle, serve } from "./workerd.ts";

/**
 * Webhooks to Partyline, with its log lines and without, and to three floors: one that keeps nothing, one with Partyline's own SQL,
 * and the honest one, which keeps what Partyline promises; by turns, so that what else the machine does falls on all alike.
 */
export async function measureWebhooks(
  folder: string,
  given: (standIn: StandIn) => Promise<Parameters<typeof serve>[3]>,
  size: { rounds: number; round_s: number; warm_up: number },
  told: (figures: object) => void,
): Promise<object> {
  // Each Worker has a RELAY of its own: in one that they shared, another's calls would be strangers in its rooms.
  const standIn = {
    recorder: await startStandIn(),
    floor: await startStandIn(),
    honest: await startStandIn(),
    partyline: await startStandIn(),
    quiet: await startStandIn(),
    storage: await startStandIn(),
  };
  const [ours, quiet, recording, floor, honest, floorStorage] = await Promise.all([
    bundle(folder, "functions/index.ts"),
    bundle(folder, "test/bench/quiet-worker.ts"),
    bundle(folder, "test/bench/recording-worker.ts"),
    bundle(folder, "test/bench/floor-worker.ts"),
    bundle(folder, "test/bench/honest-floor-worker.ts"),
    bundle(folder, "test/bench/floor-storage-worker.ts"),
  ]);
  const recorder = await serve(folder, "recording", recording, await given(standIn.recorder));
  const RECORDED = await recordPlacement(recorder, standIn.recorder);
  recorder.stop();
  const served = {
    floor: await serve(folder, "floor", floor, { text: relayUrl(standIn.floor) }),
    honest_floor: await serve(folder, "honest-floor", honest, {
      text: { ...honestBindings, ...relayUrl(standIn.honest) },
    }),
    partyline: await serve(folder, "partyline", ours, await given(standIn.partyline)),
    without_log_lines: await serve(folder, "quiet", quiet, await given(standIn.quiet)),
    floor_with_storage: await serve(folder, "storage", floorStorage, {
      text: relayUrl(standIn.storage),
      json: { RECORDED },
    }),
  };
  const rounds = new Rounds({
    floor: (requests) => load(served.floor, requests),
    honest_floor: (requests) => load(served.honest_floor, requests),
    partyline: (requests) => load(served.partyline, requests),
    without_log_lines: (requests) => load(served.without_log_lines, requests),
    floor_with_storage: (requests) => load(served.floor_with_storage, requests),
  });
  await rounds.warmUp(size.warm_up, size.round_s);
  await rounds.run(size.rounds, told);
  let placements = 0;
  for (const each of Object.values(standIn)) {
    const { joins, answers } = await each.settled();
    if (answers !== joins) throw new Error(`of ${answers} calls that were answered ${joins} joined`);
    placements += joins;
  }
  for (const each of Object.values(served)) each.stop();
  const ratios = rounds.compare("partyline", "floor", rate);
  const honest_ratios = rounds.compare("partyline", "honest_floor", byCpu);
  return {
    connections: CONNECTIONS,
    ratio: median(ratios),
    ratios: ratios.map(round2),
    ratio_without_log_lines: median(rounds.compare("without_log_lines", "floor", rate)),
    // As `ratio`, but of CPU time: what else the machine does weighs less on it.
    cpu_ratio: median(rounds.compare("partyline", "floor", byCpu)),
    honest_ratio: median(rounds.compare("partyline", "honest_floor", rate)),
    honest_cpu_ratio: median(honest_ratios),
    honest_cpu_ratios: honest_ratios.map(round2),
    log_lines_cpu_us: median(rounds.compare("partyline", "without_log_lines", (a, b) => cpu(a) - cpu(b))),
    storage_cpu_us: median(rounds.compare("floor_with_storage", "floor", (a, b) => cpu(a) - cpu(b))),
    ...rounds.typical(),
    sql_statements: RECORDED.steps.filter((step) => typeof step !== "string").length,
    placements,
  };
}

/** Where a floor finds RELAY. */
export function relayUrl({ relay_url }: StandIn): { RELAY_URL: string } {
  return { RELAY_URL: relay_url.replace(/^ws/, "http") };
}

function rate(ours: Round, floor: Round): number {
  return ours.per_s / floor.per_s;
}

/** How much of our CPU time the floor takes. */
export function byCpu(ours: Round, floor: Round): number {
  return cpu(floor) / cpu(ours);
}

export function cpu({ workerd_cpu_us }: Round): number {
  return workerd_cpu_us ?? Number.NaN;
}
