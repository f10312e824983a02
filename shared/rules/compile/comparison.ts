import type { ASTNode } from "@marcbachmann/cel-js";
import { type PlaceRead, placeOf, placeSought } from "../ast.ts";
import { type Facts, isCallField } from "../facts.ts";
import { placeRead, type Read } from "../reads.ts";

/** What a test may come to, as bits: more than one where only CEL can tell. */
export const TRUE = 1;
export const FALSE = 2;
export const FAILS = 4;
const ANY = TRUE | FALSE | FAILS;

/**
 * A test of an expression, worked out here as CEL would. Most rules' expressions compare a few texts, and few of them hold: CEL
 * says of what a call does not have by throwing, which takes a hundred times as long as the comparison.
 */
export interface Test {
  outcome(facts: Facts): number;
}

export interface ReadTest {
  test: Test;
  /** Whether it can be worked out here for every call. */
  isTotal: boolean;
  /** What the comparisons that are worked out here read. */
  reads: readonly Read[];
}

/** Reads an expression that was checked; what is no plain comparison may come to anything. */
export function readTest(node: ASTNode): ReadTest {
  switch (node.op) {
    case "&&":
    case "||": {
      const [left, right] = [readTest(node.args[0]), readTest(node.args[1])];
      const test = node.op === "&&" ? new Both(left.test, right.test) : new Either(left.test, right.test);
      const isTotal = left.isTotal && right.isTotal;
      return { test, isTotal, reads: [...left.reads, ...right.reads] };
    }
    case "!_": {
      const inner = readTest(node.args);
      return { ...inner, test: new Not(inner.test) };
    }
    default: {
      const found = readPlain(node);
      if (found === null) return { test: anything, isTotal: false, reads: [] };
      const read = found.place === null ? null : placeRead(found.place);
      return { test: found.test, isTotal: true, reads: read === null ? [] : [read] };
    }
  }
}

/** The parts of a chain of && that hold wherever CEL has to be asked about the rest. */
export function settledIn(node: ASTNode): ASTNode[] {
  if (readTest(node).isTotal) return [node];
  return node.op === "&&" ? node.args.flatMap(settledIn) : [];
}

const anything: Test = { outcome: () => ANY };

class Both implements Test {
  readonly #left: Test;
  readonly #right: Test;

  constructor(left: Test, right: Test) {
    this.#left = left;
    this.#right = right;
  }

  outcome(facts: Facts): number {
    const left = this.#left.outcome(facts);
    return left === FALSE ? FALSE : combined(left, this.#right.outcome(facts), TRUE, FALSE);
  }
}

class Either implements Test {
  readonly #left: Test;
  readonly #right: Test;

  constructor(left: Test, right: Test) {
    this.#left = left;
    this.#right = right;
  }

  outcome(facts: Facts): number {
    const left = this.#left.outcome(facts);
    return left === TRUE ? TRUE : combined(left, this.#right.outcome(facts), FALSE, TRUE);
  }
}

/** What two come to: `weak` only where both do, `strong` where one does, whatever fails beside it. */
function combined(left: number, right: number, weak: number, strong: number): number {
  const fails =
    ((left & FAILS) !== 0 && (right & (weak | FAILS)) !== 0) ||
    ((right & FAILS) !== 0 && (left & (weak | FAILS)) !== 0);
  return (left & right & weak) | ((left | right) & strong) | (fails ? FAILS : 0);
}

class Not implements Test {
  readonly #inner: Test;

  constructor(inner: Test) {
    this.#inner = inner;
  }

  outcome(facts: Facts): number {
    const inner = this.#inner.outcome(facts);
    return ((inner & TRUE) !== 0 ? FALSE : 0) | ((inner & FALSE) !== 0 ? TRUE : 0) | (inner & FAILS);
  }
}

type Root = "call" | "headers" | "params" | "vars" | "answer";
type Literal = string | number | bigint | boolean;
type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A field of the call, or a key of one of its maps. */
interface Place {
  root: Root;
  key: string;
}

/** `call.type == 'phone'`, `params.floor > 3`. */
class Compare implements Test {
  readonly #root: Root;
  readonly #key: string;
  readonly #operator: Operator;
  readonly #literal: Literal;

  constructor({ root, key }: Place, operator: Operator, literal: Literal) {
    this.#root = root;
    this.#key = key;
    this.#operator = operator;
    this.#literal = literal;
  }

  outcome(facts: Facts): number {
    const value = valueAt(facts, this.#root, this.#key);
    if (value === undefined || !isKnown(value)) return FAILS;
    const order = orderOf(value, this.#literal);
    switch (this.#operator) {
      case "==":
        return order === 0 ? TRUE : FALSE;
      case "!=":
        return order === 0 ? FALSE : TRUE;
      case "<":
        return order === null ? FAILS : order < 0 ? TRUE : FALSE;
      case "<=":
        return order === null ? FAILS : order <= 0 ? TRUE : FALSE;
      case ">":
        return order === null ? FAILS : order > 0 ? TRUE : FALSE;
      case ">=":
        return order === null ? FAILS : order >= 0 ? TRUE : FALSE;
    }
  }
}

/** `'x-tier' in call.headers`, `has(params.floor)`. */
class Present implements Test {
  readonly #root: Root;
  readonly #key: string;
  /** Whether it fails where the value has no type: only `has` looks at that. */
  readonly #isTyped: boolean;

  constructor({ root, key }: Place, isTyped: boolean) {
    this.#root = root;
    this.#key = key;
    this.#isTyped = isTyped;
  }

  outcome(facts: Facts): number {
    const value = valueAt(facts, this.#root, this.#key);
    if (value === undefined) return FALSE;
    return this.#isTyped && !hasType(value) ? FAILS : TRUE;
  }
}

/** `call.from in ['+15550100001', '+15550100002']`. */
class Among implements Test {
  readonly #root: Root;
  readonly #key: string;
  readonly #texts: ReadonlySet<unknown>;

  constructor({ root, key }: Place, texts: ReadonlySet<string>) {
    this.#root = root;
    this.#key = key;
    this.#texts = texts;
  }

  outcome(facts: Facts): number {
    const value = valueAt(facts, this.#root, this.#key);
    if (value === undefined) return FAILS;
    return this.#texts.has(value) ? TRUE : FALSE;
  }
}

type Affix = "startsWith" | "endsWith";

/** `call.from.startsWith('+1555')`. */
class Affixed implements Test {
  readonly #root: Root;
  readonly #key: string;
  readonly #affix: Affix;
  readonly #text: string;

  constructor({ root, key }: Place, affix: Affix, text: string) {
    this.#root = root;
    this.#key = key;
    this.#affix = affix;
    this.#text = text;
  }

  outcome(facts: Facts): number {
    const value = valueAt(facts, this.#root, this.#key);
    if (typeof value !== "string") return FAILS;
    return value[this.#affix](this.#text) ? TRUE : FALSE;
  }
}

/** A comparison, and the place that it reads; null where it only asks whether there is anything. */
interface Plain {
  test: Test;
  place: PlaceRead | null;
}

function readPlain(node: ASTNode): Plain | null {
  switch (node.op) {
    case "==":
    case "!=":
    case "<":
    case "<=":
    case ">":
    case ">=":
      return (
        readCompare(node.args[0], node.op, node.args[1]) ??
        readCompare(node.args[1], turned[node.op], node.args[0])
      );
    case "call": {
      return readPresent(placeSought(node), true);
    }
    case "in": {
      const sought = placeSought(node);
      // A field of the call is in no map.
      const isKey = sought !== null && plainPlace(sought)?.root !== "call";
      return (isKey ? readPresent(sought, false) : null) ?? readAmong(node.args[0], node.args[1]);
    }
    case "rcall":
      return readAffixed(node.args[0], node.args[1], node.args[2]);
    default:
      return null;
  }
}

const turned = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

function readPresent(sought: PlaceRead | null, isTyped: boolean): Plain | null {
  const place = plainPlace(sought);
  return place === null ? null : { test: new Present(place, isTyped), place: null };
}

function readCompare(left: ASTNode, operator: Operator, right: ASTNode): Plain | null {
  const read = placeOf(left);
  const place = plainPlace(read);
  const literal = right.op === "value" ? right.args : null;
  if (read === null || place === null || !isLiteral(literal)) return null;
  return { test: new Compare(place, operator, literal), place: read };
}

/** Parameters and variables may be other than text. */
function readAmong(left: ASTNode, right: ASTNode): Plain | null {
  const read = placeOf(left);
  const place = plainPlace(read);
  if (read === null || place === null || place.root === "params" || place.root === "vars") return null;
  if (right.op !== "list") return null;
  const texts = right.args.map((item) => (item.op === "value" ? item.args : null));
  if (texts.length === 0 || !texts.every((text) => typeof text === "string")) return null;
  return { test: new Among(place, new Set(texts)), place: read };
}

function readAffixed(method: string, receiver: ASTNode, args: readonly ASTNode[]): Plain | null {
  if (method !== "startsWith" && method !== "endsWith") return null;
  const read = placeOf(receiver);
  const place = plainPlace(read);
  const [text] = args;
  if (read === null || place === null || text?.op !== "value" || typeof text.args !== "string") return null;
  return { test: new Affixed(place, method, text.args), place: read };
}

/** The place, if it is one that a test here can read: what lies deeper is CEL's. */
function plainPlace(place: PlaceRead | null): Place | null {
  if (place === null) return null;
  const { root, keys } = place;
  const [key, more, ...others] = keys;
  if (typeof key !== "string" || others.length > 0) return null;
  if (root === "call") {
    if (key === "headers") return typeof more === "string" ? { root: "headers", key: more } : null;
    return more === undefined && isCallField(key) ? { root: "call", key } : null;
  }
  if (more !== undefined || (root !== "params" && root !== "vars" && root !== "answer")) return null;
  return { root, key };
}

function isLiteral(value: unknown): value is Literal {
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

function valueAt(facts: Facts, root: Root, key: string): unknown {
  switch (root) {
    case "call":
      return isCallField(key) ? facts.call[key] : undefined;
    case "headers":
      return facts.call.headers.get(key);
    default:
      return facts[root].get(key);
  }
}

/** Below 0, 0 or above it, as the value stands to the literal; null where CEL does not order the two. */
function orderOf(value: unknown, literal: Literal): number | null {
  if (typeof value === "string" && typeof literal === "string")
    return value === literal ? 0 : value < literal ? -1 : 1;
  if (typeof value === "number" && (typeof literal === "number" || typeof literal === "bigint"))
    return value < literal ? -1 : value > literal ? 1 : 0;
  if (typeof value === "boolean" && typeof literal === "boolean") return Number(value) - Number(literal);
  return null;
}

/** Values whose first items were looked at, all the way down, and whether all of them have a type. */
const lookedInto = new WeakMap<object, boolean>();

/** Whether CEL has a type for the value: it looks at the first item of each list and object, all the way down. */
function isKnown(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  const before = lookedInto.get(value);
  if (before !== undefined) return before;
  let inner: unknown = value;
  while (typeof inner === "object" && inner !== null && hasType(inner)) inner = firstOf(inner);
  const known = hasType(inner);
  lookedInto.set(value, known);
  return known;
}

/** CEL asks an object who made it, and it may have a key of that name. */
function hasType(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  const maker: unknown = value.constructor;
  return maker === Array || maker === Object || maker === undefined;
}

function firstOf(collection: object): unknown {
  for (const key in collection) return (collection as Record<string, unknown>)[key]; // A key of its own.
  return undefined;
}
