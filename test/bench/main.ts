import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { bindings, records } from "./acme.ts";
import { temporaryFolder } from "./children.ts";
import { measureCommands } from "./commands.ts";
import { measureDeciding } from "./decide.ts";
import { measureFlood } from "./flood.ts";
import { measureKept } from "./kept.ts";
import { measureLines } from "./lines.ts";
import { measureLive } from "./live.ts";
import { CONNECTIONS, type Round, round2 } from "./load.ts";
import { recordPlacement } from "./recorded.ts";
import { measureRecovery } from "./recovery.ts";
import { median, Rounds } from "./rounds.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";
import { bundle, compatibilityDate, serve, workerdVersion } from "./workerd.ts";

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string" } },
});
const size = values.quick
  ? {
      rounds: 3,
      round_s: 1,
      warm_up: 1_000,
      recovery: { in_a_row: 6, steady: 0 },
      flood: { events: 10_000, floods: 2 },
      decide_samples: 10,
    }
  : {
      rounds: 5,
      round_s: 4.5,
      warm_up: 4_000,
      recovery: { in_a_row: 20, steady: 5 },
      flood: { events: 10_000, floods: 8 },
      decide_samples: 200,
    };

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

const alone: Record<string, () => Promise<void>> = { lines, kept, live, decide: decideAll };
if (values.only !== undefined) {
  const row = alone[values.only];
  if (!row) throw new Error(`--only takes ${Object.keys(alone).join(", ")}, not ${values.only}`);
  await row();
  process.exit();
}

// Each Worker has a RELAY of its own: in one that they shared, another's calls would be strangers in its rooms.
const standIn = {
  recorder: await startStandIn(),
  floor: await startStandIn(),
  partyline: await startStandIn(),
  quiet: await startStandIn(),
  storage: await startStandIn(),
};
const relayUrl = ({ relay_url }: StandIn) => ({ RELAY_URL: relay_url.replace(/^ws/, "http") });
const [ours, quiet, recording, floor, floorStorage, ledgerFloor, placing, flood] = await Promise.all([
  bundle(folder, "functions/index.ts"),
  bundle(folder, "test/bench/quiet-worker.ts"),
  bundle(folder, "test/bench/recording-worker.ts"),
  bundle(folder, "test/bench/floor-worker.ts"),
  bundle(folder, "test/bench/floor-storage-worker.ts"),
  bundle(folder, "test/bench/ledger-floor-worker.ts"),
  bundle(folder, "test/bench/placing-worker.ts"),
  bundle(folder, "test/bench/flood-worker.ts"),
]);

const recorder = await serve(folder, "recording", recording, await settingsFor(standIn.recorder));
const RECORDED = await recordPlacement(recorder, standIn.recorder);
recorder.stop();
const beside = {
  floor: await serve(folder, "floor", floor, { text: relayUrl(standIn.floor) }),
  partyline: await serve(folder, "partyline", ours, await settingsFor(standIn.partyline)),
  without_log_lines: await serve(folder, "quiet", quiet, await settingsFor(standIn.quiet)),
  floor_with_storage: await serve(folder, "storage", floorStorage, {
    text: relayUrl(standIn.storage),
    json: { RECORDED },
  }),
};
const rounds = new Rounds(beside);
await rounds.warmUp(size.warm_up, size.round_s);
await rounds.run(size.rounds, (figures) => print("round", figures));
let placements = 0;
for (const each of Object.values(standIn)) {
  const { joins, answers } = await each.settled();
  if (answers !== joins) throw new Error(`of ${answers} calls that were answered ${joins} joined`);
  placements += joins;
}
for (const served of Object.values(beside)) served.stop();

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
  placements,
  machine_load: loadavg().map(round2),
});

const commandsStandIn = await startStandIn();
const commandsWorkers = {
  floor: await serve(folder, "ledger-floor", ledgerFloor, { text: relayUrl(commandsStandIn) }),
  partyline: await serve(folder, "placing", placing, await settingsFor(commandsStandIn)),
};
print("commands", {
  ...(await measureCommands(commandsWorkers, commandsStandIn, size)),
  machine_load: loadavg().map(round2),
});
for (const served of Object.values(commandsWorkers)) served.stop();

const cutStandIn = await startStandIn();
const cutWorker = await serve(folder, "cut", quiet, await settingsFor(cutStandIn));
print("recovery", {
  ...(await measureRecovery(cutWorker, cutStandIn, size.recovery)),
  machine_load: loadavg().map(round2),
});
cutWorker.stop();

const floodStandIn = await startStandIn();
const floodWorker = await serve(folder, "flood", flood, await settingsFor(floodStandIn));
print("flood", {
  ...(await measureFlood(floodWorker, floodStandIn, size.flood)),
  machine_load: loadavg().map(round2),
});
floodWorker.stop();

for (const row of Object.values(alone)) await row();
process.exit();

async function lines() {
  print("lines", {
    ...(await measureLines(folder, freshSettings, size.rounds)),
    machine_load: loadavg().map(round2),
  });
}

async function kept() {
  print("kept", {
    ...(await measureKept(folder, freshSettings, size, (figures) => print("round", figures))),
    machine_load: loadavg().map(round2),
  });
}

async function live() {
  print("live", { ...(await measureLive(folder, settingsFor)), machine_load: loadavg().map(round2) });
}

async function decideAll() {
  await measureDeciding(folder, size.decide_samples, (figures) => print("decide", figures));
}

async function freshSettings() {
  return settingsFor(await startStandIn());
}

async function settingsFor({ relay_url }: StandIn) {
  return { text: bindings, kv: await records(relay_url) };
}

function rate(ours: Round, floor: Round): number {
  return ours.per_s / floor.per_s;
}

function cpu({ workerd_cpu_us }: Round): number {
  return workerd_cpu_us ?? Number.NaN;
}
