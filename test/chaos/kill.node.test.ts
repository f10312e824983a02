import { expect, test } from "vitest";
import { kill } from "./kill.ts";

test("what went out before a kill has its row: a join its placement, an acknowledgement its event", {
  timeout: 60_000,
}, async () => {
  const { joins, acked, stories } = await kill(101, 3);
  expect(stories).toEqual([]);
  // That nothing is missing must not be because nothing went out.
  expect(joins).toBeGreaterThan(10);
  expect(acked).toBeGreaterThan(10);
});
