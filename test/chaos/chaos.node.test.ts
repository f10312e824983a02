import { expect, test } from "vitest";
import { shortMatrix, titleOf } from "./matrix.ts";
import { planOf, planSeats, withOperators } from "./plan.ts";
import { readingsWith, type SomeReadings } from "./readings.ts";
import { run } from "./run.ts";

/** A failing one is played again by `npm run chaos -- --seed N`, with more calls and troubles, or by putting it here. */
const SEEDS = { troubles: 101, other_sids: 202, seats: 303, matrix: 404, operators: 505 };
const SHAPE = { projects: 2, troubles: 3, trouble_ms: 7_000, rushed: 0.6 };
const SEATS_SHAPE = { projects: 2, over_at_ms: 20_000 };

/** All is as assumed, so that a question more in the table makes no other run of this; the matrix has the rest. */
const fixed = (changes: SomeReadings = {}) => ({ ...readingsWith(), ...changes });

test("calls come through their troubles, find their seats, and come to no harm under any reading that could do any", {
  timeout: 150_000,
}, async () => {
  const rows = shortMatrix(SEEDS.matrix);
  const plans = [
    planOf(SEEDS.troubles, 100, SHAPE, fixed()),
    planOf(SEEDS.other_sids, 100, SHAPE, fixed({ call_sid_is_call_id: false })),
    withOperators(planOf(SEEDS.operators, 100, SHAPE, fixed())),
    planSeats(SEEDS.seats, 100, SEATS_SHAPE, fixed()),
  ];
  const finished = await run([...plans, ...rows.map(({ plan }) => plan)]);
  const titles = new Map(rows.map(({ reading, plan }) => [plan, `${titleOf(reading)}, `]));
  const failed = finished
    .filter(({ stories }) => stories.length > 0)
    .map(({ plan, stories }) => `${titles.get(plan) ?? ""}seed ${plan.seed}: ${stories.join("\n\n")}`);
  expect(failed.join("\n\n")).toBe("");
  // That nothing went wrong must not be because nothing happened.
  for (const { figures } of finished.slice(0, plans.length)) {
    expect(Number(figures["joined_by_relay"])).toBeGreaterThan(10);
    expect(Number(figures["joined_by_document"])).toBeGreaterThan(10);
  }
  expect(Number(finished[plans.length - 1]?.figures["turned_away"])).toBeGreaterThan(0);
});
