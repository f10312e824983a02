import type { ASTNode } from "@marcbachmann/cel-js";
import { type PlaceRead, partsOf, placeOf, placeSought } from "../ast.ts";
import { compiledOf, syntaxOf } from "../compile/expression.ts";
import { type Fault, meantFunction } from "../compile/expression-words.ts";
import { nearest } from "../nearest.ts";
import { meantWord } from "../schema/advice.ts";
import { callTypes, directions, type Match } from "../schema/match-schema.ts";
import { canonical, isAbbreviation, meantTimezone } from "../schema/meant-timezone.ts";
import { oneOf, type Path, problem, shown } from "../schema/problems.ts";
import type { ParseOptions } from "../schema/ruleset.ts";
import { isTimezone } from "../wall-clock.ts";
import { type Asked, notAskedFault } from "./check-answers.ts";
import type { Found } from "./list-use.ts";

/** What a field of the call can be, and nothing else. */
const wordsOfCall: Readonly<Record<string, readonly string[]>> = {
  direction: directions,
  type: callTypes,
  via: ["swml", "cxml", "relay"],
};

interface Seen {
  asked: Asked;
  options: ParseOptions;
}

/**
 * The expressions of a match: that CEL takes them, and where they are written that they read what there is. Of what serves already
 * only the former is asked: an expression that fails matches nothing, and that may be what its rules live with.
 */
export function checkExpressions(match: Match, path: Path, seen: Seen, found: Found): void {
  if (match.when !== undefined) checkExpression(match, [...path, "when"], seen, found);
  if (match.not !== undefined) checkExpressions(match.not, [...path, "not"], seen, found);
}

function checkExpression(match: Match, path: Path, seen: Seen, found: Found): void {
  const compiled = compiledOf(match);
  const syntax = seen.options.serving === true ? null : syntaxOf(match.when ?? "");
  const faults = syntax === null ? [] : [...faultsIn(syntax, seen)];
  const errors = faults.filter(({ isWarning }) => isWarning !== true);
  // What is found here is said in more useful words than CEL's.
  if (errors.length === 0 && compiled?.ok === false)
    found.errors.push(problem(path, compiled.message, compiled.suggestion));
  for (const { message, suggestion, isWarning } of faults)
    (isWarning === true ? found.warnings : found.errors).push(problem(path, message, suggestion));
}

interface FoundFault extends Fault {
  isWarning?: true;
}

function* faultsIn(node: ASTNode, seen: Seen): Generator<FoundFault> {
  const place = placeOf(node) ?? placeSought(node);
  const fault = place === null ? null : faultOfPlace(place, node, seen);
  if (fault !== null) {
    yield fault;
    // What stands within the place is the same place.
    return;
  }
  yield* comparisonFaults(node, seen);
  yield* zoneFaults(node);
  for (const part of partsOf(node)) yield* faultsIn(part, seen);
}

/** A place that no call has. */
function faultOfPlace({ root, keys }: PlaceRead, node: ASTNode, { asked }: Seen): FoundFault | null {
  const [first, second] = keys;
  if (first === undefined) return null;
  const where = `, at character ${node.range.start + 1}`;
  switch (root) {
    case "now": {
      const meant = meantFunction(String(first));
      return {
        message: `now is a time, and has no ${first}${where}: a time zone's clock is asked with functions, such as now.getHours('Europe/Berlin')`,
        ...(meant?.startsWith("get") ? { suggestion: `now.${meant}('Europe/Berlin')` } : {}),
      };
    }
    case "tenant":
      return {
        message: `tenant is text, and has no ${first}${where}: it is the tenant's id`,
        suggestion: "tenant",
      };
    case "answer":
      return answerFault(String(first), asked, where);
    case "call": {
      if (first !== "headers") {
        return second !== undefined &&
          ["call_id", "from", "to", "direction", "type", "via"].includes(String(first))
          ? { message: `call.${first} is text, and has no ${second}${where}`, suggestion: `call.${first}` }
          : null;
      }
      if (typeof second !== "string" || second === second.toLowerCase()) return null;
      return {
        message: `call.headers has its names in lower case, and never ${shown(second)}${where}`,
        suggestion: second.toLowerCase(),
      };
    }
    default:
      return null;
  }
}

function answerFault(name: string, asked: Asked, where: string): FoundFault | null {
  const question = asked.get(name);
  if (question === undefined) {
    const { message, suggestion } = notAskedFault(name, asked);
    return {
      message: `${message}${where}`,
      ...(suggestion === undefined ? {} : { suggestion: `answer.${suggestion}` }),
    };
  }
  if (question.secret !== true) return null;
  return {
    message: `${shown(name)} is a secret, and answer never has it${where}: compare it in the match, with "answer.${name}"`,
  };
}

/** `==` and `!=` with a word that the other side can never be. */
function* comparisonFaults(node: ASTNode, { options }: Seen): Generator<FoundFault> {
  if (node.op !== "==" && node.op !== "!=") return;
  const [left, right] = node.args;
  for (const [side, other] of [
    [left, right],
    [right, left],
  ] as const) {
    const place = placeOf(side);
    if (place === null || other.op !== "value" || typeof other.args !== "string") continue;
    const outcome = node.op === "==" ? "never true" : "always true";
    const where = `, at character ${node.range.start + 1}`;
    const { tenant } = options;
    if (place.root === "tenant" && place.keys.length === 0 && tenant !== undefined && other.args !== tenant)
      yield {
        message: `is ${outcome}${where}: these are the rules of the tenant ${shown(tenant)}, not of ${shown(other.args)}`,
        ...(nearest(other.args, [tenant]) === undefined ? {} : { suggestion: tenant }),
      };
    const words =
      place.root === "call" && place.keys.length === 1 ? wordsOfCall[String(place.keys[0])] : undefined;
    if (words === undefined || words.includes(other.args)) continue;
    const meant = meantWord(String(place.keys[0]), other.args) ?? nearest(other.args, words);
    yield {
      isWarning: true,
      message: `is ${outcome}${where}: call.${place.keys[0]} is ${oneOf(words)}, not ${shown(other.args)}`,
      ...(meant === undefined ? {} : { suggestion: meant }),
    };
  }
}

/** The zones that were asked for last and are good: to look one up takes a tenth of a millisecond. */
const goodZones = new Set<string>();
const MAX_GOOD_ZONES = 500;

function isGood(zone: string): boolean {
  if (goodZones.has(zone)) return true;
  if (isAbbreviation(zone) || !isTimezone(zone)) return false;
  if (goodZones.size >= MAX_GOOD_ZONES) goodZones.clear();
  goodZones.add(zone);
  return true;
}

/** Time zones of `getHours('…')` and its like. */
function* zoneFaults(node: ASTNode): Generator<FoundFault> {
  if (node.op !== "rcall") return;
  const [name, receiver, [zone]] = node.args;
  if (!/^get[A-Z]/.test(name) || placeOf(receiver)?.root !== "now") return;
  const where = `, at character ${node.range.start + 1}`;
  if (zone === undefined) {
    yield {
      isWarning: true,
      message: `${name}() without a time zone is in UTC${where}: write ${name}('Europe/Berlin'), say`,
    };
    return;
  }
  if (zone.op !== "value" || typeof zone.args !== "string") return;
  // CEL takes offsets, too.
  if (/^[+-]?\d{1,2}:\d{2}$/.test(zone.args)) return;
  if (isGood(zone.args)) return;
  const meant = meantTimezone(zone.args);
  if (!isTimezone(zone.args)) {
    yield {
      message: `${shown(zone.args)} is no time zone of the IANA database${where}`,
      ...(meant === undefined ? {} : { suggestion: meant }),
    };
  } else {
    yield {
      isWarning: true,
      message: `${shown(zone.args)} is read as ${canonical(zone.args)}${where}: write the zone of a place`,
      ...(meant === undefined ? {} : { suggestion: meant }),
    };
  }
}
