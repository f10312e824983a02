import { parseArgs } from "node:util";
import { replay } from "./replay.ts";
import { run } from "./run.ts";

const USAGE = `npm run attack -- [--seed N] [--inputs N]
npm run attack -- --replay INPUT
N: whole numbers, from 1 to 200000 inputs. INPUT: as a fault was told with.`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    inputs: { type: "string", default: "100000" },
    replay: { type: "string" },
  },
});

const [seed, inputs] = [Number(values.seed), Number(values.inputs)];
if (!Number.isInteger(seed) || !Number.isInteger(inputs) || inputs < 1 || inputs > 200_000) {
  console.error(USAGE);
  process.exit(2);
}

if (values.replay === undefined) {
  console.error(`attack: seed ${seed}, ${inputs} inputs`);
  const { figures, stories } = await run(seed, inputs);
  for (const story of stories) console.error(`\n${story}`);
  console.log(JSON.stringify(figures));
  if (stories.length > 0) process.exitCode = 1;
} else {
  const faults = await replay(values.replay);
  for (const { what } of faults) console.error(`\n${what}`);
  if (faults.length > 0) process.exitCode = 1;
}
