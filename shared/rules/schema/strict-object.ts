import * as z from "zod";
import { sparse } from "./sparse-object.ts";
import { ALLOWED, unknownKeys } from "./zod-words.ts";

export { unknownKeys } from "./zod-words.ts";

/**
 * An object that refuses unknown keys, with a message that names the keys there are; `allowedKeys` reads them back, so that
 * an error can say what was probably meant.
 */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape) {
  const message = unknownKeys(Object.keys(shape));
  return sparse(
    z.strictObject(shape, {
      error: (issue) => (issue.code === "unrecognized_keys" ? message : undefined),
    }),
  );
}

/** The keys that a strict object's message names; empty for any other message. */
export function allowedKeys(message: string): string[] {
  return message.startsWith(ALLOWED) ? message.slice(ALLOWED.length).split(", ") : [];
}

interface CheckContext {
  value: object;
  issues: { push(issue: { code: "custom"; message: string; input: unknown }): unknown };
}

/** Says so where an object has none or several of keys of which it takes one. */
export function exactlyOne({ value, issues }: CheckContext, keys: readonly string[]): void {
  const present = keys.filter((key) => Object.hasOwn(value, key));
  if (present.length === 1) return;
  const got = present.length === 0 ? "has none" : `has ${present.join(" and ")}`;
  issues.push({
    code: "custom",
    message: `takes exactly one of ${keys.join(", ")}, and ${got}`,
    input: value,
  });
}
