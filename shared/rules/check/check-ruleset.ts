import { pinTakenBy } from "../compile/pins.ts";
import { actionsOf, moderatedRooms } from "../compile/roles.ts";
import { roomNames } from "../compile/room-names.ts";
import { GROUP_DEPTH, RULES } from "../limits.ts";
import { type ActionText, builtInRoles, templatesOf } from "../schema/action-schema.ts";
import { type Path, pathText, problem, shown } from "../schema/problems.ts";
import type { ParseOptions, Rule, Ruleset } from "../schema/ruleset.ts";
import { holdsPinRoom } from "../template.ts";
import { type ActionNames, checkAction, checkJoin } from "./check-actions.ts";
import {
  type Asked,
  askedWithin,
  checkAnswers,
  checkNone,
  checkPlaceholders,
  warnOfPrefixes,
} from "./check-answers.ts";
import { checkExpressions } from "./check-expression.ts";
import { warnOfIngress } from "./check-ingress.ts";
import { checkMatch, type MatchNames } from "./check-match.ts";
import { warnOfUntold } from "./check-notices.ts";
import { checkSchedules, warnOfUnusedSchedules } from "./check-schedules.ts";
import { BeforeRoom } from "./check-wait.ts";
import { type Found, ListUse } from "./list-use.ts";
import { warnOfUnreachableRules } from "./unreachable-rules.ts";

interface Walk {
  found: Found;
  ids: Map<string, Path>;
  match: MatchNames;
  actions: ActionNames;
  beforeRoom: BeforeRoom;
}

interface CheckOptions extends ParseOptions {
  /** Whether stand-ins are in place of parts that are wrong: what is not used, or never reached, is not known then. */
  isPartial?: boolean;
}

/** What can only be seen with the whole ruleset in view: names used twice, missing or of the wrong kind, rooms that can never be. */
export function checkRuleset(ruleset: Ruleset, options: CheckOptions): Found {
  const found: Found = { errors: [], warnings: [] };
  const lists = new ListUse(ruleset.lists ?? {}, found);
  const usedSchedules = new Set<string>();
  const everything = [
    ...actionsOf(ruleset.rules),
    ...(ruleset.fallback === undefined ? [] : [ruleset.fallback]),
  ];
  const staffed = everything.flatMap(({ place }) =>
    place?.role === "moderator" ? roomNames(place.room, place) : [],
  );
  const walk: Walk = {
    found,
    ids: new Map(),
    beforeRoom: new BeforeRoom(ruleset, found),
    match: {
      lists,
      schedules: Object.keys(ruleset.schedules ?? {}),
      isSchedule: (name) => Object.hasOwn(ruleset.schedules ?? {}, name),
      usedSchedules,
    },
    actions: {
      options,
      roles: ruleset.roles ?? {},
      join: ruleset.defaults?.join ?? {},
      moderated: moderatedRooms(everything),
      staffed: new Set(staffed),
    },
  };
  checkSchedules(ruleset, lists, found);
  checkRules(ruleset.rules, ["rules"], { asked: new Map(), takesPin: false }, 0, walk);
  if (walk.ids.size > RULES)
    found.errors.push(
      problem(["rules"], `holds ${walk.ids.size} rules, groups' included, and ${RULES} are allowed`),
    );
  if (ruleset.fallback !== undefined) {
    checkAction(ruleset.fallback, ["fallback"], walk.actions, found);
    checkPlaceholders(templatesOf(ruleset.fallback), ["fallback"], new Map(), found);
    checkPinRoom(ruleset.fallback, ["fallback"], false, found);
    walk.beforeRoom.check(ruleset.fallback, ["fallback"], new Map());
  }
  checkJoin(ruleset.defaults?.join, ["defaults", "join"], found);
  checkRoles(ruleset, found);
  checkPlaceholders(ruleset.defaults?.recording_notice, ["defaults", "recording_notice"], new Map(), found);
  warnOfIngress(ruleset, found);
  if (options.isPartial === true) return found;
  // Where calls are decided by it, nobody reads warnings.
  if (options.serving !== true) warnOfUntold(ruleset, found);
  lists.warnOfUnused();
  warnOfUnusedSchedules(ruleset, usedSchedules, found);
  if (found.errors.length === 0) warnOfUnreachableRules(ruleset, found);
  return found;
}

/** What holds within a group. */
interface Within {
  asked: Asked;
  /** Whether a match around takes a PIN of KV. */
  takesPin: boolean;
}

function checkRules(rules: readonly Rule[], path: Path, within: Within, depth: number, walk: Walk): void {
  const { asked } = within;
  const { found, ids, match, actions } = walk;
  rules.forEach((rule, position) => {
    const here = [...path, position];
    const first = ids.get(rule.id);
    if (first === undefined) ids.set(rule.id, here);
    else {
      const message = `${shown(rule.id)} is the id of ${pathText(first)} already: ids are used once`;
      found.errors.push(problem([...here, "id"], message));
    }
    const matched = [...here, "match"];
    checkMatch(rule.match, matched, match, found);
    checkAnswers(rule.match, matched, asked, match.lists, found);
    checkExpressions(rule.match, matched, { asked, options: actions.options }, found);
    const takesPin = within.takesPin || pinTakenBy(rule.match) !== undefined;
    if (rule.rules === undefined) {
      checkAction(rule, here, actions, found);
      checkPinRoom(rule, here, takesPin, found);
      walk.beforeRoom.check(rule, here, asked);
      checkPlaceholders(templatesOf(rule), here, asked, found);
      return;
    }
    if (depth >= GROUP_DEPTH - 1 && rule.rules.some((inner) => inner.rules !== undefined))
      found.errors.push(problem([...here, "rules"], `holds groups nested deeper than ${GROUP_DEPTH}`));
    checkPlaceholders(rule.ask, [...here, "ask"], asked, found);
    checkNone(rule, here, found);
    warnOfPrefixes(rule, here, match.lists, found);
    const inner = { asked: askedWithin(rule.ask, asked, here, found), takesPin };
    checkRules(rule.rules, [...here, "rules"], inner, depth + 1, walk);
  });
}

function checkPinRoom({ place }: ActionText, path: Path, takesPin: boolean, found: Found): void {
  if (place === undefined || takesPin || !holdsPinRoom(place.room)) return;
  const message =
    '{pin.room} is the room of a PIN that the match takes, and this match takes none: write { "pins": true } for an answer in it';
  found.errors.push(problem([...path, "place", "room"], message));
}

function checkRoles({ roles = {} }: Ruleset, found: Found): void {
  for (const [role, join] of Object.entries(roles)) {
    if (builtInRoles.some((builtIn) => builtIn === role))
      found.errors.push(problem(["roles", role], "is a role that there always is: choose another name"));
    checkJoin(join, ["roles", role], found);
  }
}
