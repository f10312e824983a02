import type { ActionText } from "../schema/action-schema.ts";
import { kvListsOf, type ListValues, listValues, type Rule, type Ruleset } from "../schema/ruleset.ts";
import { WallClock } from "../wall-clock.ts";
import { costOfAction, costOfInterpolation } from "./action-cost.ts";
import { ActionOnDemand, readAction } from "./actions.ts";
import { Asking } from "./asking.ts";
import type { CompiledRule, CompiledRules, CompiledRuleset } from "./compiled-ruleset.ts";
import { type Named, readMatch } from "./conditions.ts";
import { ReadTable } from "./cost.ts";
import { expressionOf } from "./expression.ts";
import { MatcherValues } from "./matcher-values.ts";
import { passableBy } from "./passable.ts";
import { comparesPins, pinTakenBy } from "./pins.ts";
import type { PlaceContext } from "./place.ts";
import { RecordedRooms, recordingRules } from "./recorded-rooms.ts";
import { actionsOf, isRole, moderatedRooms, roleParameters } from "./roles.ts";
import { RuleIndex } from "./rule-index.ts";
import { Schedule } from "./schedule.ts";
import { mostSteps } from "./worst-case.ts";

export interface CompileOptions {
  tenant: string;
  /** Whether the tenant's conferences carry no prefix. */
  plain: boolean;
  /** What `hashRuleset` says of the ruleset's text. */
  hash: string;
  /** What KV has of lists, by their names there; those that are not given are empty. */
  lists?: ReadonlyMap<string, ListValues>;
  /** The tenant record's fallback, for a ruleset that has none of its own. */
  fallback?: ActionText;
}

/** Compiles what `parseRuleset` read. */
export function compileRuleset(ruleset: Ruleset, options: CompileOptions): CompiledRuleset {
  const { rules, defaults = {}, roles = {} } = ruleset;
  const lists = listValues(ruleset.lists, options.lists);
  const { join = {}, language, voice, recording_notice: notice } = defaults;
  const fallback = ruleset.fallback ?? options.fallback;
  const everything = [...actionsOf(rules), ...(fallback === undefined ? [] : [fallback])];
  const context: PlaceContext = {
    tenant: options.tenant,
    plain: options.plain,
    join,
    speech: { ...(language === undefined ? {} : { language }), ...(voice === undefined ? {} : { voice }) },
    ...(notice === undefined ? {} : { notice }),
    roles,
    recorded: new RecordedRooms(recordingRules(rules, fallback, { join, roles })),
    moderated: moderatedRooms(everything),
  };
  const sets = new MatcherValues(lists);
  const reads = new ReadTable();
  const named = { sets, schedules: readSchedules(ruleset, lists), reads, expressionOf };
  const compiled = compileRules(rules, named, context);
  const fallback_cost = reads.cost(costOfAction(fallback ?? {}));
  return {
    tenant: options.tenant,
    hash: options.hash,
    kv_lists: kvListsOf(ruleset),
    ...compiled,
    reads,
    most_steps: mostSteps(rules, compiled) + fallback_cost.most + reads.most_steps,
    fallback_cost,
    prefixes: sets.prefixes,
    rejoins: everything.some(({ place }) => place?.rejoin_s !== undefined),
    pins: comparesPins(rules),
    fallback: fallback === undefined ? null : readAction(fallback, context),
    speech: context.speech,
    ...(notice === undefined ? {} : { notice }),
    recorded: context.recorded,
    joinAs: (role, room) =>
      isRole(role, roles) ? { ...join, ...roleParameters(role, context.moderated.has(room), roles) } : null,
  };
}

/** A ruleset's version: the SHA-256 of its text as KV holds it, in hex. */
export async function hashRuleset(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function compileRules(rules: readonly Rule[], named: Named, context: PlaceContext): CompiledRules {
  const compiled = rules.map((rule) => compileRule(rule, named, context));
  const { passable, reads } = passableBy(
    rules.map(({ match }) => match),
    compiled.map(({ conditions }) => conditions),
    named,
  );
  const indexed = passable.map((by, position) => {
    const { to, from } = rules[position]?.match ?? {};
    return { ...by, to, from };
  });
  return { rules: compiled, index: new RuleIndex(indexed, reads, named.sets) };
}

function compileRule(rule: Rule, named: Named, context: PlaceContext): CompiledRule {
  const conditions = readMatch(rule.match, named);
  const pin = pinTakenBy(rule.match);
  const inner = pin === undefined ? context : { ...context, pin };
  const { id } = rule;
  if (rule.rules === undefined) {
    const cost = named.reads.cost(costOfAction(rule));
    return { id, conditions, does: new ActionOnDemand(rule, inner, cost) };
  }
  const asking = rule.ask === undefined ? null : new Asking(rule.ask, context.speech);
  const cost = named.reads.cost(costOfInterpolation(rule.ask));
  return { id, conditions, does: { group: { asking, ...compileRules(rule.rules, named, inner) }, cost } };
}

function readSchedules(
  { schedules = {}, timezone }: Ruleset,
  lists: Record<string, ListValues>,
): Map<string, Schedule> {
  const clocks = new Map<string, WallClock>();
  return new Map(
    Object.entries(schedules).map(([name, text]) => {
      // The checks let no schedule through without a time zone.
      const zone = text.timezone ?? timezone ?? "UTC";
      const clock = clocks.get(zone) ?? new WallClock(zone);
      clocks.set(zone, clock);
      return [name, new Schedule(name, text, clock, lists)];
    }),
  );
}
