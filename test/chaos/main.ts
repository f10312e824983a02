import { parseArgs } from "node:util";
import { planOf } from "./plan.ts";
import { run } from "./run.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    calls: { type: "string", default: "1000" },
  },
});

const [seed, calls] = [Number(values.seed), Number(values.calls)];
if (!Number.isInteger(seed) || !Number.isInteger(calls) || calls < 1 || calls > 20_000) {
  console.error("npm run chaos -- --seed N --calls N: whole numbers, and from 1 to 20000 calls");
  process.exit(2);
}

/** Calls that a project takes, and how many troubles it meets with so many. */
const CALLS_A_PROJECT = 125;
const TROUBLES = 12;

console.error(`chaos: seed ${seed}, ${calls} calls`);
const plan = planOf(seed, calls, { projects: Math.ceil(calls / CALLS_A_PROJECT), troubles: TROUBLES });
for (const { figures, stories } of await run([plan])) {
  for (const story of stories) console.error(`\n${story}`);
  console.log(JSON.stringify(figures));
  if (stories.length > 0) process.exitCode = 1;
}
