import type { Call } from "../call.ts";
import { addressKeys } from "./address.ts";
import type { Answers } from "./answers.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { WallClock, WallTime } from "./wall-clock.ts";

/** What is decided on: a call, an instant, answers; and what of them many rules ask for, worked out when first asked for. */
export class Subject {
  readonly call: Call;
  /** Absent where nothing can be asked. */
  readonly answers: Answers | undefined;
  /** The secret questions whose answers rules compared so far. */
  readonly compared = new Set<string>();
  readonly now_ms: number;
  readonly #tenant: string;
  readonly #prefixes: readonly number[];
  #to: string[] | undefined;
  #from: string[] | undefined;
  #facts: Facts | undefined;
  readonly #wall = new Map<WallClock, WallTime>();

  constructor(
    call: Call,
    now_ms: number,
    answers: Answers | undefined,
    { tenant, prefixes }: { tenant: string; prefixes: readonly number[] },
  ) {
    this.call = call;
    this.answers = answers;
    this.now_ms = now_ms;
    this.#tenant = tenant;
    this.#prefixes = prefixes;
  }

  /** The keys of every pattern that fits the call's `to` or `from`. */
  keys(field: "to" | "from"): readonly string[] {
    if (field === "to") {
      this.#to ??= addressKeys(this.call.to, this.#prefixes);
      return this.#to;
    }
    this.#from ??= addressKeys(this.call.from, this.#prefixes);
    return this.#from;
  }

  /** What the clock shows now. */
  wallTime(clock: WallClock): WallTime {
    const known = this.#wall.get(clock);
    if (known !== undefined) return known;
    const made = clock.read(this.now_ms);
    this.#wall.set(clock, made);
    return made;
  }

  /** What a `when` sees. */
  get facts(): Facts {
    this.#facts ??= factsOf(this.call, this.now_ms, this.answers, this.#tenant);
    return this.#facts;
  }
}
