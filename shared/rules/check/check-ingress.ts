import type { JoinParameters } from "../../conference.ts";
import { eventsWithoutCxmlCounterpart, withoutCxmlCounterpart } from "../../documents/cxml-conference.ts";
import { actionsOf } from "../compile/roles.ts";
import type { ActionText } from "../schema/action-schema.ts";
import { type Path, problem, shown } from "../schema/problems.ts";
import type { HandOverText, RejectText } from "../schema/refusal-schema.ts";
import type { Rule, Ruleset } from "../schema/ruleset.ts";
import type { Found } from "./list-use.ts";

type Way = NonNullable<Ruleset["ways_in"]>[number];

/**
 * Warns of what a way in cannot do, for the ways that the ruleset says its calls come; where it says none, a cXML document
 * anywhere says that some come by cXML.
 */
export function warnOfIngress(ruleset: Ruleset, found: Found): void {
  const { rules, fallback, ways_in, defaults, roles = {} } = ruleset;
  const ways = new Set<Way>(ways_in ?? (namesCxml(ruleset) ? ["cxml"] : []));
  if (ways.size === 0) return;
  const checks = new IngressCheck(ways, found);
  checks.join(defaults?.join, ["defaults", "join"]);
  for (const [role, join] of Object.entries(roles)) checks.join(join, ["roles", role]);
  checks.rules(rules, ["rules"]);
  if (fallback !== undefined) checks.action(fallback, ["fallback"]);
}

class IngressCheck {
  readonly #ways: ReadonlySet<Way>;
  readonly #found: Found;

  constructor(ways: ReadonlySet<Way>, found: Found) {
    this.#ways = ways;
    this.#found = found;
  }

  rules(rules: readonly Rule[], path: Path): void {
    rules.forEach((rule, position) => {
      const here = [...path, position];
      if (rule.rules === undefined) this.action(rule, here);
      else this.rules(rule.rules, [...here, "rules"]);
    });
  }

  action(action: ActionText, path: Path): void {
    this.join(action.place?.join, [...path, "place", "join"]);
    for (const [steps, { hand_over, reject }] of refusalsOf(action)) {
      if (hand_over !== undefined) this.#handOver(hand_over, [...path, ...steps]);
      if (reject !== undefined) this.#reject(reject, [...path, ...steps]);
    }
  }

  join(join: JoinParameters | undefined, path: Path): void {
    if (join === undefined || !this.#ways.has("cxml")) return;
    for (const key of withoutCxmlCounterpart) {
      if (join[key] === undefined) continue;
      this.#warn([...path, key], "has no counterpart in cXML: calls that come by it join without");
    }
    const missed = (join.status_callback_event ?? "")
      .split(" ")
      .filter((event) => eventsWithoutCxmlCounterpart.includes(event));
    if (missed.length === 0) return;
    const events = missed.map(shown).join(" and ");
    this.#warn(
      [...path, "status_callback_event"],
      `cXML has no event ${events}: of calls that come by it nothing tells`,
    );
  }

  #handOver({ swml, cxml }: HandOverText, path: Path): void {
    const lacks = (way: string, key: string) =>
      this.#warn(path, `has no "${key}" URL, so that calls which come by ${way} pass this by: write one`);
    if (cxml === undefined && this.#ways.has("cxml")) lacks("cXML", "cxml");
    if (swml !== undefined) return;
    const ways = [...(this.#ways.has("swml") ? ["SWML"] : []), ...(this.#ways.has("relay") ? ["RELAY"] : [])];
    if (ways.length > 0) lacks(ways.join(" or "), "swml");
  }

  #reject({ say, play, reason }: RejectText, path: Path): void {
    if (reason !== "hangup" || say !== undefined || play !== undefined || !this.#ways.has("cxml")) return;
    this.#warn(
      [...path, "reason"],
      'cXML hangs up only on calls that were answered: others are declined, as by "decline"',
    );
  }

  #warn(path: Path, message: string): void {
    this.#found.warnings.push(problem(path, message));
  }
}

interface Word {
  hand_over?: HandOverText;
  reject?: RejectText;
}

/** Whatever an action may end a call with, and where in it that stands. */
function* refusalsOf({ place, hand_over, reject }: ActionText): Generator<[steps: Path, word: Word]> {
  if (hand_over !== undefined) yield [["hand_over"], { hand_over }];
  if (reject !== undefined) yield [["reject"], { reject }];
  if (place === undefined) return;
  const { after, overflow, coach, wait } = place;
  if (typeof after === "object") yield [["place", "after", "hand_over"], { hand_over: after.hand_over }];
  if (overflow?.swml !== undefined || overflow?.cxml !== undefined)
    yield [["place", "overflow"], { hand_over: overflow }];
  else if (overflow !== undefined) yield [["place", "overflow"], { reject: overflow }];
  const others = [
    [["place", "coach", "if_absent"], coach?.if_absent],
    [["place", "coach", "if_several"], coach?.if_several],
    [["place", "wait", "otherwise"], wait?.otherwise],
  ] as const;
  for (const [steps, word] of others) {
    if (typeof word !== "object") continue;
    const [key] = Object.keys(word);
    if (key !== undefined) yield [[...steps, key], word];
  }
}

function namesCxml({ rules, fallback }: Ruleset): boolean {
  for (const action of actionsOf(rules)) if (handsToCxml(action)) return true;
  return fallback !== undefined && handsToCxml(fallback);
}

function handsToCxml(action: ActionText): boolean {
  for (const [, { hand_over }] of refusalsOf(action)) if (hand_over?.cxml !== undefined) return true;
  return false;
}
