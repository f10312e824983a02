import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unauthentic } from "./arbitrary.ts";
import { narrowed, smallest } from "./narrowing.ts";

const numbers = Array.from({ length: 100 }, (_, index) => index);

describe("of many inputs the one is found that shows a fault", () => {
  test.each([0, 41, 99])("%i", async (culprit) => {
    expect(await narrowed(numbers, async (some) => some.includes(culprit))).toBe(culprit);
  });

  test("and none where it takes two of them, or where it does not happen again", async () => {
    expect(await narrowed(numbers, async (some) => some.includes(1) && some.includes(99))).toBeNull();
    expect(await narrowed(numbers, async () => false)).toBeNull();
    expect(await narrowed([7], async () => false)).toBeNull();
  });
});

test("an input of a seed is drawn again, and made as small as shows the same", async () => {
  const inputs = unauthentic(["POST /hooks/:tenant/swml", "GET /health"], new Map());
  const seed = 77;
  const drawn = fc.sample(inputs, { seed, numRuns: 200 });
  const index = drawn.findIndex(({ query, headers }) => query.length > 1 && headers.length > 0);
  expect(index).toBeGreaterThanOrEqual(0);
  const first: unknown[] = [];
  const small = await smallest(inputs, { seed, index }, async (input) => {
    first.push(input);
    return input.query.length > 0;
  });
  expect(first[0]).toEqual(drawn[index]);
  expect(small?.query).toHaveLength(1);
  expect(small?.headers).toHaveLength(0);
});
