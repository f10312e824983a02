import { type ActionOf, readAction } from "./actions.ts";
import { AddressIndex } from "./address-index.ts";
import { type Condition, readMatch, WantedSets } from "./conditions.ts";
import { moderatedRooms } from "./roles.ts";
import type { ActionText, Ruleset } from "./schema.ts";

export interface CompileOptions {
  tenant: string;
  /** Whether the tenant's conferences carry no prefix. */
  plain: boolean;
  /** What `hashRuleset` says of the ruleset's text. */
  hash: string;
  /** The tenant record's fallback, for a ruleset that has none of its own. */
  fallback?: ActionText;
}

export interface CompiledRule {
  id: string;
  conditions: readonly Condition[];
  actionOf: ActionOf;
}

/** A ruleset made ready for deciding. Never changed; kept for as long as its version serves. */
export interface CompiledRuleset {
  hash: string;
  rules: readonly CompiledRule[];
  index: AddressIndex;
  /** Lengths of the prefixes that rules name. */
  prefixes: readonly number[];
  /** Null where neither ruleset nor tenant has one: then the call is rejected. */
  fallback: ActionOf | null;
}

/** Compiles what `parseRuleset` read. */
export function compileRuleset(ruleset: Ruleset, options: CompileOptions): CompiledRuleset {
  const { rules, lists = {}, defaults } = ruleset;
  const fallback = ruleset.fallback ?? options.fallback;
  const context = {
    tenant: options.tenant,
    plain: options.plain,
    join: defaults?.join ?? {},
    moderated: moderatedRooms(fallback === undefined ? rules : [...rules, fallback]),
  };
  const sets = new WantedSets(lists);
  const compiled = rules.map((rule) => ({
    id: rule.id,
    conditions: readMatch(rule.match, sets),
    actionOf: readAction(rule, context),
  }));
  return {
    hash: options.hash,
    rules: compiled,
    index: new AddressIndex(
      rules.map((rule) => rule.match),
      sets,
    ),
    prefixes: sets.prefixes,
    fallback: fallback === undefined ? null : readAction(fallback, context),
  };
}

/** A ruleset's version: the SHA-256 of its text as KV holds it, in hex. */
export async function hashRuleset(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
