import type { z } from "zod";
import { nearest } from "../nearest.ts";
import {
  type Advice,
  adviceOnForm,
  adviceOnKey,
  adviceOnKind,
  adviceOnWord,
  type Written,
} from "./advice.ts";
import { ADDRESS_MESSAGE } from "./match-schema.ts";
import { meantKey } from "./meant-key.ts";
import { type Path, pathText, valueAt } from "./path.ts";
import { allowedKeys } from "./strict-object.ts";
import { kindName, kindOf, oneOf, shown } from "./zod-words.ts";

export { type Path, pathText } from "./path.ts";
export { oneOf, shown } from "./zod-words.ts";

/** What is wrong in a ruleset, for the person who wrote it. */
export interface Problem {
  /** `rules[3].match.from`; empty where it is the whole. */
  path: string;
  message: string;
  /** The key or text that was probably meant. */
  suggestion?: string;
}

/**
 * What Zod found, one problem for each thing to correct. `raw` is what was read.
 * @param written what the file has at a path, where that is YAML.
 */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  written: Written = () => undefined,
): Problem[] {
  const wrongKinds = new Set(
    issues.flatMap(({ code, path }) => (code === "invalid_type" ? [pathText(path)] : [])),
  );
  const found = issues
    // Zod measures what is of the wrong kind, too.
    .filter(
      ({ code, path }) => !(code === "too_big" || code === "too_small") || !wrongKinds.has(pathText(path)),
    )
    .flatMap((issue, index) =>
      index < ADVISED ? describe(issue, issue.path, { raw, written }) : [problem(issue.path, issue.message)],
    );
  const misspelled = misspelledIn(found);
  return found.filter(
    ({ path, message }) => !misspelled.has(path) || !/^takes exactly one of .*, and has none$/.test(message),
  );
}

/** So many faults are described with what was meant; those after them with their place and form alone. */
const ADVISED = 1_000;

/** The objects in which a key is nearly one of those of which there must be one. */
function misspelledIn(found: readonly Problem[]): Set<string> {
  return new Set(
    found.flatMap(({ path, message, suggestion }) =>
      message.startsWith("unknown key") && actionKeys.some((key) => key === suggestion)
        ? [path.slice(0, path.lastIndexOf("."))]
        : [],
    ),
  );
}

/** Of which a rule takes one, and an announcement. */
const actionKeys = ["place", "reject", "hand_over", "rules", "say", "play"];

/** Where exactly something is wrong, and whether it is a key that is unknown. */
export interface Fault {
  path: Path;
  isUnknownKey: boolean;
}

/** The places of what Zod found, as exactly as it can be told. */
export function placesOf(issues: readonly z.core.$ZodIssue[], raw: unknown, within: Path = []): Fault[] {
  return issues.flatMap((issue) => {
    const path = [...within, ...issue.path];
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => ({ path: [...path, key], isUnknownKey: true }));
    const inside = issue.code === "invalid_union" ? likelyBranch(issue, valueAt(raw, path)) : undefined;
    return inside === undefined ? [{ path, isUnknownKey: false }] : placesOf(inside, raw, path);
  });
}

export function problem(path: Path, message: string, suggestion?: string): Problem {
  return { path: pathText(path), message, ...(suggestion === undefined ? {} : { suggestion }) };
}

interface Source {
  raw: unknown;
  written: Written;
}

function describe(issue: z.core.$ZodIssue, path: Path, source: Source): Problem[] {
  const value = valueAt(source.raw, path);
  switch (issue.code) {
    case "unrecognized_keys": {
      const allowed = allowedKeys(issue.message);
      return issue.keys.map((key) => unknownKey(path, key, value, allowed));
    }
    case "invalid_union": {
      // The branch of the right kind knows best what is wrong inside; without one the union's own words stand.
      const inside = likelyBranch(issue, value);
      if (inside === undefined) {
        const kind = /^must be a list/.test(issue.message)
          ? "array"
          : /^must be (?:text|digits)/.test(issue.message) || value === null
            ? "string"
            : "";
        return [
          advised(
            path,
            `${issue.message}${not(path, value)}`,
            adviceOnKind(kind, path, value, source.written),
          ),
        ];
      }
      return inside.flatMap((nested) => describe(nested, [...path, ...nested.path], source));
    }
    case "invalid_value": {
      const allowed = issue.values.map(String);
      if (value === undefined) return [problem(path, `is missing: ${oneOf(issue.values)}`)];
      const advice =
        value === null ? adviceOnKind("", path, value, source.written) : adviceOnWord(path, value, allowed);
      return [advised(path, `must be ${oneOf(issue.values)}${not(path, value)}`, advice)];
    }
    case "invalid_type": {
      if (value === undefined) return [problem(path, issue.message)];
      const advice = adviceOnKind(issue.expected, path, value, source.written);
      return [advised(path, `must be ${kindName(issue.expected)}${not(path, value)}`, advice)];
    }
    case "invalid_key":
      return issue.issues.flatMap((nested) => advised(path, keyMessage(nested), adviceOnKey(path)));
    case "custom": {
      const { suggestion } = issue.params ?? {};
      if (typeof suggestion === "string") return [problem(path, issue.message, suggestion)];
      return [onForm(issue, path, value)];
    }
    case "invalid_format":
      return [onForm(issue, path, value)];
    default: {
      const got = typeof value === "number" ? not(path, value) : "";
      return [problem(path, issue.message + got)];
    }
  }
}

function unknownKey(path: Path, key: string, holder: unknown, allowed: readonly string[]): Problem {
  const value = valueAt(holder, [key]);
  const isPlaceholder =
    value === null && typeof holder === "object" && Object.keys(Object(holder)).length === 1;
  const { hint, suggestion } = isPlaceholder
    ? { hint: "text that begins with { needs quotes in YAML" }
    : meantKey(path, key, value, allowed);
  if (allowed.length === 0) return problem([...path, key], "unknown key");
  const message = `unknown key; allowed here: ${allowed.join(", ")}${hint === undefined ? "" : `; ${hint}`}`;
  return problem([...path, key], message, suggestion);
}

/** A text that does not have its form: what it is, if more can be said of it than that. */
function onForm(issue: z.core.$ZodIssue, path: Path, value: unknown): Problem {
  const advice = adviceOnForm(path, value, issue);
  const isMore = advice.hint !== undefined || advice.suggestion !== undefined || isShown(path, issue.message);
  return advised(path, `${issue.message}${isMore ? not(path, value) : ""}`, advice);
}

/** What has no form of its own, and no secret in it, is shown beside the form that it should have. */
function isShown(path: Path, message: string): boolean {
  const isHours = path[0] === "schedules" && message.startsWith("must be");
  return (
    message === ADDRESS_MESSAGE ||
    isHours ||
    ["timezone", "digits", "id", "country"].includes(String(path.at(-1)))
  );
}

function advised(path: Path, message: string, { hint, suggestion }: Advice): Problem {
  return problem(path, hint === undefined ? message : `${message}: ${hint}`, suggestion);
}

/** What stands there in place of what should; what is keyed may be a secret, and is not repeated. */
function not(path: Path, value: unknown): string {
  const mayBeSecret = path.some((step) => String(step).startsWith("answer.")) || path[0] === "lists";
  const isKind = mayBeSecret && (typeof value === "string" || typeof value === "number");
  return `, not ${isKind ? kindOf(value) : shown(value)}`;
}

function likelyBranch(
  { errors }: z.core.$ZodIssueInvalidUnion,
  value: unknown,
): z.core.$ZodIssue[] | undefined {
  return errors
    .filter((branch) => branch.every((nested) => isInside(nested, value)))
    .reduce<z.core.$ZodIssue[] | undefined>(nearer, undefined);
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

function keyMessage(issue: z.core.$ZodIssue): string {
  const words = issue.message;
  return words.startsWith("must ") ? `the key ${words}` : words;
}
