import { z } from "zod";

const ALLOWED = "unknown key; allowed here: ";

/**
 * An object that refuses unknown keys, with a message that names the keys there are; `allowedKeys` reads them back, so that
 * an error can say what was probably meant.
 */
export function strictObject<Shape extends z.ZodRawShape>(shape: Shape) {
  const message = ALLOWED + Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? message : undefined),
  });
}

/** The keys that a strict object's message names; empty for any other message. */
export function allowedKeys(message: string): string[] {
  return message.startsWith(ALLOWED) ? message.slice(ALLOWED.length).split(", ") : [];
}
