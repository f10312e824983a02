import fc from "fast-check";
import { expect, it } from "vitest";
import { retryDelay } from "../../../shared/relay/connection.ts";

const limits = { base_ms: 250, cap_ms: 30_000 };

it("tries at once the first time", () => {
  expect(retryDelay(0, 0.9, limits)).toBe(0);
});

it("waits anything up to a ceiling that doubles from 0.25 s and ends at 30 s", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (tries, random) => {
        const ceiling = Math.min(30_000, 250 * 2 ** (tries - 1));
        const delay = retryDelay(tries, random, limits);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThan(ceiling);
        expect(Math.abs(delay - random * ceiling)).toBeLessThan(1);
      },
    ),
  );
});
