import type { Call } from "../../../shared/call.ts";
import { type JoinParameters, wireName } from "../../../shared/conference.ts";
import type { Answers } from "../../../shared/rules/answers.ts";
import type { Action, Decision, Question } from "../../../shared/rules/decision.ts";
import type { ActionText } from "../../../shared/rules/schema/action-schema.ts";
import type { Rule, Ruleset } from "../../../shared/rules/schema/ruleset.ts";
import { readingOf } from "../spellings.ts";
import { readText, TooLarge } from "./naive-bounds.ts";
import { matches } from "./naive-match.ts";

/** Who asks, when, and what they keyed so far; `null` where nothing can be asked. */
export interface Situation {
  tenant: string;
  plain: boolean;
  now_ms: number;
  answers: Answers | null;
}

type Outcome = Pick<Decision | Question, "action" | "rule">;

type Grouped = Pick<Outcome, "action"> & { rule?: string | null };

/**
 * What deciding means, written down the plain way: every rule in order, every value of every list. The product's decide must
 * say the same, whatever it does to be fast. Of a question it says only whose it is. Where a rule reads something too large the
 * fallback speaks.
 */
export function decideNaively(
  ruleset: Ruleset,
  situation: Situation,
  call: Call,
): Outcome & { is_over: boolean } {
  const found = within(() => firstOf(ruleset, ruleset.rules, situation, call));
  if (found !== null && found !== "over") return { ...found, is_over: false };
  const is_over = found === "over";
  const { fallback: written } = ruleset;
  const fallback = written && within(() => act(ruleset, written, situation, call));
  if (fallback && fallback !== "over") return { ...fallback, rule: null, is_over };
  const say = "We are sorry. This number cannot take your call. Goodbye.";
  return { action: "reject", say: { say }, rule: null, is_over } as Outcome & { is_over: boolean };
}

function within<Found>(decide: () => Found): Found | "over" {
  try {
    return decide();
  } catch (error) {
    if (error instanceof TooLarge) return "over";
    throw error;
  }
}

function firstOf(ruleset: Ruleset, rules: readonly Rule[], situation: Situation, call: Call): Outcome | null {
  for (const field of ["to", "from"] as const)
    if (rules.some(({ match }) => match[field] !== undefined)) readText(call[field]);
  for (const rule of rules) {
    if (!matches(ruleset, rule.match, situation, call)) continue;
    const found: Grouped | null =
      rule.rules === undefined
        ? act(ruleset, rule, situation, call)
        : group(ruleset, rule, rule.rules, situation, call);
    if (found !== null) return { rule: rule.id, ...found };
  }
  return null;
}

/** A group that asks lets no call past it. */
function group(
  ruleset: Ruleset,
  { ask }: Rule,
  rules: readonly Rule[],
  situation: Situation,
  call: Call,
): Grouped | null {
  const { answers } = situation;
  if (ask === undefined) return firstOf(ruleset, rules, situation, call);
  if (answers === null) return null;
  const questions = Object.entries(ask);
  const isOpen = questions.some(([name, { digits }]) => {
    const [least = 0, most = least] = digits.split("-").map(Number);
    const answer = answers[name];
    const value = answer?.value;
    return value === undefined
      ? answer?.hmac === undefined && (answer === undefined || least > 0)
      : value.length < least || value.length > most;
  });
  const found = isOpen ? null : firstOf(ruleset, rules, situation, call);
  if (found !== null) return found;
  const over = questions.some(([name, { tries = 3 }]) => {
    const answer = answers[name];
    return (
      answer !== undefined && (answer.tries ?? 1) >= tries && (!isOpen || isWrong(ask[name]?.digits, answer))
    );
  });
  return { action: over ? "reject" : "ask" };
}

function isWrong(digits = "", { value, hmac }: { value?: string; hmac?: string }): boolean {
  const [least = 0, most = least] = digits.split("-").map(Number);
  return value === undefined ? hmac === undefined && least > 0 : value.length < least || value.length > most;
}

function act(
  ruleset: Ruleset,
  text: ActionText,
  { tenant, plain, answers }: Situation,
  call: Call,
): Action | null {
  const { place, reject, hand_over } = text;
  for (const template of [place?.room, reject?.say]) readPlaceholders(template ?? "", call, answers);
  if (place?.sticky !== undefined) readText(call.from);
  if (hand_over !== undefined) {
    return hand_over[call.via === "cxml" ? "cxml" : "swml"] === undefined
      ? null
      : { action: "hand_over", ...hand_over };
  }
  if (reject !== undefined) {
    const why = reject.reason === undefined ? {} : { reason: reject.reason };
    if (reject.say === undefined) return { action: "reject", ...why };
    const say = filled(reject.say, call, answers);
    return say === null || say.length > 4_000 || /[$%]\{/.test(say)
      ? null
      : { action: "reject", say: { say }, ...why };
  }
  if (place === undefined) return null;
  const room = filled(place.room, call, answers)?.trim() ?? null;
  const { caller } = readingOf(call.from, "from");
  const before = filled(place.room, call, answers, true)?.trim() ?? null;
  if (room === null) return null;
  const many = place.overflow?.rooms ?? 1;
  const numbered = (first: string): [string, ...string[]] => [
    first,
    ...Array.from({ length: many - 1 }, (_, index) => `${first}-${index + 2}`),
  ];
  const isLegal = (first: string) =>
    numbered(first).every((name) => typeof wireName(tenant, name, { plain }) === "string");
  if (!isLegal(room)) return null;
  const role = place.role ?? "participant";
  const join = { ...ruleset.defaults?.join, ...roleJoin(ruleset, role, place.room), ...place.join };
  const { capacity } = place;
  const full = { say: { say: "We are sorry. All seats are taken. Please call again later." } };
  return {
    action: "place",
    rooms: numbered(room),
    ...(before === null || before === room || !isLegal(before) ? {} : { rooms_before: numbered(before) }),
    strategy: place.overflow?.then === "spread" ? "emptiest" : "first",
    role,
    join,
    ...(capacity === undefined ? {} : { capacity, when_full: { action: "reject", ...full } }),
    ...(place.sticky && caller !== null ? { sticky_key: caller } : {}),
  };
}

function roleJoin(ruleset: Ruleset, role: string, room: string): JoinParameters {
  if (role === "moderator") return { start_on_enter: true };
  if (role === "listener") return { muted: true };
  if (role !== "participant") return ruleset.roles?.[role] ?? {};
  const everyRule = (rules: readonly Rule[]): ActionText[] =>
    rules.flatMap((rule) => [rule, ...everyRule(rule.rules ?? [])]);
  const moderated = [...everyRule(ruleset.rules), ruleset.fallback ?? {}].some(
    ({ place }) => place?.role === "moderator" && place.room === room,
  );
  return moderated ? { start_on_enter: false } : {};
}

/** @param as_it_came with the addresses as the version before filled them in. */
function filled(template: string, call: Call, answers: Answers | null, as_it_came = false): string | null {
  let whole = true;
  const text = template.replace(/\{([^}]*)\}/g, (_, inner: string) => {
    const [source = "", ...filters] = inner.split("|");
    const isUser = filters[0] === "user";
    let value = placeholder(source, call, answers);
    // The user of what came, and otherwise what it is read as.
    if ((source === "to" || source === "from") && !isUser && !as_it_came)
      value = readingOf(call[source], source).canonical;
    for (const filter of filters) value = value === null ? null : filtered(filter, value);
    if (value === null || value === "") whole = false;
    return value ?? "";
  });
  return whole ? text : null;
}

function readPlaceholders(template: string, call: Call, answers: Answers | null): void {
  for (const [, inner = ""] of template.matchAll(/\{([^}]*)\}/g))
    readText(placeholder(inner.split("|")[0] ?? "", call, answers));
}

function filtered(filter: string, value: string): string | null {
  if (filter === "digits") return [...value].filter((one) => one >= "0" && one <= "9").join("");
  if (filter === "lower") return value.toLowerCase();
  if (filter === "last4") return value.length < 4 ? null : value.slice(value.length - 4);
  return readingOf(value, "from").uri?.[0] ?? null;
}

function placeholder(name: string, call: Call, answers: Answers | null): string | null {
  if (name === "to" || name === "from" || name === "call_id") return call[name];
  const [kind, ...rest] = name.split(".");
  if (kind === "param") return textAt(call.params, rest.join("."));
  if (kind === "answer")
    return Object.entries(answers ?? {}).find(([one]) => one === rest[0])?.[1].value ?? null;
  return Object.entries(call.headers).find(([sent]) => sent === rest.join(".").toLowerCase())?.[1][0] ?? null;
}

function textAt(values: Record<string, unknown>, name: string): string | null {
  const value = Object.entries(values).find(([sent]) => sent === name)?.[1];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : null;
}
