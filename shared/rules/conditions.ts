import type { Call } from "../call.ts";
import { addressKey, addressKeys, isWildcard, prefixLength } from "./address.ts";
import type { Finding } from "./decision.ts";
import type { Match, Wanted } from "./schema.ts";
import { headerValues, paramValue } from "./template.ts";

/** Values from a call are cut to this in findings: a caller cannot fill the journal. */
const SHOWN = 80;
/** Of several values that a rule wants, so many are named. */
const NAMED = 3;

/** A call, and what of it many rules ask for, worked out when first asked for. */
export class Subject {
  readonly call: Call;
  readonly #prefixes: readonly number[];
  #to: string[] | undefined;
  #from: string[] | undefined;

  /** `prefixes` are `WantedSets.prefixes` of the ruleset. */
  constructor(call: Call, prefixes: readonly number[]) {
    this.call = call;
    this.#prefixes = prefixes;
  }

  /** The keys of every pattern that fits the call's `to` or `from`. */
  keys(field: "to" | "from"): readonly string[] {
    if (field === "to") {
      this.#to ??= addressKeys(this.call.to, this.#prefixes);
      return this.#to;
    }
    this.#from ??= addressKeys(this.call.from, this.#prefixes);
    return this.#from;
  }
}

/** One condition of a match. */
export interface Condition {
  holds(subject: Subject): boolean;
  /** In words, why it held or did not. */
  find(subject: Subject, holds: boolean): Finding;
}

type Lists = Readonly<Record<string, readonly string[]>>;

/** What a field wants, ready to be looked up. */
interface WantedSet {
  values: ReadonlySet<string>;
  is: string;
  isNot: string;
}

/** Sets made once for each list and kind of field, however many rules name it. */
export class WantedSets {
  readonly #lists: Lists;
  readonly #made = new Map<string, ReadonlySet<string>>();
  readonly #prefixes = new Set<number>();

  constructor(lists: Lists) {
    this.#lists = lists;
  }

  /** The lengths of the prefixes among the addresses that were read so far. */
  get prefixes(): readonly number[] {
    return [...this.#prefixes];
  }

  /** The keys of the addresses wanted. */
  addresses(wanted: Wanted): ReadonlySet<string> {
    return this.#values(wanted, "address");
  }

  text(wanted: Wanted): WantedSet {
    return { values: this.#values(wanted, "text"), ...words(wanted, false) };
  }

  address(wanted: Wanted): WantedSet {
    const pattern = typeof wanted === "string" && isWildcard(addressKey(wanted) ?? wanted);
    return { values: this.addresses(wanted), ...words(wanted, pattern) };
  }

  #values(wanted: Wanted, kind: "text" | "address"): ReadonlySet<string> {
    if (typeof wanted === "string" || Array.isArray(wanted)) return this.#read([wanted].flat(), kind);
    const known = this.#made.get(`${kind} ${wanted.list}`);
    if (known !== undefined) return known;
    const values = this.#read(
      Object.hasOwn(this.#lists, wanted.list) ? (this.#lists[wanted.list] ?? []) : [],
      kind,
    );
    this.#made.set(`${kind} ${wanted.list}`, values);
    return values;
  }

  #read(values: readonly string[], kind: "text" | "address"): ReadonlySet<string> {
    if (kind === "text") return new Set(values);
    const keys = values.map(addressKey).filter((key) => key !== null);
    for (const key of keys) {
      const length = prefixLength(key);
      if (length !== null) this.#prefixes.add(length);
    }
    return new Set(keys);
  }
}

/** The match as conditions, in the order in which they are looked at. */
export function readMatch(match: Match, sets: WantedSets): Condition[] {
  const conditions: Condition[] = [];
  for (const field of ["to", "from"] as const) {
    const wanted = match[field];
    if (wanted !== undefined) conditions.push(addressCondition(field, sets.address(wanted)));
  }
  for (const field of ["direction", "type"] as const) {
    const wanted = match[field];
    if (wanted === undefined) continue;
    const set = sets.text(wanted);
    conditions.push(textCondition(field, set, (call) => [call[field]], `there is no ${field}`));
  }
  for (const [name, wanted] of Object.entries(match.headers ?? {})) {
    const header = name.toLowerCase();
    const none = `there is no header ${JSON.stringify(header)}`;
    conditions.push(
      textCondition(`headers.${header}`, sets.text(wanted), (call) => headerValues(call, header), none),
    );
  }
  for (const [name, wanted] of Object.entries(match.params ?? {})) {
    const none = `there is no parameter ${JSON.stringify(name)} that is text`;
    const values = (call: Call) => [paramValue(call, name)].filter((value) => value !== null);
    conditions.push(textCondition(`params.${name}`, sets.text(wanted), values, none));
  }
  return conditions;
}

/** A value of the call's as a finding shows it. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > SHOWN ? `${value.slice(0, SHOWN - 1)}…` : value);
}

function addressCondition(field: "to" | "from", { values, is, isNot }: WantedSet): Condition {
  return {
    holds: (subject) => subject.keys(field).some((key) => values.has(key)),
    find: ({ call }, holds) => ({ field, holds, why: `${quoted(call[field])} ${holds ? is : isNot}` }),
  };
}

function textCondition(
  field: string,
  { values, is, isNot }: WantedSet,
  valuesOf: (call: Call) => readonly string[],
  none: string,
): Condition {
  return {
    holds: ({ call }) => valuesOf(call).some((value) => values.has(value)),
    find({ call }, holds) {
      const sent = valuesOf(call);
      const value = holds ? sent.find((one) => values.has(one)) : sent[0];
      return { field, holds, why: value === undefined ? none : `${quoted(value)} ${holds ? is : isNot}` };
    },
  };
}

function words(wanted: Wanted, pattern: boolean): { is: string; isNot: string } {
  if (typeof wanted === "string") {
    const text = quoted(wanted);
    return pattern
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
