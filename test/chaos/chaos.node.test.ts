import { expect, test } from "vitest";
import { planOf, planSeats } from "./plan.ts";
import { run } from "./run.ts";

/** A failing one is played again by `npm run chaos -- --seed N`, with more calls and troubles, or by putting it here. */
const SEEDS = [101, 202];
const SEATS_SEED = 303;
const SHAPE = { projects: 2, troubles: 3, trouble_ms: 7_000, rushed: 0.6 };
const SEATS_SHAPE = { projects: 2, over_at_ms: 20_000 };

test("100 calls of each of two seeds come through every trouble that they meet, and 100 more find their seats", {
  timeout: 150_000,
}, async () => {
  const seats = planSeats(SEATS_SEED, 100, SEATS_SHAPE);
  const finished = await run([...SEEDS.map((seed) => planOf(seed, 100, SHAPE)), seats]);
  const failed = finished.filter(({ stories }) => stories.length > 0);
  for (const { plan, stories } of failed) {
    console.error(`seed ${plan.seed} failed:\n${stories.join("\n\n")}`);
  }
  expect(failed.map(({ plan }) => plan.seed)).toEqual([]);
  // That nothing went wrong must not be because nothing happened.
  for (const { figures } of finished) {
    expect(Number(figures["joined_by_relay"])).toBeGreaterThan(10);
    expect(Number(figures["joined_by_document"])).toBeGreaterThan(10);
  }
  expect(Number(finished.at(-1)?.figures["turned_away"])).toBeGreaterThan(0);
});
