import type { Call } from "../../../shared/call.ts";
import { type JoinParameters, wireName } from "../../../shared/conference.ts";
import type { Action, Decision } from "../../../shared/rules/decision.ts";
import type { ActionText, Match, Ruleset, Wanted } from "../../../shared/rules/schema.ts";

/**
 * What deciding means, written down the plain way: every rule in order, every value of every list. The product's decide must
 * say the same, whatever it does to be fast.
 */
export function decideNaively(
  ruleset: Ruleset,
  { tenant, plain }: { tenant: string; plain: boolean },
  call: Call,
): Action & Pick<Decision, "rule"> {
  for (const rule of ruleset.rules) {
    if (!matches(ruleset, rule.match, call)) continue;
    const action = act(ruleset, rule, tenant, plain, call);
    if (action !== null) return { ...action, rule: rule.id };
  }
  const fallback = ruleset.fallback && act(ruleset, ruleset.fallback, tenant, plain, call);
  if (fallback) return { ...fallback, rule: null };
  return {
    action: "reject",
    say: { say: "We are sorry. This number cannot take your call. Goodbye." },
    rule: null,
  };
}

/** Whether the whole match holds. */
export function matches(ruleset: Ruleset, match: Match, call: Call): boolean {
  const values = (wanted: Wanted): string[] =>
    typeof wanted === "string"
      ? [wanted]
      : Array.isArray(wanted)
        ? wanted
        : (ruleset.lists?.[wanted.list] ?? []);
  if (match.to !== undefined && !values(match.to).some((one) => fits(one, call.to))) return false;
  if (match.from !== undefined && !values(match.from).some((one) => fits(one, call.from))) return false;
  if (match.direction !== undefined && !values(match.direction).includes(call.direction)) return false;
  if (match.type !== undefined && !values(match.type).includes(call.type)) return false;
  for (const [name, wanted] of Object.entries(match.headers ?? {})) {
    const sent =
      Object.entries(call.headers).find(([sentName]) => sentName === name.toLowerCase())?.[1] ?? [];
    if (!sent.some((value) => values(wanted).includes(value))) return false;
  }
  for (const [name, wanted] of Object.entries(match.params ?? {})) {
    const value = paramText(call, name);
    if (value === null || !values(wanted).includes(value)) return false;
  }
  return true;
}

function fits(pattern: string, address: string): boolean {
  if (!pattern.startsWith("sip:")) {
    return pattern.endsWith("*") ? address.startsWith(pattern.slice(0, -1)) : pattern === address;
  }
  const [, user, rest = ""] = /^sips?:([^@\s]+)@(.*)$/is.exec(address) ?? [];
  const [, host, tail = ""] = /^([a-z0-9.-]+)(.*)$/is.exec(rest) ?? [];
  if (user === undefined || host === undefined || !/^(:\d{1,5})?([;?].*)?$/is.test(tail)) return false;
  const [wantedUser, wantedHost] = pattern.slice(4).split("@");
  return (
    (wantedUser === "*" || wantedUser === user) &&
    (wantedHost === "*" || wantedHost?.toLowerCase() === host.toLowerCase())
  );
}

function act(ruleset: Ruleset, text: ActionText, tenant: string, plain: boolean, call: Call): Action | null {
  const { place, reject, hand_over } = text;
  if (hand_over !== undefined) {
    return hand_over[call.via === "cxml" ? "cxml" : "swml"] === undefined
      ? null
      : { action: "hand_over", ...hand_over };
  }
  if (reject !== undefined) {
    const why = reject.reason === undefined ? {} : { reason: reject.reason };
    if (reject.say === undefined) return { action: "reject", ...why };
    const say = filled(reject.say, call);
    return say === null || /[$%]\{/.test(say) ? null : { action: "reject", say: { say }, ...why };
  }
  if (place === undefined) return null;
  const room = filled(place.room, call);
  if (room === null || typeof wireName(tenant, room, { plain }) !== "string") return null;
  const role = place.role ?? "participant";
  const everyAction: ActionText[] = [...ruleset.rules, ruleset.fallback ?? {}];
  const moderated = everyAction.some(
    (one) => one.place?.role === "moderator" && one.place.room === place.room,
  );
  const ofRole: JoinParameters =
    role === "moderator"
      ? { start_on_enter: true }
      : role === "listener"
        ? { muted: true }
        : moderated
          ? { start_on_enter: false }
          : {};
  const join = { ...ruleset.defaults?.join, ...ofRole, ...place.join };
  return { action: "place", rooms: [room], strategy: "first", role, join };
}

function filled(template: string, call: Call): string | null {
  let whole = true;
  const text = template.replace(/\{([^}]*)\}/g, (_, name: string) => {
    const value = placeholder(name, call);
    if (value === null || value === "") whole = false;
    return value ?? "";
  });
  return whole ? text : null;
}

function placeholder(name: string, call: Call): string | null {
  if (name === "to" || name === "from" || name === "call_id") return call[name];
  const [kind, ...rest] = name.split(".");
  if (kind === "param") return paramText(call, rest.join("."));
  return Object.entries(call.headers).find(([sent]) => sent === rest.join(".").toLowerCase())?.[1][0] ?? null;
}

function paramText(call: Call, name: string): string | null {
  const value = Object.entries(call.params).find(([sent]) => sent === name)?.[1];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : null;
}
