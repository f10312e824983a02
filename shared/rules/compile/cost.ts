import type { Read } from "../reads.ts";
import type { Size } from "../value-size.ts";

/** The size of what is read, as a decision found it, or at its largest. */
export type SizeOf = (read: Read) => Size;

/** What something takes before it is known which call: what it reads, and the steps by the sizes of that. */
export interface CostOf {
  reads: readonly Read[];
  steps(sizeOf: SizeOf): number;
}

/** The same, made ready for deciding. */
export interface Cost {
  /** Positions in the ruleset's `ReadTable`. */
  readonly reads: readonly number[];
  /** With everything at its largest. */
  readonly most: number;
  /** Absent where `most` is near enough for every call. */
  readonly steps?: (sizeOf: SizeOf) => number;
}

/** What takes so little at most counts as that for every call. */
const SMALL_STEPS = 256;

export function constantCost(steps: number, reads: readonly Read[] = []): CostOf {
  return { reads, steps: () => steps };
}

/** One after the other. */
export function costOfAll(costs: readonly CostOf[], times = 1): CostOf {
  return {
    reads: costs.flatMap(({ reads }) => reads),
    steps: (sizeOf) => times * costs.reduce((sum, cost) => sum + cost.steps(sizeOf), 0),
  };
}

/** Everything that a ruleset's rules read, each thing once. */
export class ReadTable {
  readonly #all: Read[] = [];
  readonly #positions = new Map<string, number>();
  /** Rules by the thousand cost the same. */
  readonly #costs = new Map<string, Cost>();

  get all(): readonly Read[] {
    return this.#all;
  }

  /** What reading all of it takes beside the rules, at its largest. */
  get most_steps(): number {
    return this.#all.reduce((sum, read) => sum + read.once(read.largest), 0);
  }

  position(read: Read): number {
    const known = this.#positions.get(read.key);
    if (known !== undefined) return known;
    this.#positions.set(read.key, this.#all.length);
    return this.#all.push(read) - 1;
  }

  cost(of: CostOf): Cost {
    const reads = [...new Set(of.reads.map((read) => this.position(read)))];
    const most = Math.ceil(of.steps(({ largest }) => largest));
    if (most > SMALL_STEPS) return { reads, most, steps: of.steps };
    const key = `${most} ${reads.join(" ")}`;
    const known = this.#costs.get(key);
    if (known !== undefined) return known;
    const made = { reads, most };
    this.#costs.set(key, made);
    return made;
  }
}
