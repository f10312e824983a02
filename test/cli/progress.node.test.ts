import { afterEach, expect, test, vi } from "vitest";
import { withProgress } from "../../cli/progress.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** What is written while a wait goes on for so long. */
async function written(isTTY: boolean, ms: number): Promise<string[]> {
  vi.useFakeTimers();
  const lines: string[] = [];
  const work = Promise.withResolvers<string>();
  const waiting = withProgress("Waiting", work.promise, {
    isTTY,
    write: (text: string | Uint8Array) => lines.push(String(text)) > 0,
  });
  await vi.advanceTimersByTimeAsync(ms);
  work.resolve("done");
  expect(await waiting).toBe("done");
  return lines;
}

test.each([
  ["a short wait is not worth a word", true, 1_500, []],
  [
    "a long wait says for how long, in a line that is taken back",
    true,
    3_500,
    ["\rWaiting … 2 s", "\rWaiting … 3 s", "\r\u001b[K"],
  ],
  ["nothing is said where no person looks", false, 5_000, []],
])("%s", async (_, isTTY, ms, lines) => {
  expect(await written(isTTY, ms)).toEqual(lines);
});
