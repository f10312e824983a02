import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { bindings, records } from "./acme.ts";
import { temporaryFolder } from "./children.ts";
import { measureDecide } from "./decide.ts";
import { CONNECTIONS, type Round, round2 } from "./load.ts";
import { recordPlacement } from "./recorded.ts";
import { median, Rounds } from "./rounds.ts";
import { startStandIn } from "./stand-in.ts";
import { bundle, compatibilityDate, serve, workerdVersion } from "./workerd.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const size = values.quick
  ? { rounds: 3, round_s: 1, warm_up: 1_000, decide_samples: 20 }
  : { rounds: 5, round_s: 4.5, warm_up: 4_000, decide_samples: 200 };

function print(bench: string, figures: object): void {
  console.log(JSON.stringify({ bench, ...figures }));
}

const { folder, in_memory } = temporaryFolder();
print("machine", {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  node: process.version,
  workerd: workerdVersion,
  compatibility_date: compatibilityDate,
  storage: in_memory ? "memory" : "disk",
});

const standIn = await startStandIn();
const acme = { text: bindings, kv: await records(standIn.relay_url) };
const toStandIn = { RELAY_URL: standIn.relay_url.replace(/^ws/, "http") };
const [ours, quiet, recording, floor, floorStorage, decide] = await Promise.all([
  bundle(folder, "functions/index.ts"),
  bundle(folder, "test/bench/quiet-worker.ts"),
  bundle(folder, "test/bench/recording-worker.ts"),
  bundle(folder, "test/bench/floor-worker.ts"),
  bundle(folder, "test/bench/floor-storage-worker.ts"),
  bundle(folder, "test/bench/decide-worker.ts"),
]);

const recorder = await serve(folder, "recording", recording, acme);
const RECORDED = await recordPlacement(recorder, standIn);
recorder.stop();
const rounds = new Rounds({
  floor: await serve(folder, "floor", floor, { text: toStandIn }),
  partyline: await serve(folder, "partyline", ours, acme),
  without_log_lines: await serve(folder, "quiet", quiet, acme),
  floor_with_storage: await serve(folder, "storage", floorStorage, { text: toStandIn, json: { RECORDED } }),
});
await rounds.warmUp(size.warm_up, size.round_s);
await rounds.run(size.rounds, (figures) => print("round", figures));
const { joins } = await standIn.settled();

const ratios = rounds.compare("partyline", "floor", rate);
print("webhook-to-accepted", {
  connections: CONNECTIONS,
  ratio: median(ratios),
  ratios: ratios.map(round2),
  ratio_without_log_lines: median(rounds.compare("without_log_lines", "floor", rate)),
  // As `ratio`, but of CPU time: what else the machine does weighs less on it.
  cpu_ratio: median(rounds.compare("partyline", "floor", (ours, floor) => cpu(floor) / cpu(ours))),
  log_lines_cpu_us: median(rounds.compare("partyline", "without_log_lines", (a, b) => cpu(a) - cpu(b))),
  storage_cpu_us: median(rounds.compare("floor_with_storage", "floor", (a, b) => cpu(a) - cpu(b))),
  ...rounds.typical(),
  sql_statements: RECORDED.steps.filter((step) => typeof step !== "string").length,
  placements: joins,
  machine_load: loadavg().map(round2),
});

const decideWorker = await serve(folder, "decide", decide, {});
for (const rules of [10, 1_000, 10_000]) {
  print("decide", await measureDecide(decideWorker, rules, size.decide_samples));
}
process.exit();

function rate(ours: Round, floor: Round): number {
  return ours.per_s / floor.per_s;
}

function cpu({ workerd_cpu_us }: Round): number {
  return workerd_cpu_us ?? Number.NaN;
}
