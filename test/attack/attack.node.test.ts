import { expect, test } from "vitest";
import { run } from "./run.ts";

/** A fault that it finds is told with an input to be sent again; `npm run attack -- --seed N` sends more. */
const SEED = 505;
const INPUTS = 4_000;

test("requests that no sender may make do nothing and show nothing, and hostile ones that senders may make do no harm", {
  timeout: 120_000,
}, async () => {
  const { figures, stories } = await run(SEED, INPUTS);
  for (const story of stories) console.error(`${story}\n`);
  expect(figures["faults"]).toEqual({});
  // That nothing went wrong must not be because nothing was asked.
  const answers = figures["answers"] as Record<string, number>; // As the attack counts them.
  for (const status of [200, 204, 401, 403, 404, 413, 422, 429]) {
    expect(answers[status], `answers with ${status}`).toBeGreaterThan(0);
  }
  const routes = figures["by_route"] as Record<string, number>; // Likewise.
  expect(Object.keys(routes)).toContain("POST /hooks/:tenant/recording-status");
  expect(Object.values(routes).every((count) => count > 10)).toBe(true);
});
