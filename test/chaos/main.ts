import { parseArgs } from "node:util";
import { kill } from "./kill.ts";
import { lineOf, matrix, titleOf } from "./matrix.ts";
import { planOf, planSeats, withOperators } from "./plan.ts";
import { parseReadings, type SomeReadings } from "./readings.ts";
import { run } from "./run.ts";

const USAGE = `npm run chaos -- [--scenario troubles|seats] [--operators] [--seed N] [--calls N] [--reading NAME=VALUE]…
npm run chaos -- --scenario kill [--seed N]
npm run chaos -- --matrix [--seed N] [--reading NAME=VALUE]…
N: whole numbers, from 1 to 20000 calls. A reading is one for every project, or of the matrix the only rows to be played.`;

/** Calls that a project takes, and the troubles that it meets with so many. */
const CALLS_A_PROJECT = 125;
const HARDSHIP = { troubles: 12, trouble_ms: 7_000, rushed: 0.6 };
/** How long calls come where seats are counted. */
const SEATS_MS = 60_000;
/** How often workerd is killed. */
const KILLS = 12;
/** Rows of the matrix that are played at a time. */
const SIDE_BY_SIDE = 10;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    calls: { type: "string", default: "1000" },
    scenario: { type: "string", default: "troubles" },
    reading: { type: "string", multiple: true, default: [] },
    operators: { type: "boolean", default: false },
    matrix: { type: "boolean", default: false },
  },
});

const [seed, calls] = [Number(values.seed), Number(values.calls)];
const { scenario } = values;
const isKnown = ["troubles", "seats", "kill"].includes(scenario);
if (!isKnown || !Number.isInteger(seed) || !Number.isInteger(calls) || calls < 1 || calls > 20_000) {
  refuse(USAGE);
}
const fixed = parseReadings(values.reading);
if (typeof fixed === "string") refuse(fixed);
if (values.matrix) await playMatrix(fixed);
else if (scenario === "kill") await playKills();
else await playPlan(fixed);

function refuse(why: string): never {
  console.error(why);
  process.exit(2);
}

async function playKills(): Promise<void> {
  console.error(`chaos: kill, seed ${seed}, ${KILLS} kills`);
  const { stories, ...figures } = await kill(seed, KILLS);
  for (const story of stories) console.error(story);
  console.log(JSON.stringify({ seed, ...figures }));
  // That nothing went wrong must not be because nothing happened.
  if (stories.length > 0 || figures.joins === 0 || figures.acked === 0) process.exitCode = 1;
  process.exit();
}

async function playPlan(fixed: SomeReadings): Promise<void> {
  console.error(`chaos: ${scenario}, seed ${seed}, ${calls} calls`);
  const projects = Math.ceil(calls / CALLS_A_PROJECT);
  const planned =
    scenario === "seats"
      ? planSeats(seed, calls, { projects, over_at_ms: SEATS_MS }, fixed)
      : planOf(seed, calls, { projects, ...HARDSHIP }, fixed);
  const plan = values.operators ? withOperators(planned) : planned;
  for (const { figures, stories, excused } of await run([plan])) {
    for (const story of stories) console.error(`\n${story}`);
    for (const one of excused) console.error(one);
    console.log(JSON.stringify(figures));
    if (stories.length > 0) process.exitCode = 1;
  }
}

async function playMatrix(only: SomeReadings): Promise<void> {
  const names = Object.keys(only);
  const rows = matrix(seed).filter(
    ({ reading }) => names.length === 0 || (reading && only[reading.name] === reading.value),
  );
  if (rows.length === 0) refuse("the matrix has no such reading: it is assumed, harmless or left out");
  console.error(`chaos: matrix, seed ${seed}, ${rows.length} rows`);
  const byPlan = new Map(rows.map((row) => [row.plan, row]));
  await run([...byPlan.keys()], SIDE_BY_SIDE, (finished) => {
    const row = byPlan.get(finished.plan);
    if (!row) return;
    console.log(lineOf(row, finished));
    if (finished.stories.length > 0) process.exitCode = 1;
    // The other offenders' are told where the row is played alone.
    for (const story of finished.stories.slice(0, rows.length === 1 ? undefined : 1)) {
      console.error(`\n${titleOf(row.reading)}: ${story}`);
    }
  });
}
