import { CONNECTIONS, load, type Round, round1, round2 } from "./load.ts";
import type { Served } from "./workerd.ts";

/** Rounds of several Workers by turns, so that what else the machine does falls on all of them alike. */
export class Rounds<Name extends string> {
  readonly #served: Record<Name, Served>;
  readonly #names: Name[];
  readonly #each = new Map<Name, number>();
  readonly #rounds = new Map<Name, Round[]>();

  constructor(served: Record<Name, Served>) {
    this.#served = served;
    this.#names = Object.keys(served) as Name[]; // A record of exactly these.
  }

  /** So many requests to each, uncounted; how fast they went says how many make a round of `round_s`. */
  async warmUp(requests: number, round_s: number): Promise<void> {
    for (const name of this.#names) {
      const { per_s } = await load(this.#served[name], Math.ceil(requests / CONNECTIONS));
      this.#each.set(name, Math.ceil((per_s * round_s) / CONNECTIONS));
      this.#rounds.set(name, []);
    }
  }

  async run(rounds: number, told: (figures: object) => void): Promise<void> {
    for (let number = 1; number <= rounds; number += 1) {
      for (const name of number % 2 ? this.#names : this.#names.toReversed()) {
        const served = this.#served[name];
        // It was idle while the others ran: its session may have been put away.
        await load(served, 4);
        const round = await load(served, this.#each.get(name) ?? 1);
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
