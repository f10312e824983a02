import type { Call } from "../../call.ts";
import { addressKeys, canonicalOf, numberIfKnown } from "../../identity.ts";
import type { Answers } from "../answers.ts";
import { type Facts, factsOf } from "../facts.ts";
import { DECISION_STEPS, EXPLAINING_STEPS, READ_TEXT } from "../limits.ts";
import type { Read } from "../reads.ts";
import { NOTHING, type Size } from "../value-size.ts";
import type { WallClock, WallTime } from "../wall-clock.ts";
import type { Cost, ReadTable } from "./cost.ts";

/** What a ruleset tells of the costs of deciding by it. */
interface Decidable {
  tenant: string;
  prefixes: readonly number[];
  reads: ReadTable;
  most_steps: number;
}

interface NumberIfKnown {
  number: string;
  keys: readonly string[];
}

/** What is decided on: a call, an instant, answers; and what of them many rules ask for, worked out when first asked for. */
export class EvaluationContext {
  readonly call: Call;
  /** Absent where nothing can be asked. */
  readonly answers: Answers | undefined;
  /** The secret questions whose answers rules compared so far. */
  readonly compared = new Set<string>();
  readonly now_ms: number;
  #to: string[] | undefined;
  /** There may be one for each country. */
  readonly #ifKnown = new Map<"to" | "from", NumberIfKnown[]>();
  #from: string[] | undefined;
  #facts: Facts | undefined;
  readonly #wall = new Map<WallClock, WallTime>();
  readonly #rules: Decidable;
  /** What was read so far, by its position among the reads. */
  readonly #sizes: (Size | undefined)[] = [];
  #steps = 0;
  #explaining_steps = 0;
  #over: string | null = null;

  constructor(call: Call, now_ms: number, answers: Answers | undefined, rules: Decidable) {
    this.call = call;
    this.answers = answers;
    this.now_ms = now_ms;
    this.#rules = rules;
  }

  /** What went over the budget of the decision: the value that is too large, or `steps`; null while nothing did. */
  get over(): string | null {
    return this.#over;
  }

  /** Whether an address is small enough for rules to be found by it. */
  isReadable(field: "to" | "from"): boolean {
    if (this.call[field].length <= READ_TEXT) return true;
    this.#over ??= field;
    return false;
  }

  /** Takes what something costs out of the budget, before it is done. False: it must not be done. */
  affords({ reads, most, steps }: Cost): boolean {
    for (let index = 0; index < reads.length; index++) {
      const position = reads[index] ?? 0;
      if (this.#sizes[position] === undefined && !this.#read(position)) return false;
    }
    // Where all rules together stay within the budget, the most will do.
    const isCounted = steps !== undefined && this.#rules.most_steps > DECISION_STEPS;
    this.#steps += isCounted ? steps((read) => this.#sizeOf(read)) : most;
    if (this.#steps > DECISION_STEPS) this.#over ??= "steps";
    return this.#over === null;
  }

  /**
   * Whether everything there is small enough to be read, and all rules together stay within the budget: then a rule that cannot
   * match makes no difference.
   */
  mayPassOver(reads: readonly number[]): boolean {
    if (this.#rules.most_steps > DECISION_STEPS) return false;
    return reads.every((position) => this.#sizes[position] !== undefined || this.#measure(position) === null);
  }

  /** Whether CEL may be asked, for so many steps, why an expression fails. */
  mayExplain(steps: number): boolean {
    if (this.#explaining_steps + steps > EXPLAINING_STEPS) return false;
    this.#explaining_steps += steps;
    return true;
  }

  /** Begins the budget anew, for what is done where it was passed. */
  renew(): void {
    this.#steps = 0;
    this.#over = null;
  }

  #sizeOf(read: Read): Size {
    return this.#sizes[this.#rules.reads.position(read)] ?? NOTHING;
  }

  #read(position: number): boolean {
    const large = this.#measure(position);
    if (large !== null) this.#over ??= large;
    return large === null;
  }

  /** The name of what is read there, where it is too large. */
  #measure(position: number): string | null {
    const read = this.#rules.reads.all[position];
    if (read === undefined) return null;
    const size = read.sizeOf(this.call, this.answers);
    if (size === null) return read.name;
    this.#sizes[position] = size;
    this.#steps += read.once(size);
    return null;
  }

  /** The keys of every pattern that fits the call's `to` or `from`. */
  keys(field: "to" | "from"): readonly string[] {
    if (field === "to") {
      this.#to ??= this.#keysOf("to");
      return this.#to;
    }
    this.#from ??= this.#keysOf("from");
    return this.#from;
  }

  #keysOf(field: "to" | "from"): string[] {
    return addressKeys(this.call[field], canonicalOf(this.call, field), this.#rules.prefixes);
  }

  /** Numbers that the address would be if the tenant's record said more, each with the keys of every pattern that fits it. */
  numbersIfKnown(field: "to" | "from"): NumberIfKnown[] {
    const known = this.#ifKnown.get(field);
    if (known !== undefined) return known;
    const numbers = numberIfKnown(this.call[field], canonicalOf(this.call, field));
    const made = numbers.map((number) => ({
      number,
      keys: addressKeys(number, number, this.#rules.prefixes),
    }));
    this.#ifKnown.set(field, made);
    return made;
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
    this.#facts ??= factsOf(this.call, this.now_ms, this.answers, this.#rules.tenant);
    return this.#facts;
  }
}
