import type { z } from "zod";
import { type Path, pathText, valueAt } from "../schema/path.ts";
import { type Fault, type Problem, placesOf, problemsOf } from "../schema/problems.ts";
import { type Ruleset, rulesetSchema } from "../schema/ruleset.ts";

/** What is put in place of wrong parts may bring others to light, so often. */
const ROUNDS = 6;

/** A ruleset with stand-ins for its wrong parts, so that what the rest means can be checked, too. */
export interface Salvaged {
  ruleset: Ruleset;
  /** What came to light only when other faults were out of the way. */
  more: Problem[];
  /** Whether a problem may come of a stand-in alone. */
  isDoubtful(problem: Problem): boolean;
}

/** @param issues what is wrong with the shape of what was read. Null: too much is. */
export function salvage(raw: unknown, issues: readonly z.core.$ZodIssue[]): Salvaged | null {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) return null;
  const json: unknown = structuredClone(raw);
  const cut = new Map<string, Fault>();
  const more: Problem[] = [];
  let open = issues;
  for (let round = 0; round < ROUNDS; round += 1) {
    const faults = new Map(placesOf(open, json).map((fault) => [pathText(fault.path), fault]));
    for (const [text, fault] of faults) {
      // What stands there now is no better: its name is wrong, say.
      const isNamed =
        ["lists", "schedules", "roles"].includes(String(fault.path[0])) && fault.path.length > 1;
      if (!cut.has(text) || !isNamed) {
        if (!standIn(json, cut.has(text) ? fault.path.slice(0, -1) : fault.path)) return null;
      } else remove(valueAt(json, fault.path.slice(0, 1)), fault.path[1] ?? "");
    }
    for (const [text, fault] of faults) cut.set(text, fault);
    const parsed = rulesetSchema.safeParse(json);
    const all = [...cut.values()];
    if (parsed.success) {
      return {
        ruleset: parsed.data,
        more,
        isDoubtful: ({ path }) => all.some((fault) => isAtOrIn(path, pathText(wholeOf(fault.path)))),
      };
    }
    open = parsed.error.issues;
    more.push(...problemsOf(open, json).filter(({ path }) => !all.some((fault) => mayComeOf(path, fault))));
  }
  return null;
}

/** What was replaced for the sake of a part of it: a question, a schedule; else the part. */
function wholeOf(path: Path): Path {
  const ask = path.lastIndexOf("ask");
  if (path[0] === "rules" && ask > 0 && typeof path[ask - 1] === "number") return path.slice(0, ask + 2);
  return path[0] === "schedules" ? path.slice(0, 2) : path;
}

function isAtOrIn(path: string, of: string): boolean {
  return path === of || path.startsWith(`${of}.`) || path.startsWith(`${of}[`);
}

/** Whether something is wrong with an object only because of what was taken out of it. */
function mayComeOf(path: string, { path: at, isUnknownKey }: Fault): boolean {
  const holder = pathText(at.slice(0, -1));
  if (isAtOrIn(path, pathText(at)) || path === holder) return true;
  return (
    !isUnknownKey &&
    holder !== "" &&
    path.startsWith(`${holder}.`) &&
    !path.slice(holder.length + 1).includes(".")
  );
}

const rejection = { reject: { reason: "hangup" } };
/** Takes whatever rules compare. */
const question = { say: "-", digits: "0-32" };

/** Puts something harmless in place of what is wrong. False: nothing can stand there. */
function standIn(json: unknown, path: Path): boolean {
  const rule = path.findLastIndex((step, index) => typeof step === "number" && path[index - 1] === "rules");
  if (rule >= 0) return inRule(valueAt(json, path.slice(0, rule)), path[rule], path.slice(rule + 1));
  const [top, name, item] = path;
  if (top === undefined || !isObject(json)) return false;
  if (top === "rules") json["rules"] = [];
  else if (top === "timezone") json["timezone"] = "UTC";
  else if (top === "fallback" && name !== undefined) inAction(json["fallback"], path.slice(1));
  else if (top === "lists" && name !== undefined)
    inNamed(json["lists"], name, item === undefined ? [] : undefined, item, "-");
  else if (top === "schedules" && name !== undefined)
    inNamed(json["schedules"], name, { open: ["mon-sun 00:00-24:00"], timezone: "UTC" });
  else if (top === "roles" && name !== undefined)
    inNamed(json["roles"], name, item === undefined ? {} : undefined, item);
  else if (top === "defaults" && name !== undefined) {
    const holder =
      name === "join" && item !== undefined ? valueAt(json, ["defaults", "join"]) : json["defaults"];
    remove(holder, name === "join" && item !== undefined ? item : name);
  } else remove(json, top);
  return true;
}

/** Replaces one thing that has a name, or an item of it. */
function inNamed(
  holder: unknown,
  name: PropertyKey,
  whole: unknown,
  item?: PropertyKey,
  inItem?: unknown,
): void {
  if (!isObject(holder)) return;
  const one = holder[String(name)];
  if (whole !== undefined) holder[String(name)] = whole;
  else if (Array.isArray(one) && typeof item === "number") one[item] = inItem;
  else if (isObject(one) && item !== undefined) remove(one, item);
  else remove(holder, name);
}

function inRule(holder: unknown, index: PropertyKey | undefined, within: Path): boolean {
  if (!Array.isArray(holder) || typeof index !== "number") return false;
  const rule: unknown = holder[index];
  const [field, name] = within;
  if (!isObject(rule)) {
    holder[index] = { id: newId(), match: {}, ...rejection };
    return true;
  }
  switch (field) {
    case undefined:
      onlyAction(rule);
      break;
    case "id":
      rule["id"] = newId();
      break;
    case "match":
      if (name === undefined || !isObject(rule["match"])) rule["match"] = {};
      else remove(rule["match"], name);
      break;
    case "ask":
      if (name === undefined || !isObject(rule["ask"])) remove(rule, "ask");
      else {
        const secret = isObject(rule["ask"][String(name)]) && valueAt(rule, ["ask", name, "secret"]) === true;
        inNamed(rule["ask"], name, secret ? { ...question, secret } : question);
      }
      break;
    case "rules":
      remove(rule, "rules");
      remove(rule, "ask");
      onlyAction(rule);
      break;
    default:
      inAction(rule, within);
  }
  return true;
}

/** A rule with one action, or the rules of a group alone. */
function onlyAction(rule: Record<string, unknown>): void {
  const isGroup = Array.isArray(rule["rules"]) && rule["rules"].length > 0;
  for (const action of ["place", "reject", "hand_over"]) remove(rule, action);
  if (!isGroup) {
    remove(rule, "rules");
    remove(rule, "ask");
    Object.assign(rule, rejection);
  }
}

function inAction(holder: unknown, [field, name, inner]: Path): void {
  if (!isObject(holder) || field === undefined) return;
  const action = holder[String(field)];
  if (field !== "place" || name === undefined || !isObject(action)) {
    remove(holder, field);
    const isAction = field === "place" || field === "reject" || field === "hand_over";
    if (isAction && !("rules" in holder)) Object.assign(holder, rejection);
  } else if (name === "room") action["room"] = "-";
  else if (name === "join" && inner !== undefined && isObject(action["join"])) remove(action["join"], inner);
  else remove(action, name);
}

/** No rule's: what is written out has no such id by chance. */
function newId(): string {
  return `stand-in-${crypto.randomUUID()}`;
}

function remove(holder: unknown, key: PropertyKey): void {
  if (typeof holder === "object" && holder !== null) Reflect.deleteProperty(holder, key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
