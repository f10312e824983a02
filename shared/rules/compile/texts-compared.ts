import type { ASTNode } from "@marcbachmann/cel-js";
import { placeOf } from "../ast.ts";

/** The texts of which `call.to` and `call.from` must be one for an expression to hold; null where they need not. */
export interface TextsCompared {
  to: readonly string[] | null;
  from: readonly string[] | null;
}

/** Reads an expression that was checked. */
export function textsCompared(node: ASTNode): TextsCompared {
  return { to: textsOf(node, "to"), from: textsOf(node, "from") };
}

function textsOf(node: ASTNode, field: "to" | "from"): readonly string[] | null {
  switch (node.op) {
    case "&&": {
      // What one side denies is denied, even where the other fails.
      const [left, right] = [textsOf(node.args[0], field), textsOf(node.args[1], field)];
      if (left === null || right === null) return left ?? right;
      return left.length <= right.length ? left : right;
    }
    case "||": {
      const [left, right] = [textsOf(node.args[0], field), textsOf(node.args[1], field)];
      return left === null || right === null ? null : [...left, ...right];
    }
    case "==": {
      const [left, right] = node.args;
      if (isField(left, field)) return textIn(right);
      return isField(right, field) ? textIn(left) : null;
    }
    case "in": {
      const [sought, list] = node.args;
      if (!isField(sought, field) || list.op !== "list") return null;
      const texts = list.args.map(textIn);
      return texts.every((text) => text !== null) ? texts.flat() : null;
    }
    default:
      return null;
  }
}

function isField(node: ASTNode, field: "to" | "from"): boolean {
  const place = placeOf(node);
  return place !== null && place.root === "call" && place.keys.length === 1 && place.keys[0] === field;
}

function textIn(node: ASTNode): readonly [string] | null {
  return node.op === "value" && typeof node.args === "string" ? [node.args] : null;
}
