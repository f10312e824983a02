import type { z } from "zod";
// By name: the namespace as a value would bring every language that Zod speaks into the bundle.
import { $ZodObject, config } from "zod/v4/core";

const kindNames: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
  tuple: "a list",
  null: "null",
};

export function kindName(kind: string): string {
  return kindNames[kind] ?? kind;
}

export function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : kindName(typeof value);
}

/** A value as an error shows it: quoted, and cut where it is long. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 64 ? `${value.slice(0, 63)}…` : value);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  return kindOf(value);
}

/** The words that are allowed, as an error names them. */
export function oneOf(words: readonly unknown[]): string {
  const named = words.map(shown).join(", ");
  return words.length === 1 ? named : `one of ${named}`;
}

/** What Zod found, in the words in which people are told of it: whatever reads an issue's message has these. */
config({ localeError: wordsOf });

function wordsOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      const kind = kindName(String(issue.expected));
      if (issue.input === undefined) return `is missing: ${kind}`;
      // What was no number when it was read as one.
      return Number.isNaN(issue.input) ? `must be ${kind}` : `must be ${kind}, not ${kindOf(issue.input)}`;
    }
    case "invalid_value":
      return `must be ${oneOf(Array.isArray(issue.values) ? issue.values : [])}`;
    case "too_small":
      return sizeWords("at least", issue.origin, issue.minimum, issue.inclusive !== false);
    case "too_big":
      return sizeWords("at most", issue.origin, issue.maximum, issue.inclusive !== false);
    case "invalid_format":
      return `must be ${formats[String(issue.format)] ?? "written otherwise"}`;
    case "not_multiple_of":
      return `must be a multiple of ${String(issue.divisor)}`;
    case "unrecognized_keys":
      return unknownKeys(allowedBy(issue.inst));
    case "invalid_union":
      return "must be of another kind";
    case "invalid_key":
      return "has a key that cannot be one";
    case "invalid_element":
      return "holds what cannot be in it";
    default:
      return "is not as it should be";
  }
}

/** The keys that a strict object takes. */
function allowedBy(schema: unknown): string[] {
  return schema instanceof $ZodObject ? Object.keys(schema._zod.def.shape) : [];
}

export const ALLOWED = "unknown key; allowed here: ";

/** What is said of unknown keys where these are allowed. */
export function unknownKeys(allowed: readonly string[]): string {
  return allowed.length === 0 ? "unknown key: none is allowed here" : ALLOWED + allowed.join(", ");
}

const formats: Readonly<Record<string, string>> = {
  url: "a whole URL, such as https://example.com",
  datetime: "an ISO 8601 date and time with its offset, such as 2026-12-24T10:00:00Z",
  date: "a date such as 2026-12-25",
  uuid: "a UUID",
  email: "an email address",
};

function sizeWords(word: string, origin: unknown, bound: unknown, isInclusive: boolean): string {
  const isEmpty = word === "at least" && Number(bound) === 1;
  switch (origin) {
    case "string":
      return isEmpty ? "must not be empty" : `must be ${word} ${String(bound)} characters long`;
    case "array":
    case "set":
      return isEmpty ? "must not be empty" : `must hold ${word} ${String(bound)} values`;
    default:
      if (isInclusive) return `must be ${word} ${String(bound)}`;
      return `must be ${word === "at least" ? "more" : "less"} than ${String(bound)}`;
  }
}
