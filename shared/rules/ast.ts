import type { ASTNode } from "@marcbachmann/cel-js";

/** A place that an expression reads: a variable, and the keys and indexes that follow it, as far as they are literal. */
export interface PlaceRead {
  root: string;
  keys: readonly (string | number)[];
}

export function isNode(part: unknown): part is ASTNode {
  return typeof part === "object" && part !== null && "op" in part;
}

/** The parts of a node, in the order in which they are written. */
export function partsOf({ args }: ASTNode): ASTNode[] {
  const parts: unknown[] = [args];
  return parts.flat(3).filter(isNode);
}

/** Null where the node is no variable with literal keys behind it. */
export function placeOf(node: ASTNode): PlaceRead | null {
  if (node.op === "id") return { root: node.args, keys: [] };
  if (node.op !== "." && node.op !== "[]") return null;
  const [left] = node.args;
  const key = keyOf(node);
  const place = key === null ? null : placeOf(left);
  return place === null || key === null ? null : { root: place.root, keys: [...place.keys, key] };
}

/** The place that `has(…)` looks for, or the one whose key `'…' in …` does; null where the node is neither. */
export function placeSought(node: ASTNode): PlaceRead | null {
  if (node.op === "call") {
    const [name, [sought]] = node.args;
    return name === "has" && sought !== undefined ? placeOf(sought) : null;
  }
  if (node.op !== "in") return null;
  const [key, container] = node.args;
  const place = placeOf(container);
  return place === null || key.op !== "value" || typeof key.args !== "string"
    ? null
    : { root: place.root, keys: [...place.keys, key.args] };
}

/** The name of a place, the same however it is written. */
export function placeName({ root, keys }: PlaceRead): string {
  return JSON.stringify([root, ...keys]);
}

function keyOf(node: ASTNode): string | number | null {
  if (node.op === ".") return node.args[1];
  if (node.op !== "[]") return null;
  const [, index] = node.args;
  if (index.op !== "value") return null;
  if (typeof index.args === "string") return index.args;
  return typeof index.args === "bigint" ? Number(index.args) : null;
}
