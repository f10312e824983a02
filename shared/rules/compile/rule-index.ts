import { addressKey } from "../address.ts";
import type { Wanted } from "../schema/match-schema.ts";
import type { EvaluationContext } from "./evaluation-context.ts";
import type { MatcherValues } from "./matcher-values.ts";
import { OpenHours } from "./open-hours.ts";
import type { Passable } from "./passable.ts";
import type { Schedule } from "./schedule.ts";

/** Up to so many rules are simply looked at in turn, so that the decision can say of each why it did not match. */
const FEW = 16;

/** Positions of rules, ascending. */
type Positions = readonly number[];

/** Rules told apart as far as that pays. */
type Node = Positions | Branch;

interface Branch {
  /** @param passes Whether rules may be told apart by what stands behind other conditions of theirs. */
  collect(context: EvaluationContext, passes: boolean, found: Positions[]): void;
}

/** A rule as the index sees it. */
export interface Indexed extends Passable {
  to: Wanted | undefined;
  from: Wanted | undefined;
}

type Side = "to" | "from";
/** By `match.to`, by the texts that `when` compares `call.to` with, by schedules. */
type Dimension = { matched: Side } | { compared: Side } | "during";

const DIMENSIONS: readonly Dimension[] = [
  { matched: "to" },
  { matched: "from" },
  { compared: "to" },
  { compared: "from" },
  "during",
];

/** Finds the rules that could match a call by what they name, so that deciding costs what those cost. */
export class RuleIndex {
  /** The addresses that the rules' matches name, each with the position of the first that does. */
  readonly named: readonly { field: Side; first: number }[];
  readonly #root: Node;
  /** What the rules read that are passed over by their `when` or schedule. */
  readonly #reads: readonly number[];

  constructor(rules: readonly Indexed[], reads: readonly number[], sets: MatcherValues) {
    this.named = (["to", "from"] as const)
      .map((field) => ({ field, first: rules.findIndex((rule) => rule[field] !== undefined) }))
      .filter(({ first }) => first >= 0);
    this.#reads = reads;
    this.#root = build(rules, sets, [...rules.keys()], DIMENSIONS);
  }

  /** The positions, each once and ascending, of the rules that are not known to differ from the call in what they name. */
  *candidates(context: EvaluationContext): Generator<number> {
    const found: Positions[] = [];
    collect(this.#root, context, context.mayPassOver(this.#reads), found);
    if (found.length === 1) yield* found[0] ?? [];
    else if (found.length <= FEW) yield* merge(found);
    else yield* [...new Set(found.flat())].sort((one, other) => one - other);
  }
}

/** A few ascending lists as one, without duplicates; as lazy as its reader, who mostly stops at the first rule that matches. */
function* merge(lists: readonly Positions[]): Generator<number> {
  const at = lists.map(() => 0);
  while (true) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < lists.length; i++) least = Math.min(least, lists[i]?.[at[i] ?? 0] ?? least);
    if (least === Number.POSITIVE_INFINITY) return;
    for (let i = 0; i < lists.length; i++) if (lists[i]?.[at[i] ?? 0] === least) at[i] = (at[i] ?? 0) + 1;
    yield least;
  }
}

function collect(node: Node, context: EvaluationContext, passes: boolean, found: Positions[]): void {
  if ("collect" in node) node.collect(context, passes, found);
  else if (node.length > 0) found.push(node);
}

/** Rules told apart by the patterns that their `to` or `from` names. */
class Matched implements Branch {
  readonly #side: Side;
  readonly #keys: ReadonlyMap<string, Node>;
  /** Rules that name a list, under the list's name: a list of thousands is kept once, however many rules name it. */
  readonly #lists: readonly { values: ReadonlySet<string>; node: Node }[];
  readonly #rest: Node;

  constructor(
    side: Side,
    keys: ReadonlyMap<string, Node>,
    lists: readonly { values: ReadonlySet<string>; node: Node }[],
    rest: Node,
  ) {
    this.#side = side;
    this.#keys = keys;
    this.#lists = lists;
    this.#rest = rest;
  }

  collect(context: EvaluationContext, passes: boolean, found: Positions[]): void {
    const keys = context.keys(this.#side);
    for (const key of keys) {
      const node = this.#keys.get(key);
      if (node !== undefined) collect(node, context, passes, found);
    }
    for (const { values, node } of this.#lists) {
      if (keys.some((key) => values.has(key))) collect(node, context, passes, found);
    }
    collect(this.#rest, context, passes, found);
  }
}

/** Rules told apart by the texts of which `call.to` or `call.from`, as it came, must be one. */
class Compared implements Branch {
  readonly #side: Side;
  readonly #texts: ReadonlyMap<string, Node>;
  readonly #rest: Node;
  readonly #all: Positions;

  constructor(side: Side, texts: ReadonlyMap<string, Node>, rest: Node, all: Positions) {
    this.#side = side;
    this.#texts = texts;
    this.#rest = rest;
    this.#all = all;
  }

  collect(context: EvaluationContext, passes: boolean, found: Positions[]): void {
    if (!passes) {
      collect(this.#all, context, passes, found);
      return;
    }
    const node = this.#texts.get(context.call[this.#side]);
    if (node !== undefined) collect(node, context, passes, found);
    collect(this.#rest, context, passes, found);
  }
}

/** Rules told apart by the schedules of which one must be open. */
class During implements Branch {
  readonly #hours: OpenHours<Positions>;
  readonly #rest: Node;
  readonly #all: Positions;

  constructor(hours: OpenHours<Positions>, rest: Node, all: Positions) {
    this.#hours = hours;
    this.#rest = rest;
    this.#all = all;
  }

  collect(context: EvaluationContext, passes: boolean, found: Positions[]): void {
    if (!passes) {
      collect(this.#all, context, passes, found);
      return;
    }
    this.#hours.collect((clock) => context.wallTime(clock), found);
    collect(this.#rest, context, passes, found);
  }
}

function build(
  rules: readonly Indexed[],
  sets: MatcherValues,
  positions: Positions,
  dimensions: readonly Dimension[],
): Node {
  const [dimension, ...others] = dimensions;
  if (dimension === undefined || positions.length <= FEW) return positions;
  const branch = (part: Positions) => build(rules, sets, part, others);
  const branches = (parts: ReadonlyMap<string, number[]>) =>
    new Map([...parts].map(([key, part]) => [key, branch(part)]));
  const rest: number[] = [];
  if (dimension === "during") {
    const bySchedule = new Map<Schedule, number[]>();
    for (const position of positions) {
      const during = rules[position]?.during ?? null;
      if (during === null) rest.push(position);
      else for (const schedule of new Set(during)) add(bySchedule, schedule, position);
    }
    return bySchedule.size === 0
      ? branch(rest)
      : new During(new OpenHours(bySchedule), branch(rest), positions);
  }
  if ("compared" in dimension) {
    const side = dimension.compared;
    const texts = new Map<string, number[]>();
    for (const position of positions) {
      const wanted = rules[position]?.compared[side] ?? null;
      if (wanted === null) rest.push(position);
      else for (const text of new Set(wanted)) add(texts, text, position);
    }
    return texts.size === 0 ? branch(rest) : new Compared(side, branches(texts), branch(rest), positions);
  }
  const side = dimension.matched;
  const keys = new Map<string, number[]>();
  const lists = new Map<string, number[]>();
  for (const position of positions) {
    const wanted = rules[position]?.[side];
    if (wanted === undefined) rest.push(position);
    else if (typeof wanted === "string") {
      const key = addressKey(wanted);
      if (key !== null) add(keys, key, position);
    } else if (Array.isArray(wanted)) {
      // A set: a value written twice is one key.
      for (const key of new Set(wanted.map(addressKey))) if (key !== null) add(keys, key, position);
    } else add(lists, wanted.list, position);
  }
  if (rest.length === positions.length) return branch(rest);
  const named = [...lists].map(([list, part]) => ({
    values: sets.addressKeys({ list }),
    node: branch(part),
  }));
  return new Matched(side, branches(keys), named, branch(rest));
}

function add<Key>(groups: Map<Key, number[]>, key: Key, position: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [position]);
  else group.push(position);
}
