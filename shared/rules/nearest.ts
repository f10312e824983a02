/** Among more words none is looked for: each is compared letter by letter. */
const MOST = 300;

/** The known word that was probably meant, or undefined where none is near: at most a third of the letters may be wrong. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  if (written.length > 64 || known.length > MOST) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const word of known) {
    const wrong = distance(written.toLowerCase(), word.toLowerCase());
    if (wrong < least && wrong <= Math.max(1, Math.floor(word.length / 3))) {
      best = word;
      least = wrong;
    }
  }
  return best;
}

/** Letters to add, drop, change, or swap with the next one, to get from one word to the other. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(
        (current[column - 1] ?? 0) + 1,
        (last[column] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}
