import { addressKey } from "../address.ts";
import type { Match, Wanted } from "../schema/match-schema.ts";
import type { EvaluationContext } from "./evaluation-context.ts";
import type { MatcherValues } from "./matcher-values.ts";

/** Up to so many rules are simply looked at in turn, so that the decision can say of each why it did not match. */
const FEW = 16;

/** Positions of rules, ascending, told apart by the addresses they name, as far as that pays. */
type Node = { by: null; positions: readonly number[] } | Branch;

interface Branch {
  by: "to" | "from";
  keys: Map<string, Node>;
  /** Rules that name a list, under the list's name: a list of thousands is kept once, however many rules name it. */
  lists: { values: ReadonlySet<string>; node: Node }[];
  /** Rules that do not name this field. */
  rest: Node;
}

/** Finds the rules that could match a call by the numbers they name, so that deciding costs what those cost. */
export class AddressIndex {
  /** The addresses that the rules name, each with the position of the first that does. */
  readonly named: readonly { field: "to" | "from"; first: number }[];
  readonly #root: Node;

  constructor(matches: readonly Match[], sets: MatcherValues) {
    this.named = (["to", "from"] as const)
      .map((field) => ({ field, first: matches.findIndex((match) => match[field] !== undefined) }))
      .filter(({ first }) => first >= 0);
    this.#root = build(matches, sets, [...matches.keys()], ["to", "from"]);
  }

  /** The positions, each once and ascending, of the rules whose `to` and `from` are not known to differ from the call's. */
  *candidates(context: EvaluationContext): Generator<number> {
    const found: (readonly number[])[] = [];
    collect(this.#root, context, found);
    if (found.length === 1) yield* found[0] ?? [];
    else if (found.length <= FEW) yield* merge(found);
    else yield* [...new Set(found.flat())].sort((one, other) => one - other);
  }
}

/** A few ascending lists as one, without duplicates; as lazy as its reader, who mostly stops at the first rule that matches. */
function* merge(lists: readonly (readonly number[])[]): Generator<number> {
  const at = lists.map(() => 0);
  while (true) {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < lists.length; i++) least = Math.min(least, lists[i]?.[at[i] ?? 0] ?? least);
    if (least === Number.POSITIVE_INFINITY) return;
    for (let i = 0; i < lists.length; i++) if (lists[i]?.[at[i] ?? 0] === least) at[i] = (at[i] ?? 0) + 1;
    yield least;
  }
}

function collect(node: Node, context: EvaluationContext, found: (readonly number[])[]): void {
  if (node.by === null) {
    if (node.positions.length > 0) found.push(node.positions);
    return;
  }
  const keys = context.keys(node.by);
  for (const key of keys) {
    const branch = node.keys.get(key);
    if (branch !== undefined) collect(branch, context, found);
  }
  for (const { values, node: branch } of node.lists) {
    if (keys.some((key) => values.has(key))) collect(branch, context, found);
  }
  collect(node.rest, context, found);
}

function build(
  matches: readonly Match[],
  sets: MatcherValues,
  positions: readonly number[],
  fields: readonly ("to" | "from")[],
): Node {
  const [by, ...others] = fields;
  if (by === undefined || positions.length <= FEW) return { by: null, positions };
  const keys = new Map<string, number[]>();
  const lists = new Map<string, number[]>();
  const rest: number[] = [];
  for (const position of positions) {
    const wanted: Wanted | undefined = matches[position]?.[by];
    if (wanted === undefined) rest.push(position);
    else if (typeof wanted === "string") {
      const key = addressKey(wanted);
      if (key !== null) add(keys, key, position);
    } else if (Array.isArray(wanted)) {
      // A set: a value written twice is one key.
      for (const key of new Set(wanted.map(addressKey))) if (key !== null) add(keys, key, position);
    } else add(lists, wanted.list, position);
  }
  const branch = (part: readonly number[]) => build(matches, sets, part, others);
  return {
    by,
    keys: new Map([...keys].map(([key, part]) => [key, branch(part)])),
    lists: [...lists].map(([name, part]) => ({
      values: sets.addressKeys({ list: name }),
      node: branch(part),
    })),
    rest: branch(rest),
  };
}

function add(groups: Map<string, number[]>, key: string, position: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [position]);
  else group.push(position);
}
