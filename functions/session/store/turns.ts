/** Turns — for whatever goes through many rows of one session: a slice at a time, and what comes meanwhile is not kept waiting. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn of its own. Of many who wait each gets another: timers that are due together would all run before anything else. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => scheduler.wait(0));
    return this.#last;
  }

  /**
   * Acts on each, so many in one turn. The first are done in this turn; `act` checks how the others stand by then.
   */
  async each<T>(items: Iterable<T>, at_once: number, act: (item: T) => void): Promise<void> {
    let done = 0;
    for (const item of items) {
      if (done > 0 && done % at_once === 0) await this.next();
      act(item);
      done += 1;
    }
  }
}

/** The next ones, `most` of them at most: what comes after them is another turn's. */
export function take<T>(items: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = items.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}
