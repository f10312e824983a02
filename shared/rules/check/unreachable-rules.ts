import { templatesOf } from "../schema/action-schema.ts";
import type { Match, Wanted } from "../schema/match-schema.ts";
import { type Path, pathText, problem, shown } from "../schema/problems.ts";
import type { Rule, Ruleset } from "../schema/ruleset.ts";
import { holdsPlaceholder } from "./check-answers.ts";
import { Implication, impliedKeys } from "./implication.ts";
import type { Found } from "./list-use.ts";

/** So many are named; the rest are counted. */
const NAMED = 50;
/** Earlier rules that name no number are compared with later ones so often, all in all, and then no more. */
const COMPARISONS = 100_000;

/** A rule with what must hold for it, its groups' matches included. */
interface Placed {
  rule: Rule;
  path: Path;
  matches: readonly Match[];
}

/**
 * Warns of rules that can never match, since an earlier one takes every call that they would. What is said is so; not all
 * that is so is said: of `when` only the same text is known to be the same.
 */
export function warnOfUnreachableRules({ rules, lists = {}, defaults = {} }: Ruleset, found: Found): void {
  const isNoticeFilled = holdsPlaceholder(defaults.recording_notice);
  new UnreachableRules(new Implication(lists), isNoticeFilled, found).walk(rules, ["rules"], []);
}

class UnreachableRules {
  readonly #covering: Implication;
  /** Whether what a call may lack is in the notice that rules which record may need. */
  readonly #isNoticeFilled: boolean;
  readonly #found: Found;
  /** Earlier rules that take every call that they match, by an address that they name. */
  readonly #byKey = { to: new Map<string, Placed[]>(), from: new Map<string, Placed[]>() };
  /** Likewise, by the name of a list of addresses. */
  readonly #byList = { to: new Map<string, Placed[]>(), from: new Map<string, Placed[]>() };
  /** Those that name none. */
  readonly #others: Placed[] = [];
  #comparisons = 0;
  #named = 0;

  constructor(covering: Implication, isNoticeFilled: boolean, found: Found) {
    this.#covering = covering;
    this.#isNoticeFilled = isNoticeFilled;
    this.#found = found;
  }

  walk(rules: readonly Rule[], path: Path, around: readonly Match[]): void {
    rules.forEach((rule, position) => {
      const placed = { rule, path: [...path, position], matches: [...around, rule.match] };
      const earlier = this.#shadowOf(placed.matches);
      if (earlier !== undefined) {
        this.#warn(placed, earlier);
        return;
      }
      if (rule.rules !== undefined) this.walk(rule.rules, [...placed.path, "rules"], placed.matches);
      if (takesAll(rule) && !(this.#isNoticeFilled && rule.place !== undefined)) this.#keep(placed);
    });
  }

  #keep(placed: Placed): void {
    for (const field of ["to", "from"] as const) {
      const wanted = placed.matches.map((match) => match[field]).find((one) => one !== undefined);
      if (wanted === undefined) continue;
      if (typeof wanted === "object" && "list" in wanted) add(this.#byList[field], wanted.list, placed);
      else for (const key of this.#covering.keys(wanted)) add(this.#byKey[field], key, placed);
      return;
    }
    this.#others.push(placed);
  }

  #shadowOf(matches: readonly Match[]): Placed | undefined {
    const covers = (earlier: Placed) => this.#covering.covers(earlier.matches, matches);
    for (const field of ["to", "from"] as const) {
      // What covers the whole covers its first value.
      for (const match of matches) {
        const found =
          match[field] === undefined ? undefined : this.#candidates(field, match[field]).find(covers);
        if (found !== undefined) return found;
      }
    }
    if (this.#comparisons > COMPARISONS) return undefined;
    this.#comparisons += this.#others.length;
    return this.#others.find(covers);
  }

  #candidates(field: "to" | "from", wanted: Wanted): Placed[] {
    const [first] = this.#covering.valuesOf(wanted);
    if (first === undefined) return [];
    const keys = impliedKeys(first, this.#covering.prefixes);
    const byKey = keys.flatMap((key) => this.#byKey[field].get(key) ?? []);
    if (this.#comparisons > COMPARISONS) return byKey;
    this.#comparisons += this.#byList[field].size;
    const byList = [...this.#byList[field]].filter(([list]) => {
      const values = this.#covering.keys({ list });
      return keys.some((key) => values.has(key));
    });
    return [...byKey, ...byList.flatMap(([, placed]) => placed)];
  }

  #warn({ path }: Placed, earlier: Placed): void {
    this.#named += 1;
    if (this.#named > NAMED) return;
    const more = this.#named === NAMED ? "; there may be more" : "";
    const message = `never matches: ${shown(earlier.rule.id)} (${pathText(earlier.path)}) takes every call that it would${more}`;
    this.#found.warnings.push(problem(path, message));
  }
}

/** Whether the rule ends the matter for every call that it matches: nothing is to be filled in that a call may lack. */
function takesAll(rule: Rule): boolean {
  if (rule.rules !== undefined) return rule.ask !== undefined && !holdsPlaceholder(rule.ask);
  return !holdsPlaceholder(templatesOf(rule)) && takesEveryIngress([rule.hand_over, rule.place]);
}

/** A hand-over that has a document for only one of SWML and cXML leaves the other's calls to later rules. */
function takesEveryIngress(action: unknown): boolean {
  if (typeof action !== "object" || action === null) return true;
  if ("swml" in action !== "cxml" in action) return false;
  return Object.values(action).every(takesEveryIngress);
}

function add(groups: Map<string, Placed[]>, key: string, placed: Placed): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [placed]);
  else group.push(placed);
}
