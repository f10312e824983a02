import { parseArgs } from "node:util";
import { planOf, planSeats } from "./plan.ts";
import { run } from "./run.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    calls: { type: "string", default: "1000" },
    scenario: { type: "string", default: "troubles" },
  },
});

const [seed, calls] = [Number(values.seed), Number(values.calls)];
const { scenario } = values;
const isKnown = scenario === "troubles" || scenario === "seats";
if (!isKnown || !Number.isInteger(seed) || !Number.isInteger(calls) || calls < 1 || calls > 20_000) {
  console.error(
    "npm run chaos -- --scenario troubles|seats --seed N --calls N: whole numbers, and from 1 to 20000 calls",
  );
  process.exit(2);
}

/** Calls that a project takes, and the troubles that it meets with so many. */
const CALLS_A_PROJECT = 125;
const HARDSHIP = { troubles: 12, trouble_ms: 7_000, rushed: 0.6 };
/** How long calls come where seats are counted. */
const SEATS_MS = 60_000;

console.error(`chaos: ${scenario}, seed ${seed}, ${calls} calls`);
const projects = Math.ceil(calls / CALLS_A_PROJECT);
const plan =
  scenario === "seats"
    ? planSeats(seed, calls, { projects, over_at_ms: SEATS_MS })
    : planOf(seed, calls, { projects, ...HARDSHIP });
for (const { figures, stories } of await run([plan])) {
  for (const story of stories) console.error(`\n${story}`);
  console.log(JSON.stringify(figures));
  if (stories.length > 0) process.exitCode = 1;
}
