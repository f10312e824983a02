import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { bindings, records } from "./acme.ts";
import { temporaryFolder } from "./children.ts";
import { measureCommands } from "./commands.ts";
import { measureOneAtATime, measureSdk } from "./contexts.ts";
import { measureCalls, measureIdle } from "./costs.ts";
import { measureDeciding } from "./decide.ts";
import { measureFlood } from "./flood.ts";
import { measureKept } from "./kept.ts";
import { measureLines } from "./lines.ts";
import { measureLive } from "./live.ts";
import { round2 } from "./load.ts";
import { measureRecovery } from "./recovery.ts";
import { measureRooms } from "./rooms.ts";
import { type StandIn, startStandIn } from "./stand-in.ts";
import { measureStart } from "./start.ts";
import { measureWebhooks, relayUrl } from "./webhook-to-accepted.ts";
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
      starts: 5,
      calls: 100,
    }
  : {
      rounds: 5,
      round_s: 4.5,
      warm_up: 4_000,
      recovery: { in_a_row: 20, steady: 5 },
      flood: { events: 10_000, floods: 8 },
      decide_samples: 200,
      starts: 15,
      calls: 300,
    };

/** Each prints one line of this name, or several. */
const rows: Record<string, () => Promise<object | undefined>> = {
  "webhook-to-accepted": () => measureWebhooks(folder, settingsFor, size, tellRound),
  "one-at-a-time": () => measureOneAtATime(folder, settingsFor, size, tellRound),
  sdk: () => measureSdk(folder, settingsFor, size, tellRound),
  commands,
  rooms,
  start: () => measureStart(folder, settingsFor, size.starts),
  recovery,
  flood,
  lines: () => measureLines(folder, freshSettings, size.rounds),
  kept: () => measureKept(folder, freshSettings, size, tellRound),
  live: () => measureLive(folder, settingsFor),
  idle: () => measureIdle(folder),
  "per-call": () => measureCalls(folder, size.calls),
  async decide() {
    await measureDeciding(folder, size.decide_samples, (figures) => print("decide", figures));
    return undefined;
  },
};
const wanted = values.only?.split(",") ?? Object.keys(rows);
const unknown = wanted.filter((name) => rows[name] === undefined);
if (unknown.length > 0) {
  console.error(`--only takes ${Object.keys(rows).join(", ")}, not ${unknown.join(", ")}`);
  process.exit(2);
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
for (const [name, row] of Object.entries(rows)) {
  if (!wanted.includes(name)) continue;
  const figures = await row();
  if (figures) print(name, { ...figures, machine_load: loadavg().map(round2) });
}
process.exit();

async function commands() {
  const standIn = await startStandIn();
  const workers = {
    floor: await serve(folder, "ledger-floor", await bundle(folder, "test/bench/ledger-floor-worker.ts"), {
      text: relayUrl(standIn),
    }),
    partyline: await serve(
      folder,
      "placing",
      await bundle(folder, "test/bench/placing-worker.ts"),
      await settingsFor(standIn),
    ),
  };
  const figures = await measureCommands(workers, standIn, size);
  for (const served of Object.values(workers)) served.stop();
  return figures;
}

async function rooms() {
  const standIn = await startStandIn();
  const script = await bundle(folder, "test/bench/placing-worker.ts");
  const worker = await serve(folder, "rooms", script, await settingsFor(standIn));
  const figures = await measureRooms(worker, standIn, size.rounds);
  worker.stop();
  return figures;
}

async function recovery() {
  const standIn = await startStandIn();
  const script = await bundle(folder, "test/bench/quiet-worker.ts");
  const worker = await serve(folder, "cut", script, await settingsFor(standIn));
  const figures = await measureRecovery(worker, standIn, size.recovery);
  worker.stop();
  return figures;
}

async function flood() {
  const standIn = await startStandIn();
  const script = await bundle(folder, "test/bench/flood-worker.ts");
  const worker = await serve(folder, "flood", script, await settingsFor(standIn));
  const figures = await measureFlood(worker, standIn, size.flood);
  worker.stop();
  return figures;
}

function print(bench: string, figures: object): void {
  console.log(JSON.stringify({ bench, ...figures }));
}

function tellRound(figures: object): void {
  print("round", figures);
}

async function freshSettings() {
  return settingsFor(await startStandIn());
}

/** @param contexts whose calls are taken, each with its tenant. */
async function settingsFor({ relay_url }: StandIn, contexts: Record<string, string> = {}) {
  return { text: bindings, kv: await records(relay_url, contexts) };
}
