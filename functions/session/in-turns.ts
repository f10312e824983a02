/**
 * Acts on each, so many in one turn: what comes meanwhile is not kept waiting. The first are done in this turn; of the others
 * whoever acts looks how they stand by then.
 */
export async function inTurns<T>(items: Iterable<T>, at_once: number, act: (item: T) => void): Promise<void> {
  let done = 0;
  for (const item of items) {
    if (done > 0 && done % at_once === 0) await scheduler.wait(0);
    act(item);
    done += 1;
  }
}
