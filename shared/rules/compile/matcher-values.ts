import { addressKey, isWildcard, prefixLength } from "../address.ts";
import type { Answer } from "../answers.ts";
import { quoted } from "../quoted.ts";
import {
  type AnswerMatcher,
  type Hmac,
  type PinMatcher,
  type TextMatcher,
  type Wanted,
  wantsNone,
  wantsPins,
} from "../schema/match-schema.ts";
import { fits, type Pattern, readPattern, stepsPerChar } from "../text-pattern.ts";

/** Of several values that a rule wants, so many are named. */
const NAMED = 3;

type Lists = Readonly<Record<string, readonly (string | Hmac)[]>>;

/** In words, that a value is as wanted, or not. */
interface Words {
  is: string;
  isNot: string;
}

/** Texts wanted. */
export interface TextSet {
  exact: ReadonlySet<string>;
  patterns: readonly Pattern[];
  /** Steps of comparing a text with all of them, and what is added for each of its characters. */
  steps: number;
  steps_per_char: number;
}

/** An address wanted, one of several, or one of a list. Most rules want one: then there is no set, and no word until it is asked for. */
export class AddressMatcher {
  readonly #wanted: Wanted;
  readonly #keys: ReadonlySet<string> | string | null;

  constructor(wanted: Wanted, keys: ReadonlySet<string> | string | null) {
    this.#wanted = wanted;
    this.#keys = keys;
  }

  has(key: string): boolean {
    return typeof this.#keys === "object" ? this.#keys?.has(key) === true : this.#keys === key;
  }

  get words(): Words {
    return words(this.#wanted, typeof this.#keys === "string" && isWildcard(this.#keys));
  }
}

export interface TextMatcherValues extends Words {
  texts: TextSet;
}

export interface AnswerMatcherValues extends Words {
  /** Whether digits are compared: a secret that is only asked whether it is there is not. */
  compares: boolean;
  has(answer: Answer): boolean;
}

/** What a field wants, as sets made once for each list and kind of field, however many rules name the list. */
export class MatcherValues {
  readonly #lists: Lists;
  readonly #addresses = new Map<string, ReadonlySet<string>>();
  readonly #texts = new Map<string, TextSet>();
  readonly #prefixes = new Set<number>();

  constructor(lists: Lists) {
    this.#lists = lists;
  }

  /** The lengths of the prefixes among the addresses that were read so far. */
  get prefixes(): readonly number[] {
    return [...this.#prefixes];
  }

  /** The keys of the addresses wanted. */
  addressKeys(wanted: Wanted): ReadonlySet<string> {
    if (typeof wanted === "string") return this.#readAddresses([wanted]);
    if (Array.isArray(wanted)) return this.#readAddresses(wanted);
    const known = this.#addresses.get(wanted.list);
    if (known !== undefined) return known;
    const keys = this.#readAddresses(this.#list(wanted.list));
    this.#addresses.set(wanted.list, keys);
    return keys;
  }

  address(wanted: Wanted): AddressMatcher {
    if (typeof wanted !== "string") return new AddressMatcher(wanted, this.addressKeys(wanted));
    const [key = null] = this.#readAddresses([wanted]);
    return new AddressMatcher(wanted, key);
  }

  text(wanted: Exclude<TextMatcher, { present: boolean }>): TextMatcherValues {
    const isPattern = typeof wanted === "string" && readPattern(wanted) !== null;
    return { texts: this.#textSet(wanted), ...words(wanted, isPattern) };
  }

  /** The answers wanted: digits, and HMACs of digits, in one set, for no digits are an HMAC. */
  answer(wanted: AnswerMatcher): AnswerMatcherValues {
    if (wantsPins(wanted)) return pinMatchers(wanted);
    if (wantsNone(wanted)) return noneMatcher;
    const isList = typeof wanted === "object" && "list" in wanted;
    const values = isList ? this.#everything(wanted.list) : [wanted].flat();
    const asText = values.map((value) => (typeof value === "string" ? value : value.hmac));
    const said = values.map((value) => (typeof value === "string" ? value : "a secret"));
    const set: ReadonlySet<string> = new Set(asText);
    return {
      compares: true,
      has({ value, hmac }) {
        const keyed = hmac ?? value;
        return keyed !== undefined && set.has(keyed);
      },
      ...words(isList ? wanted : said.length === 1 ? (said[0] ?? "") : said, false),
    };
  }

  #textSet(wanted: Exclude<TextMatcher, { present: boolean }>): TextSet {
    if (typeof wanted === "string" || Array.isArray(wanted)) return readTexts([wanted].flat());
    const known = this.#texts.get(wanted.list);
    if (known !== undefined) return known;
    const made = readTexts(this.#list(wanted.list));
    this.#texts.set(wanted.list, made);
    return made;
  }

  #list(name: string): string[] {
    return this.#everything(name).filter((value) => typeof value === "string");
  }

  #everything(name: string): readonly (string | Hmac)[] {
    return Object.hasOwn(this.#lists, name) ? (this.#lists[name] ?? []) : [];
  }

  #readAddresses(values: readonly string[]): ReadonlySet<string> {
    const keys = new Set<string>();
    for (const value of values) {
      const key = addressKey(value);
      if (key === null) continue;
      keys.add(key);
      const length = prefixLength(key);
      if (length !== null) this.#prefixes.add(length);
    }
    return keys;
  }
}

const noneMatcher: AnswerMatcherValues = {
  compares: false,
  has: ({ value, hmac }) => value === undefined && hmac === undefined,
  is: "is nothing",
  isNot: "is something, and nothing was wanted",
};

function pinMatchers({ pins }: PinMatcher): AnswerMatcherValues {
  if (pins === true) {
    return {
      compares: true,
      has: ({ pin }) => pin !== undefined,
      is: "is a PIN of KV",
      isNot: "is no PIN of KV",
    };
  }
  const of = `a PIN of KV whose role is ${quoted(pins.role)}`;
  return { compares: true, has: ({ pin }) => pin?.role === pins.role, is: `is ${of}`, isNot: `is not ${of}` };
}

export function holdsText({ exact, patterns }: TextSet, value: string): boolean {
  return exact.has(value) || (patterns.length > 0 && patterns.some((pattern) => fits(pattern, value)));
}

export function holdsAny(texts: TextSet, values: readonly string[]): boolean {
  for (const value of values) if (holdsText(texts, value)) return true;
  return false;
}

export function readTexts(values: readonly string[]): TextSet {
  const patterns = values.map(readPattern).filter((pattern) => pattern !== null);
  return {
    exact: new Set(values.filter((value) => readPattern(value) === null)),
    patterns,
    steps: 1 + patterns.reduce((sum, { length }) => sum + 2 + length, 0),
    steps_per_char: patterns.reduce((sum, pattern) => sum + stepsPerChar(pattern), 0),
  };
}

function words(wanted: Wanted, isPattern: boolean): Words {
  if (typeof wanted === "string") {
    const text = quoted(wanted);
    return isPattern
      ? { is: `fits ${text}`, isNot: `does not fit ${text}` }
      : { is: `is ${text}`, isNot: `is not ${text}` };
  }
  if (!Array.isArray(wanted)) {
    const text = `in list ${quoted(wanted.list)}`;
    return { is: `is ${text}`, isNot: `is not ${text}` };
  }
  const more = wanted.length > NAMED ? ` and ${wanted.length - NAMED} more` : "";
  const text = `among ${wanted.slice(0, NAMED).map(quoted).join(", ")}${more}`;
  return { is: `is ${text}`, isNot: `is not ${text}` };
}
