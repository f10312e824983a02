import { CONNECTIONS, type Round, round1, round2 } from "./load.ts";

/** Requests before each round, uncounted: what is measured was idle while the others ran, and its session may have been put away. */
const FIRST = 4 * CONNECTIONS;

/** Rounds of several Workers by turns, so that what else the machine does falls on all of them alike. */
export class Rounds<Name extends string> {
  readonly #runs: Record<Name, (requests: number) => Promise<Round>>;
  readonly #names: Name[];
  readonly #each = new Map<Name, number>();
  readonly #rounds = new Map<Name, Round[]>();

  /** @param runs sends so many requests, or a few more, and measures them. */
  constructor(runs: Record<Name, (requests: number) => Promise<Round>>) {
    this.#runs = runs;
    this.#names = Object.keys(runs) as Name[]; // A record of exactly these.
  }

  /** So many requests to each, uncounted; how fast they went says how many make a round of `round_s`. */
  async warmUp(requests: number, round_s: number): Promise<void> {
    for (const name of this.#names) {
      const { per_s } = await this.#runs[name](requests);
      this.#each.set(name, Math.ceil(per_s * round_s));
      this.#rounds.set(name, []);
    }
  }

  async run(rounds: number, told: (figures: object) => void): Promise<void> {
    for (let number = 1; number <= rounds; number += 1) {
      for (const name of number % 2 ? this.#names : this.#names.toReversed()) {
        await this.#runs[name](FIRST);
        const round = await this.#runs[name](this.#each.get(name) ?? 1);
        this.#rounds.get(name)?.push(round);
        told({ round: number, what: name, ...round });
      }
    }
  }

  /** What two of them come to side by side, round by round. */
  compare(one: Name, other: Name, of: (one: Round, other: Round) => number): number[] {
    const beside = this.#rounds.get(other) ?? [];
    return (this.#rounds.get(one) ?? []).map((round, index) => of(round, beside[index] ?? round));
  }

  /** The median of each figure. */
  typical(): Record<string, object> {
    return Object.fromEntries(this.#names.map((name) => [name, medians(this.#rounds.get(name) ?? [])]));
  }
}

export function median(values: readonly number[]): number {
  return round2(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);
}

function medians(rounds: readonly Round[]): object {
  const of = (figure: (round: Round) => number | null): number | null => {
    const known = rounds.map(figure).filter((value) => value !== null);
    return known.length === 0 ? null : round1(median(known));
  };
  return {
    per_s: of(({ per_s }) => per_s),
    p50_ms: of(({ p50_ms }) => p50_ms),
    p99_ms: of(({ p99_ms }) => p99_ms),
    workerd_cpu_us: of(({ workerd_cpu_us }) => workerd_cpu_us),
  };
}
