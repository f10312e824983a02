import { addressKey, prefixLength } from "../address.ts";
import { holdsText, readTexts, type TextSet } from "../compile/matcher-values.ts";
import {
  type AnswerMatcher,
  answerMatchers,
  type Hmac,
  type Match,
  type NoneMatcher,
  type PinMatcher,
  type TextMatcher,
  type Wanted,
  wantsNone,
  wantsPins,
} from "../schema/match-schema.ts";
import { type ListTexts, listValues } from "../schema/ruleset.ts";

type Lists = Readonly<Record<string, readonly (string | Hmac)[]>>;

/** Whether every call that all of `narrow` match is one that all of `wide` match. No is no proof that it is not so. */
export class Implication {
  readonly #lists: Lists;
  readonly #inKv: ReadonlySet<string>;
  /** Lengths of the prefixes among the keys that were read so far. */
  readonly prefixes = new Set<number>();
  /** Lists as sets, made once. */
  readonly #keys = new Map<string, ReadonlySet<string>>();
  readonly #texts = new Map<string, TextSet>();

  constructor(lists: ListTexts) {
    this.#lists = listValues(lists);
    this.#inKv = new Set(Object.keys(lists).filter((name) => !Array.isArray(lists[name])));
  }

  /** Of a list in KV, which may be another at any time, it is only known that it is the same as itself. Null: both are known. */
  #knownOfLists(wide: unknown, narrow: unknown): boolean | null {
    const [one, other] = [this.#listInKv(wide), this.#listInKv(narrow)];
    return one === null && other === null ? null : one === other;
  }

  #listInKv(wanted: unknown): string | null {
    if (typeof wanted !== "object" || wanted === null || !("list" in wanted)) return null;
    return typeof wanted.list === "string" && this.#inKv.has(wanted.list) ? wanted.list : null;
  }

  covers(wide: readonly Match[], narrow: readonly Match[]): boolean {
    return wide.every((match) => this.#isImplied(match, narrow));
  }

  /** The keys of a field's values; the field must want some. */
  keys(wanted: Wanted): ReadonlySet<string> {
    if (typeof wanted === "string") return this.#read([wanted]);
    if (Array.isArray(wanted)) return this.#read(wanted);
    const known = this.#keys.get(wanted.list);
    if (known !== undefined) return known;
    const made = this.#read(this.valuesOf(wanted));
    this.#keys.set(wanted.list, made);
    return made;
  }

  #read(values: readonly string[]): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const value of values) {
      const key = addressKey(value);
      if (key === null) continue;
      keys.add(key);
      const length = prefixLength(key);
      if (length !== null) this.prefixes.add(length);
    }
    return keys;
  }

  #isImplied(match: Match, by: readonly Match[]): boolean {
    for (const field of ["to", "from"] as const) {
      const wide = match[field];
      if (
        wide !== undefined &&
        !by.some((one) => one[field] !== undefined && this.#hasAddresses(wide, one[field]))
      )
        return false;
    }
    for (const field of ["direction", "type"] as const) {
      const wide = match[field];
      if (
        wide !== undefined &&
        !by.some((one) => one[field] !== undefined && this.#hasTexts(wide, one[field]))
      )
        return false;
    }
    for (const field of ["headers", "params", "vars"] as const) {
      for (const [name, wide] of Object.entries(match[field] ?? {})) {
        const narrow = by.flatMap((one) => namedIn(one, field, name));
        if (!narrow.some((one) => this.#hasTexts(wide, one))) return false;
      }
    }
    return this.#isRestImplied(match, by);
  }

  #isRestImplied(match: Match, by: readonly Match[]): boolean {
    const { during, outside, not, when } = match;
    for (const [name, wide] of answerMatchers(match)) {
      const narrow = by.flatMap((one) => answerMatchers(one)).filter(([asked]) => asked === name);
      if (!narrow.some(([, one]) => this.#hasAnswers(wide, one))) return false;
    }
    if (during !== undefined) {
      const open = [during].flat();
      if (
        !by.some(
          (one) => one.during !== undefined && [one.during].flat().every((name) => open.includes(name)),
        )
      )
        return false;
    }
    for (const name of [outside ?? []].flat()) {
      if (!by.some((one) => [one.outside ?? []].flat().includes(name))) return false;
    }
    if (not !== undefined) {
      if (!by.some((one) => one.not !== undefined && this.covers([one.not], [not]))) return false;
    }
    return when === undefined || by.some((one) => one.when === when);
  }

  #hasAddresses(wide: Wanted, narrow: Wanted): boolean {
    const known = this.#knownOfLists(wide, narrow);
    if (known !== null) return known;
    const keys = this.keys(wide);
    return this.valuesOf(narrow).every((pattern) =>
      impliedKeys(pattern, this.prefixes).some((key) => keys.has(key)),
    );
  }

  #hasTexts(wide: TextMatcher, narrow: TextMatcher): boolean {
    if (isPresence(wide)) return isPresence(narrow) ? wide.present === narrow.present : wide.present;
    if (isPresence(narrow)) return false;
    const known = this.#knownOfLists(wide, narrow);
    if (known !== null) return known;
    const texts = this.#textSet(wide);
    // No star stands in a piece of a pattern: a pattern that fits one as written fits it however its stars are filled in.
    return this.valuesOf(narrow).every((text) => holdsText(texts, text));
  }

  #textSet(wanted: Wanted): TextSet {
    if (typeof wanted === "string" || Array.isArray(wanted)) return readTexts([wanted].flat());
    const known = this.#texts.get(wanted.list);
    if (known !== undefined) return known;
    const made = readTexts(this.valuesOf(wanted));
    this.#texts.set(wanted.list, made);
    return made;
  }

  /** The values wanted, as written. */
  valuesOf(wanted: Wanted): readonly string[] {
    if (typeof wanted === "string") return [wanted];
    if (Array.isArray(wanted)) return wanted;
    const values = Object.hasOwn(this.#lists, wanted.list) ? (this.#lists[wanted.list] ?? []) : [];
    return values.filter((value) => typeof value === "string");
  }

  #hasAnswers(wide: AnswerMatcher, narrow: AnswerMatcher): boolean {
    // Which PINs KV holds is not known here: those that are written out may be among them, or not.
    if (wantsPins(wide)) return wantsPins(narrow) && hasPins(wide, narrow);
    if (wantsPins(narrow)) return false;
    if (wantsNone(wide) || wantsNone(narrow)) return wantsNone(wide) && wantsNone(narrow);
    const known = this.#knownOfLists(wide, narrow);
    if (known !== null) return known;
    const values = new Set(this.#answers(wide));
    return this.#answers(narrow).every((value) => values.has(value));
  }

  #answers(wanted: Exclude<AnswerMatcher, PinMatcher | NoneMatcher>): string[] {
    const isList = typeof wanted === "object" && "list" in wanted;
    const values = isList ? (this.#lists[wanted.list] ?? []) : [wanted].flat();
    return values.map((value) => (typeof value === "string" ? value : value.hmac));
  }
}

/** The keys of every pattern that fits all that this one fits; `prefixes` are the lengths of prefix that there are. */
export function impliedKeys(pattern: string, prefixes: Iterable<number>): string[] {
  if (pattern.startsWith("+")) {
    const fixed = pattern.endsWith("*") ? pattern.slice(0, -1) : pattern;
    const keys = [pattern];
    for (const length of prefixes) if (length <= fixed.length) keys.push(`${fixed.slice(0, length)}*`);
    return keys;
  }
  const key = addressKey(pattern);
  const [, user, host] = /^sip:(.*)@(.*)$/.exec(key ?? "") ?? [];
  if (key === null) return [];
  return user === undefined || host === undefined
    ? [key]
    : [key, `sip:*@${host}`, `sip:${user}@*`, "sip:*@*"];
}

function hasPins({ pins: wide }: PinMatcher, { pins: narrow }: PinMatcher): boolean {
  return wide === true || (narrow !== true && narrow.role === wide.role);
}

function isPresence(wanted: TextMatcher): wanted is { present: boolean } {
  return typeof wanted === "object" && "present" in wanted;
}

function namedIn(match: Match, field: "headers" | "params" | "vars", name: string): TextMatcher[] {
  const same = (one: string) =>
    field === "headers" ? one.toLowerCase() === name.toLowerCase() : one === name;
  return Object.entries(match[field] ?? {}).flatMap(([one, wanted]) => (same(one) ? [wanted] : []));
}
