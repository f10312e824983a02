import type { ASTNode } from "@marcbachmann/cel-js";
import { type PlaceRead, placeOf, placeSought } from "./ast.ts";
import { type Facts, isCallField } from "./facts.ts";

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

/** The test, and whether it can be worked out here for every call. */
export interface ReadTest {
  test: Test;
  isTotal: boolean;
}

/** Reads an expression that was checked; what is no plain comparison may come to anything. */
export function readTest(node: ASTNode): ReadTest {
  switch (node.op) {
    case "&&":
    case "||": {
      const [left, right] = [readTest(node.args[0]), readTest(node.args[1])];
      const test = node.op === "&&" ? new Both(left.test, right.test) : new Either(left.test, right.test);
      return { test, isTotal: left.isTotal && right.isTotal };
    }
    case "!_": {
      const inner = readTest(node.args);
      return { test: new Not(inner.test), isTotal: inner.isTotal };
    }
    default: {
      const test = readPlain(node);
      return test === null ? { test: anything, isTotal: false } : { test, isTotal: true };
    }
  }
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

function readPlain(node: ASTNode): Test | null {
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
      const place = plainPlace(placeSought(node));
      return place === null ? null : new Present(place, true);
    }
    case "in": {
      const sought = plainPlace(placeSought(node));
      // A field of the call is in no map.
      if (sought !== null && sought.root !== "call") return new Present(sought, false);
      return readAmong(node.args[0], node.args[1]);
    }
    case "rcall":
      return readAffixed(node.args[0], node.args[1], node.args[2]);
    default:
      return null;
  }
}

const turned = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

function readCompare(left: ASTNode, operator: Operator, right: ASTNode): Test | null {
  const place = plainPlace(placeOf(left));
  const literal = right.op === "value" ? right.args : null;
  return place === null || !isLiteral(literal) ? null : new Compare(place, operator, literal);
}

/** Of parameters and variables nobody knows that they are text. */
function readAmong(left: ASTNode, right: ASTNode): Test | null {
  const place = plainPlace(placeOf(left));
  if (place === null || place.root === "params" || place.root === "vars" || right.op !== "list") return null;
  const texts = right.args.map((item) => (item.op === "value" ? item.args : null));
  if (texts.length === 0 || !texts.every((text) => typeof text === "string")) return null;
  return new Among(place, new Set(texts));
}

function readAffixed(method: string, receiver: ASTNode, args: readonly ASTNode[]): Test | null {
  if (method !== "startsWith" && method !== "endsWith") return null;
  const place = plainPlace(placeOf(receiver));
  const [text] = args;
  if (place === null || text?.op !== "value" || typeof text.args !== "string") return null;
  return new Affixed(place, method, text.args);
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

/** Whether CEL has a type for the value: it looks at the first item of each list and object, all the way down. */
function isKnown(value: unknown): boolean {
  let inner = value;
  while (typeof inner === "object" && inner !== null) {
    if (!hasType(inner)) return false;
    inner = firstOf(inner);
  }
  return true;
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
