import type { ASTNode } from "@marcbachmann/cel-js";
import {
  type Amount,
  amount,
  type Items,
  larger,
  NONE,
  plus,
  scaled,
  smaller,
  times,
  top,
  total,
} from "../amount.ts";
import { isNode, type PlaceRead, partsOf, placeName, placeOf, placeSought } from "../ast.ts";
import { READ_TEXT } from "../limits.ts";
import { placeRead, type Read, zoneRead } from "../reads.ts";
import { searchSteps } from "../text-pattern.ts";
import { CHARS_COMPARED, COLLECTION_STEPS, type Size, textSize } from "../value-size.ts";
import type { CostOf, SizeOf } from "./cost.ts";

/** What CEL takes to fail, and for each character before the place: it draws a picture of that. Seen: 1.1 to 4.4 µs. */
const FAILURE_STEPS = 150;
const FAILURE_STEPS_PER_CHAR = 0.25;
/** A turn of a loop, beside what is in it. */
const TURN_STEPS = 4;
/** The time of an instant in a zone, where it is not kept: of any instant but `now`, or in a zone that the call names. */
const ZONE_STEPS = 10_000;
/** What none that may be evaluated takes. */
const ENDLESS = Number.POSITIVE_INFINITY;

/** What the value of a part may be, at its largest. */
interface Extent {
  /** If it is text. */
  chars: Amount;
  /** If it is a list or map. */
  items: Amount;
  weight: Amount;
  inner: Amount;
  /** Characters of the longest text in it. */
  longest: number;
}

/** What a part of an expression takes. */
interface Part {
  steps: Amount;
  extent: Extent;
  /** Whether it may fail. */
  fails: boolean;
}

/**
 * The steps that an expression takes in CEL at most, and what it reads. Known without evaluating it: by its parts, and the
 * sizes of what it reads.
 *
 * @param settled parts that are known to hold before CEL is asked, so that they do not fail.
 */
export function costOfExpression(ast: ASTNode, length: number, settled: ReadonlySet<ASTNode>): CostOf {
  const reads = new Map<string, Read>();
  const note = (read: Read): Size => {
    reads.set(read.key, read);
    return read.largest;
  };
  const steps = (sizeOf: SizeOf): number => new Costing(sizeOf, length, settled).of(ast);
  steps(note);
  return { reads: [...reads.values()], steps };
}

/** What it takes to fail, in an expression of that length. */
export function failureSteps(length: number): number {
  return FAILURE_STEPS + length * FAILURE_STEPS_PER_CHAR;
}

class Costing {
  readonly #sizeOf: SizeOf;
  readonly #failure: number;
  readonly #settled: ReadonlySet<ASTNode>;
  /** The loop that the part stands in. */
  #loop: { variable: string; items: Items; each: Extent } | null = null;
  /** Places that are known to be there. */
  #guarded: ReadonlySet<string> = new Set();

  constructor(sizeOf: SizeOf, length: number, settled: ReadonlySet<ASTNode>) {
    this.#sizeOf = sizeOf;
    this.#failure = failureSteps(length);
    this.#settled = settled;
  }

  of(ast: ASTNode): number {
    const { steps, fails } = this.#part(ast);
    return this.#total(steps) + (fails || !isTest(ast) ? this.#failure : 0);
  }

  #part(node: ASTNode): Part {
    const part = this.#unsettled(node);
    return this.#settled.has(node) ? { ...part, fails: false } : part;
  }

  #unsettled(node: ASTNode): Part {
    switch (node.op) {
      case "value":
        return plain(1, literalExtent(node.args));
      case "id":
        return this.#variable(node.args);
      case ".":
      case "[]":
        return this.#access(node);
      case "&&":
      case "||":
        return this.#logical(node);
      case "?:":
        return this.#conditional(node.args);
      case "!_":
      case "-_": {
        const inner = this.#part(node.args);
        return part(inner, 3, SCALAR, inner.fails || node.op === "-_" || !isTest(node.args));
      }
      case "==":
      case "!=":
        return this.#equal(...node.args);
      case "in":
        return this.#membership(...node.args);
      case "list":
      case "map":
        return this.#collection(partsOf(node));
      case "call":
        return this.#call(node.args[0], node.args[1], node);
      case "rcall":
        return this.#method(node.args[0], node.args[1], node.args[2]);
      case "+":
        return this.#sum(...node.args);
      case "<":
      case "<=":
      case ">":
      case ">=":
        return this.#order(...node.args);
      case "-":
      case "*":
      case "/":
      case "%":
        return joined(
          node.args.map((one) => this.#part(one)),
          4,
          SCALAR,
          true,
        );
      default:
        return plain(ENDLESS, SCALAR);
    }
  }

  #variable(name: string): Part {
    if (this.#loop?.variable === name) return plain(2, this.#loop.each);
    const read = placeRead({ root: name, keys: [] });
    return plain(2, read === null ? NAME : extentOf(this.#sizeOf(read)));
  }

  #access(node: ASTNode & { op: "." | "[]" }): Part {
    const place = placeOf(node);
    if (place !== null && place.root !== this.#loop?.variable) {
      const read = placeRead(place);
      const isField = place.root === "call" && place.keys.length === 1;
      const extent = read === null ? NAME : extentOf(this.#sizeOf(read));
      return { steps: amount(2 + 4 * place.keys.length), extent, fails: !isField && !this.#isGuarded(place) };
    }
    const container = this.#part(node.args[0]);
    const { extent } = container;
    // One text of those in it, which may be the longest.
    const chars = smaller(extent.inner, amount(extent.longest), this.#items());
    const value: Extent = { ...extent, chars, items: extent.weight };
    const fails = place === null || !this.#isGuarded(place);
    const key = node.op === "[]" ? this.#part(node.args[1]) : plain(0, SCALAR);
    return { ...joined([container, key], 4, value, fails), fails };
  }

  #logical({ args: [left, right], op }: ASTNode & { op: "&&" | "||" }): Part {
    const first = this.#part(left);
    const second = op === "&&" ? this.#guardedBy(left, right) : this.#part(right);
    const failing = [
      [left, first],
      [right, second],
    ] as const;
    const failures = failing.filter(([node, { fails }]) => fails || !this.#isSettledTest(node)).length;
    return joined([first, second], 2 + failures * this.#failure, SCALAR, failures > 0);
  }

  #isSettledTest(node: ASTNode): boolean {
    return isTest(node) || this.#settled.has(node);
  }

  #conditional([condition, then, otherwise]: readonly [ASTNode, ASTNode, ASTNode]): Part {
    const asked = this.#part(condition);
    const [left, right] = [this.#guardedBy(condition, then), this.#part(otherwise)];
    const dearer: Part = {
      steps: larger(left.steps, right.steps),
      extent: largerExtent(left.extent, right.extent),
      fails: left.fails || right.fails,
    };
    return joined([asked, dearer], 2, dearer.extent, asked.fails || dearer.fails || !isTest(condition));
  }

  /** The part, where another one holds: what that looked for is there. */
  #guardedBy(condition: ASTNode, node: ASTNode): Part {
    const before = this.#guarded;
    this.#guarded = new Set([...before, ...soughtIn(condition)]);
    const found = this.#part(node);
    this.#guarded = before;
    return found;
  }

  #isGuarded(place: PlaceRead): boolean {
    return this.#guarded.has(placeName(place));
  }

  #equal(left: ASTNode, right: ASTNode): Part {
    const [first, second] = [this.#part(left), this.#part(right)];
    const compared = smaller(first.extent.weight, second.extent.weight, this.#items());
    return joined([first, second], plus(amount(3), compared), SCALAR, first.fails || second.fails);
  }

  #order(left: ASTNode, right: ASTNode): Part {
    const [first, second] = [this.#part(left), this.#part(right)];
    const compared = scaled(smaller(first.extent.chars, second.extent.chars, this.#items()), 1 / 64);
    return joined([first, second], plus(amount(4), compared), SCALAR, true);
  }

  #sum(left: ASTNode, right: ASTNode): Part {
    const [first, second] = [this.#part(left), this.#part(right)];
    const extent: Extent = {
      chars: plus(first.extent.chars, second.extent.chars),
      items: plus(first.extent.items, second.extent.items),
      weight: plus(first.extent.weight, second.extent.weight),
      inner: plus(first.extent.inner, second.extent.inner),
      longest: first.extent.longest + second.extent.longest,
    };
    const made = plus(extent.items, scaled(extent.chars, 1 / 16));
    return joined([first, second], plus(amount(4), made), extent, true);
  }

  #membership(left: ASTNode, right: ASTNode): Part {
    const place = placeOf(right);
    const value = this.#part(left);
    if (place !== null && isMap(place) && place.root !== this.#loop?.variable)
      return joined([value], 4, SCALAR, !isScalar(left));
    const among = this.#part(right);
    const each = smaller(
      times(among.extent.items, value.extent.weight, this.#items()),
      among.extent.weight,
      this.#items(),
    );
    const fails = value.fails || among.fails || right.op !== "list";
    return joined([value, among], plus(amount(4), plus(among.extent.items, each)), SCALAR, fails);
  }

  #collection(nodes: readonly ASTNode[]): Part {
    const parts = nodes.map((one) => this.#part(one));
    const sum = (of: (extent: Extent) => Amount) =>
      parts.reduce((all, { extent }) => plus(all, of(extent)), NONE);
    const extent: Extent = {
      chars: NONE,
      items: amount(nodes.length),
      weight: plus(
        amount(COLLECTION_STEPS),
        sum(({ weight }) => weight),
      ),
      inner: sum(({ inner }) => inner),
      longest: Math.max(0, ...parts.map(({ extent: { longest } }) => longest)),
    };
    return joined(
      parts,
      2 + nodes.length,
      extent,
      parts.some(({ fails }) => fails),
    );
  }

  #call(name: string, args: readonly ASTNode[], node: ASTNode): Part {
    if (name === "has") return this.#has(node);
    const parts = args.map((one) => this.#part(one));
    const { chars = NONE, items = NONE } = parts[0]?.extent ?? {};
    const of = (steps: Amount, extent: Extent) => joined(parts, plus(amount(6), steps), extent, true);
    switch (name) {
      case "size":
        return of(plus(chars, scaled(items, 2)), SCALAR);
      case "bool":
      case "int":
      case "uint":
      case "double":
        return of(chars, SCALAR);
      case "string":
        return of(plus(amount(10), chars), textExtent(plus(amount(32), chars)));
      case "bytes":
        return of(chars, textExtent(scaled(chars, 3)));
      case "dyn":
        return of(NONE, parts[0]?.extent ?? SCALAR);
      case "type":
        return of(amount(10), SCALAR);
      case "timestamp":
        return of(amount(60), SCALAR);
      case "duration": {
        // Its regular expression tries every way to split the digits: 9 ms for 400 of them.
        const length = top(chars, this.#items());
        return of(amount(60 + length ** 3 / 30), SCALAR);
      }
      default:
        return of(amount(ENDLESS), SCALAR);
    }
  }

  #has(node: ASTNode): Part {
    const place = placeSought(node);
    if (place === null) return plain(ENDLESS, SCALAR);
    const behind = { root: place.root, keys: place.keys.slice(0, -1) };
    const fails = behind.keys.length > 0 && !isMap(behind) && !this.#isGuarded(behind);
    return { steps: amount(4 + 4 * place.keys.length), extent: SCALAR, fails };
  }

  #method(name: string, receiver: ASTNode, args: readonly ASTNode[]): Part {
    if (name === "all" || name === "exists" || name === "exists_one" || name === "filter")
      return this.#loopOver(name, receiver, args);
    const on = this.#part(receiver);
    const parts = [on, ...args.map((one) => this.#part(one))];
    const { chars, items, inner } = on.extent;
    const given = parts[1]?.extent.chars ?? NONE;
    const mayFail = !this.#isSafe(name, receiver, args);
    const of = (steps: Amount, extent: Extent) =>
      joined(parts, plus(amount(6), steps), extent, mayFail || parts.some(({ fails }) => fails));
    switch (name) {
      case "startsWith":
      case "endsWith":
        return of(scaled(given, 1 / 16), SCALAR);
      case "contains":
      case "indexOf":
      case "lastIndexOf":
        return of(this.#search(chars, given), SCALAR);
      case "size":
        return of(plus(chars, scaled(items, 2)), SCALAR);
      case "lowerAscii":
      case "upperAscii":
        return of(plus(chars, chars), textExtent(scaled(chars, 3)));
      case "trim":
      case "substring":
        return of(scaled(chars, 1 / 4), textExtent(chars));
      case "split": {
        const pieces = plus(amount(1), chars);
        const list: Extent = {
          chars: NONE,
          items: pieces,
          weight: plus(amount(COLLECTION_STEPS), scaled(pieces, 2)),
          inner: chars,
          longest: top(chars, this.#items()),
        };
        return of(plus(this.#search(chars, given), scaled(pieces, 2)), list);
      }
      case "join": {
        const made = plus(inner, times(items, given, this.#items()));
        return of(plus(scaled(items, 3), scaled(made, 1 / 4)), textExtent(made));
      }
      case "hex":
      case "base64":
      case "string":
        return of(chars, textExtent(scaled(chars, 2)));
      case "json": {
        // What nests deep takes the square of that: CEL makes a type for each depth.
        const length = top(chars, this.#items());
        const weight = scaled(chars, COLLECTION_STEPS);
        const made: Extent = { chars, items: chars, weight, inner: chars, longest: length };
        return of(amount(length + length ** 2 / 400), made);
      }
      case "at":
        return of(NONE, SCALAR);
      default:
        return name.startsWith("get") ? of(this.#clock(receiver, args), SCALAR) : of(amount(ENDLESS), SCALAR);
    }
  }

  #search(chars: Amount, sought: Amount): Amount {
    return scaled(chars, searchSteps(1, top(sought, this.#items())));
  }

  #clock(receiver: ASTNode, [zone]: readonly ASTNode[]): Amount {
    if (zone === undefined) return amount(4);
    if (!isNow(receiver) || zone.op !== "value" || typeof zone.args !== "string") return amount(ZONE_STEPS);
    this.#sizeOf(zoneRead(zone.args));
    return amount(200);
  }

  /** Whether the method works on anything of the kinds that the checks know its operands to be. */
  #isSafe(name: string, receiver: ASTNode, args: readonly ASTNode[]): boolean {
    if (name.startsWith("get")) return isNow(receiver) && args.every(isScalar);
    return safeOnText.has(name) && this.#isText(receiver) && args.every((one) => this.#isText(one));
  }

  #isText(node: ASTNode): boolean {
    if (node.op === "value") return typeof node.args === "string";
    const place = placeOf(node);
    if (place === null || place.root === this.#loop?.variable) return false;
    const { root, keys } = place;
    return (
      root === "tenant" ||
      root === "answer" ||
      (root === "call" && keys.length > (keys[0] === "headers" ? 1 : 0))
    );
  }

  #loopOver(name: string, receiver: ASTNode, [variable, body]: readonly ASTNode[]): Part {
    const over = this.#part(receiver);
    // The checks let no loop stand within another.
    if (this.#loop !== null || variable?.op !== "id" || body === undefined) return plain(ENDLESS, SCALAR);
    const { extent } = over;
    const items: Items = {
      count: top(extent.items, SINGLE),
      weight: top(extent.weight, SINGLE),
      chars: top(extent.inner, SINGLE),
      longest: extent.longest,
    };
    const each: Extent = {
      chars: { fixed: 0, weight: 0, chars: 1 },
      items: { fixed: 0, weight: 1, chars: 0 },
      weight: { fixed: 0, weight: 1, chars: 0 },
      inner: { fixed: 0, weight: 0, chars: 1 },
      longest: extent.longest,
    };
    this.#loop = { variable: variable.args, items, each };
    const turn = this.#part(body);
    const caught = name === "all" || name === "exists";
    const fails = turn.fails || !isTest(body);
    const failures = fails && caught ? this.#failure : 0;
    const steps = 10 + this.#total(plus(turn.steps, amount(TURN_STEPS + failures)));
    this.#loop = null;
    const result = name === "filter" ? extent : SCALAR;
    return joined([over], steps, result, true);
  }

  #items(): Items {
    return this.#loop?.items ?? SINGLE;
  }

  #total(steps: Amount): number {
    return total(steps, this.#items());
  }
}

/** Where no loop is around. */
const SINGLE: Items = { count: 1, weight: 0, chars: 0, longest: 0 };
const SCALAR: Extent = { chars: NONE, items: NONE, weight: amount(1), inner: NONE, longest: 0 };
/** A tenant's name, an instant. */
const NAME: Extent = extentOf(textSize(64));

const safeOnText = new Set([
  "startsWith",
  "endsWith",
  "contains",
  "lowerAscii",
  "upperAscii",
  "trim",
  "size",
]);

function extentOf({ chars, items, weight, inner }: Size): Extent {
  return {
    chars: amount(chars),
    items: amount(items),
    weight: amount(weight),
    inner: amount(inner),
    longest: Math.max(chars, Math.min(inner, READ_TEXT)),
  };
}

function textExtent(chars: Amount): Extent {
  const weight = plus(amount(1), scaled(chars, 1 / CHARS_COMPARED));
  return { chars, items: NONE, weight, inner: chars, longest: ENDLESS };
}

function literalExtent(literal: unknown): Extent {
  if (typeof literal === "string") return extentOf(textSize(literal.length));
  return literal instanceof Uint8Array ? extentOf(textSize(literal.length)) : SCALAR;
}

function largerExtent(one: Extent, other: Extent): Extent {
  return {
    chars: larger(one.chars, other.chars),
    items: larger(one.items, other.items),
    weight: larger(one.weight, other.weight),
    inner: larger(one.inner, other.inner),
    longest: Math.max(one.longest, other.longest),
  };
}

function plain(steps: number, extent: Extent): Part {
  return { steps: amount(steps), extent, fails: false };
}

function part(inner: Part, steps: number, extent: Extent, fails: boolean): Part {
  return { steps: plus(inner.steps, amount(steps)), extent, fails };
}

function joined(parts: readonly Part[], steps: number | Amount, extent: Extent, fails: boolean): Part {
  const own = typeof steps === "number" ? amount(steps) : steps;
  return { steps: parts.reduce((sum, one) => plus(sum, one.steps), own), extent, fails };
}

/** The places that a condition looks for, and that are there where it holds. */
function soughtIn(condition: ASTNode): string[] {
  if (condition.op === "&&") return condition.args.flatMap(soughtIn);
  const place = placeSought(condition);
  return place === null ? [] : [placeName(place)];
}

/** Whether it gives true or false, where it gives anything. */
function isTest(node: ASTNode): boolean {
  switch (node.op) {
    case "value":
      return typeof node.args === "boolean";
    case "call":
      return node.args[0] === "has" || node.args[0] === "bool";
    case "rcall":
      return tests.has(node.args[0]);
    case "?:":
      return isTest(node.args[1]) && isTest(node.args[2]);
    default:
      return comparisons.has(node.op);
  }
}

const tests = new Set(["all", "exists", "exists_one", "startsWith", "endsWith", "contains"]);
const comparisons: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">=", "in", "&&", "||", "!_"]);

function isScalar(node: ASTNode): boolean {
  return node.op === "value" || (node.op === "-_" && isNode(node.args) && node.args.op === "value");
}

function isNow(node: ASTNode): boolean {
  return node.op === "id" && node.args === "now";
}

/** Whether the place is one of the call's maps. */
function isMap({ root, keys }: PlaceRead): boolean {
  if (root === "call") return keys.length === 1 && keys[0] === "headers";
  return keys.length === 0 && (root === "params" || root === "vars" || root === "answer");
}
