import type { z } from "zod";
import { suggestAddress } from "../address.ts";
import { nearest } from "../nearest.ts";
import { ADDRESS_MESSAGE } from "./match-schema.ts";
import { allowedKeys } from "./strict-object.ts";

export type Path = readonly PropertyKey[];

/** What is wrong in a ruleset, for the person who wrote it. */
export interface Problem {
  /** `rules[3].match.from`; empty where it is the whole. */
  path: string;
  message: string;
  /** The key or text that was probably meant. */
  suggestion?: string;
}

/** What Zod found, one problem for each thing to mend. `raw` is what was read. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], raw: unknown): Problem[] {
  return issues.flatMap((issue) => describe(issue, issue.path, raw));
}

/** The paths of the keys that are unknown. */
export function unknownKeysOf(issues: readonly z.core.$ZodIssue[], raw: unknown, within: Path = []): Path[] {
  return issues.flatMap((issue) => {
    const path = [...within, ...issue.path];
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => [...path, key]);
    if (issue.code !== "invalid_union") return [];
    return unknownKeysOf(likelyBranch(issue, valueAt(raw, path)) ?? [], raw, path);
  });
}

/** `rules[3].match.from`; a key that is no plain word is quoted: `headers["x-tier"]`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_]\w*$/.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${shown(String(step))}]`;
  }
  return text;
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

export function problem(path: Path, message: string, suggestion?: string): Problem {
  return { path: pathText(path), message, ...(suggestion === undefined ? {} : { suggestion }) };
}

function describe(issue: z.core.$ZodIssue, path: Path, raw: unknown): Problem[] {
  const value = valueAt(raw, path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const allowed = allowedKeys(issue.message);
      return issue.keys.map((key) =>
        problem([...path, key], `unknown key; allowed here: ${allowed.join(", ")}`, nearest(key, allowed)),
      );
    }
    case "invalid_union": {
      // The branch of the right kind knows best what is wrong inside; without one the union's own words stand.
      const inside = likelyBranch(issue, value);
      if (inside === undefined)
        return [problem(path, `${issue.message}, not ${kindOf(value)}`, meantAs(value, path))];
      return inside.flatMap((nested) => describe(nested, [...path, ...nested.path], raw));
    }
    case "invalid_value": {
      const allowed = issue.values.map(String);
      const meant =
        allowed.find((word) => word === String(value)) ??
        nearest(typeof value === "string" ? value : "", allowed);
      const got = value === undefined ? "nothing" : shown(value);
      return [problem(path, `must be ${oneOf(issue.values)}, not ${got}`, meant)];
    }
    case "invalid_type":
      if (value === undefined)
        return [problem(path, `is missing: ${kindNames[issue.expected] ?? issue.expected}`)];
      return [
        problem(
          path,
          `must be ${kindNames[issue.expected] ?? issue.expected}, not ${typeof value === "number" ? value : kindOf(value)}`,
          issue.expected === "string" ? meantAs(value, path) : undefined,
        ),
      ];
    case "too_small":
    case "too_big":
      return [problem(path, sizeMessage(issue))];
    case "invalid_key":
      return issue.issues.flatMap((nested) => problem(path, keyMessage(nested)));
    case "invalid_format": {
      const meant =
        issue.message === ADDRESS_MESSAGE && typeof value === "string" ? suggestAddress(value) : undefined;
      const got = issue.message === ADDRESS_MESSAGE ? `, not ${shown(value)}` : "";
      return [problem(path, issue.message + got, meant)];
    }
    case "custom": {
      const { suggestion } = issue.params ?? {};
      return [problem(path, issue.message, typeof suggestion === "string" ? suggestion : undefined)];
    }
    default:
      return [problem(path, issue.message)];
  }
}

function likelyBranch(
  { errors }: z.core.$ZodIssueInvalidUnion,
  value: unknown,
): z.core.$ZodIssue[] | undefined {
  return errors
    .filter((branch) => branch.every((nested) => isInside(nested, value)))
    .reduce<z.core.$ZodIssue[] | undefined>(nearer, undefined);
}

const kindNames: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
};

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return kindNames[typeof value] ?? typeof value;
}

/** A number, true or false where text is wanted: the text it was meant to be, above all in YAML, where +1555… is a number. */
function meantAs(value: unknown, path: Path): string | undefined {
  if (typeof value !== "number" && typeof value !== "boolean") return undefined;
  const isAddress = path.some((step) => step === "to" || step === "from" || step === "lists");
  const address = isAddress && typeof value === "number" ? suggestAddress(value) : undefined;
  return address ?? String(value);
}

/** Of two branches of the right kind the one that was more probably meant: where a wrong key is nearly one of its own. */
function nearer(best: z.core.$ZodIssue[] | undefined, branch: z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  return best === undefined || wrongness(branch) < wrongness(best) ? branch : best;
}

function wrongness(branch: readonly z.core.$ZodIssue[]): number {
  const slips = branch.filter(
    (issue) =>
      issue.code === "unrecognized_keys" &&
      issue.keys.some((key) => nearest(key, allowedKeys(issue.message)) !== undefined),
  );
  return branch.length - slips.length;
}

/** Whether a union's branch was of the value's kind as far as this issue tells: a wrong word is still text. */
function isInside(issue: z.core.$ZodIssue, value: unknown): boolean {
  if (issue.path.length > 0) return true;
  if (issue.code === "invalid_value") return issue.values.some((word) => typeof word === typeof value);
  return issue.code !== "invalid_type";
}

function sizeMessage(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const [word, bound] = issue.code === "too_small" ? ["at least", issue.minimum] : ["at most", issue.maximum];
  switch (issue.origin) {
    case "string":
      return issue.code === "too_small" && bound === 1
        ? "must not be empty"
        : `must be ${word} ${bound} characters long`;
    case "array":
      return issue.code === "too_small" && bound === 1
        ? "must not be empty"
        : `must hold ${word} ${bound} values`;
    default:
      return `must be ${word} ${bound}`;
  }
}

function keyMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === "too_small" || issue.code === "too_big") return `the key ${sizeMessage(issue)}`;
  return issue.message;
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    // What was read is JSON or YAML: any key of an object may be asked for, and the answer is unknown.
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
