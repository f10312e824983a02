import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import type { ParseOptions } from "../../../shared/rules/schema/ruleset.ts";

/** The ruleset's errors, each as a person would read it. */
export function errorsOf(source: unknown, options: ParseOptions = {}): string[] {
  const parsed = parseRuleset(source, options);
  return parsed.ok ? [] : parsed.errors.map(read);
}

/** Its warnings; there is none where there are errors that no check can see past. */
export function warningsOf(source: unknown): string[] {
  return parseRuleset(source).warnings.map(read);
}

function read({ path, message, suggestion }: { path: string; message: string; suggestion?: string }): string {
  return `${path}: ${message}${suggestion === undefined ? "" : ` -> ${suggestion}`}`;
}

/** A ruleset of one rule, which places into a room unless the changes say otherwise. */
export const withRule = (changes: object) => ({
  rules: [{ id: "one", match: {}, place: { room: "one" }, ...changes }],
});

export const withMatch = (match: object) => withRule({ match });
export const withJoin = (join: object) => withRule({ place: { room: "one", join } });

/** An `overflow`. */
export const overflowTo = (what: string, more: object = {}): object =>
  // biome-ignore lint/suspicious/noThenProperty: a word of the language, in data that is never awaited
  ({ then: what, ...more });
