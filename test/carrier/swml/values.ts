import { z } from "zod";

/** A value that is wholly an expansion, which SWML's schema allows in place of any parameter's own type. */
const variable = z.string().regex(/^[$%]\{[\s\S]*\}$/);

/** `schema`, or a variable that stands for one. A wrong value is reported as `schema` sees it (see grammar.ts). */
export function orVariable<T extends z.ZodType>(schema: T) {
  return z.union([schema, variable]);
}

/** An object that refuses unknown keys by name and says which there are. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const allowed = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `unknown key; allowed here: ${allowed}` : undefined,
  });
}

/** A string of words from `allowed`, separated by single spaces, as SWML writes lists of events. */
export function spaceSeparated(allowed: readonly string[]) {
  return z.string().refine((text) => text.split(" ").every((word) => allowed.includes(word)), {
    error: `one or more of ${allowed.join(", ")}, separated by spaces`,
  });
}

export const httpUrl = z.string().regex(/^https?:\/\/[^\s]+$/, "a URL that begins with http:// or https://");

/** SWML's `play_url` pattern, whose words are on one line, with `say:` and `silence:` held to have something after the colon. */
const playUrlPattern =
  /^(https?:\/\/\S+|say:.*\S.*|silence: ?\d+(\.\d+)?|ring: ?(\d+(\.\d+)?: ?)?[a-zA-Z]{2})$/;

export const playUrl = orVariable(
  z
    .string()
    .regex(
      playUrlPattern,
      "https://…, say:<text>, silence:<seconds> or ring:[<seconds>:]<two-letter country>",
    ),
);
