import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { bindings, records } from "./acme.ts";
import { temporaryFolder } from "./children.ts";
import { measureDecide } from "./decide.ts";
import { CONNECTIONS, load, type Round, round1, round2 } from "./load.ts";
import { recordPlacement } from "./recorded.ts";
import { startStandIn } from "./stand-in.ts";
import { bundle, compatibilityDate, type Served, serve, workerdVersion } from "./workerd.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const ROUNDS = values.quick ? 3 : 5;
const ROUND_S = values.quick ? 1 : 4.5;
const WARM_UP_REQUESTS = values.quick ? 1_000 : 4_000;
const DECIDE_PAIRS = values.quick ? 20 : 200;

type What = "floor" | "partyline" | "partyline without log lines" | "floor with storage";

function print(bench: string, figures: object): void {
  console.log(JSON.stringify({ bench, ...figures }));
}

const { folder, in_memory } = temporaryFolder();
print("machine", {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  load: loadavg().map(round2),
  node: process.version,
  workerd: workerdVersion,
  compatibility_date: compatibilityDate,
  storage: in_memory ? "memory" : "disk",
});

const [partyline, quiet, recording, floor, floorStorage, decide] = (await Promise.all(
  [
    "functions/index.ts",
    "test/bench/quiet-worker.ts",
    "test/bench/recording-worker.ts",
    "test/bench/floor-worker.ts",
    "test/bench/floor-storage-worker.ts",
    "test/bench/decide-worker.ts",
  ].map((entry) => bundle(folder, entry)),
)) as [string, string, string, string, string, string];

const standIn = await startStandIn();
const acme = { text: bindings, kv: await records(standIn.relay_url) };
const floorText = { RELAY_URL: standIn.relay_url.replace(/^ws/, "http") };
const recorded = await recordPlacement(await serve(folder, "recording", recording, acme), standIn);
const served: Record<What, Served> = {
  floor: await serve(folder, "floor", floor, { text: floorText }),
  partyline: await serve(folder, "partyline", partyline, acme),
  "partyline without log lines": await serve(folder, "quiet", quiet, acme),
  "floor with storage": await serve(folder, "floor-storage", floorStorage, {
    text: floorText,
    json: { RECORDED: recorded },
  }),
};

const order = Object.keys(served) as What[]; // The literal above has no other keys.
const each = {} as Record<What, number>;
const rounds = {} as Record<What, Round[]>;
for (const what of order) {
  const warm = await load(served[what], Math.ceil(WARM_UP_REQUESTS / CONNECTIONS));
  each[what] = Math.ceil((warm.per_s * ROUND_S) / CONNECTIONS);
  rounds[what] = [];
}
for (let number = 1; number <= ROUNDS; number += 1) {
  for (const what of number % 2 ? order : order.toReversed()) {
    // It was idle while the others ran: its session may have been put away.
    await load(served[what], 4);
    const measured = await load(served[what], each[what]);
    rounds[what].push(measured);
    print("round", { round: number, what, ...measured });
  }
}
const { events } = await standIn.settled();

const floorRounds = rounds.floor;
print("webhook-to-accepted", {
  connections: CONNECTIONS,
  rounds: ROUNDS,
  placements: events,
  ratio: compare("partyline", "floor", (ours, floor) => ours.per_s / floor.per_s),
  ratio_of_rounds: rounds.partyline.map((ours, i) =>
    round2(ours.per_s / (floorRounds[i]?.per_s ?? Number.NaN)),
  ),
  ratio_without_log_lines: compare(
    "partyline without log lines",
    "floor",
    (ours, floor) => ours.per_s / floor.per_s,
  ),
  ratio_of_workerd_cpu: compare(
    "partyline",
    "floor",
    (ours, floor) => (floor.workerd_cpu_us ?? Number.NaN) / (ours.workerd_cpu_us ?? Number.NaN),
  ),
  log_lines_us: compare("partyline", "partyline without log lines", longer),
  storage_us: compare("floor with storage", "floor", longer),
  ...Object.fromEntries(order.map((what) => [what.replaceAll(" ", "_"), typical(rounds[what])])),
});

const decideServed = await serve(folder, "decide", decide, {});
for (const rules of [10, 1_000, 10_000])
  print("decide", await measureDecide(decideServed, rules, DECIDE_PAIRS));
process.exit();

/** The median, over the rounds, of what two of them side by side come to. */
function compare(one: What, other: What, of: (one: Round, other: Round) => number): number {
  return round2(
    median(
      rounds[one].flatMap((round, i) => {
        const beside = rounds[other][i];
        return beside ? [of(round, beside)] : [];
      }),
    ),
  );
}

/** How much longer a request takes of the one than of the other, µs: all are served by one thread. */
function longer(one: Round, other: Round): number {
  return 1_000_000 / one.per_s - 1_000_000 / other.per_s;
}

function typical(of: readonly Round[]): object {
  const each = (figure: (round: Round) => number | null): number =>
    round1(median(of.map((round) => figure(round) ?? Number.NaN)));
  return {
    per_s: each(({ per_s }) => per_s),
    p50_ms: each(({ p50_ms }) => p50_ms),
    p99_ms: each(({ p99_ms }) => p99_ms),
    workerd_cpu_us: each(({ workerd_cpu_us }) => workerd_cpu_us),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
