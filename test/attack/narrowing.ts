import fc from "fast-check";
import type { Input } from "./inputs.ts";

/** Looking for a smaller input takes no longer. */
const SHRINKING_MS = 15_000;

/** One of them that shows it alone, if any does: by halves, each sent once more. */
export async function narrowed<T>(
  inputs: readonly T[],
  shows: (some: readonly T[]) => Promise<boolean>,
): Promise<T | null> {
  let some = inputs;
  while (some.length > 1) {
    const middle = Math.ceil(some.length / 2);
    const halves = [some.slice(0, middle), some.slice(middle)];
    const next = await firstOf(halves, shows);
    if (next === null) return null;
    some = next;
  }
  const [only] = some;
  return only !== undefined && (inputs.length > 1 || (await shows([only]))) ? only : null;
}

async function firstOf<T>(
  halves: readonly (readonly T[])[],
  shows: (some: readonly T[]) => Promise<boolean>,
): Promise<readonly T[] | null> {
  for (const half of halves) if (await shows(half)) return half;
  return null;
}

/** The smallest input on the way from the one drawn that shows it, too. @param index of the one among those of the seed. */
export async function smallest(
  inputs: fc.Arbitrary<Input>,
  { seed, index }: { seed: number; index: number },
  shows: (input: Input) => Promise<boolean>,
): Promise<Input | null> {
  const details = await fc.check(
    fc.asyncProperty(inputs, async (input) => !(await shows(input))),
    { seed, path: String(index), numRuns: 1, interruptAfterTimeLimit: SHRINKING_MS },
  );
  return details.counterexample?.[0] ?? null;
}
