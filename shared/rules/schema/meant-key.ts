import { joinParameters } from "../../conference.ts";
import { nearest } from "../nearest.ts";
import { actions } from "./action-schema.ts";
import type { Path } from "./path.ts";

/** An object of the language: how it is found in a path, and the keys that an unknown key may have been meant for. */
interface Home {
  /** As a chain of keys from a rule, or from the ruleset. */
  chain: readonly string[];
  keys: readonly string[];
}

const placeKeys = keysOf(actions.place);
const speechKeys = ["language", "voice"];

/** In the order in which a key that several have is looked for. */
const homes: readonly Home[] = [
  { chain: ["place", "join"], keys: Object.keys(joinParameters.shape) },
  {
    chain: ["place", "join", "stream"],
    keys: ["codec", "realtime", "authorization_bearer_token", "custom_parameters"],
  },
  { chain: ["place"], keys: placeKeys.filter((key) => key !== "coach" && key !== "join") },
  { chain: ["place"], keys: ["join"] },
  { chain: ["place", "announce"], keys: ["say", "play"] },
  { chain: ["place", "overflow"], keys: ["then", "rooms"] },
  { chain: ["place", "wait"], keys: ["for", "max_s", "music", "position", "otherwise"] },
  { chain: ["place", "coach"], keys: ["call_from", "if_absent", "if_several"] },
  {
    chain: ["match"],
    keys: [
      "to",
      "from",
      "direction",
      "type",
      "headers",
      "params",
      "vars",
      "during",
      "outside",
      "when",
      "not",
    ],
  },
  { chain: ["reject"], keys: ["reason", "say", "play", ...speechKeys] },
  { chain: ["hand_over"], keys: ["swml", "cxml"] },
  {
    chain: ["ask", "<name>"],
    keys: ["digits", "terminator", "tries", "secret", "no_input", "wrong", "goodbye"],
  },
  { chain: [], keys: ["id", "match", "place", "reject", "hand_over", "ask", "rules"] },
];

const topKeys = ["ways_in", "timezone", "lists", "schedules", "roles", "defaults", "rules", "fallback"];
const scheduleKeys = ["open", "closed", "on"];
const recordKeys: Readonly<Record<string, string>> = {
  space: "a project's record",
  credentials: "a project's record",
  signing_keys: "a project's record",
  contexts: "a project's record",
  plain_names_for: "a project's record",
  session: "a project's record",
  project_id: "a tenant's record",
  join_via: "a tenant's record",
  pin_limits: "a tenant's record",
  country: "a tenant's record",
  sip_gateways: "a tenant's record",
  dial: "a tenant's record",
};

/** What other languages, SignalWire's among them, call these keys. */
const alsoCalled: Readonly<Record<string, string>> = {
  stream_obj: "stream",
  startconferenceonenter: "start_on_enter",
  start_conference_on_enter: "start_on_enter",
  endconferenceonexit: "end_on_exit",
  end_conference_on_exit: "end_on_exit",
  mute: "muted",
  recording: "record",
  name: "id",
  if: "match",
  conditions: "match",
  condition: "match",
  caller: "from",
  called: "to",
  callee: "to",
  time_zone: "timezone",
  tz: "timezone",
  hours: "open",
  opening_hours: "open",
  holidays: "closed",
  default: "fallback",
  else: "fallback",
  otherwise: "fallback",
  seats: "capacity",
  max_wait_s: "max_s",
  prompt: "say",
  question: "say",
  retries: "tries",
  attempts: "tries",
  finish_on_key: "terminator",
  terminators: "terminator",
  num_digits: "digits",
};

/** What is said of an unknown key beside the keys that there are, and which of these was probably meant. */
export interface MeantKey {
  /** `it belongs inside "join": "join": { "muted": … }`. */
  hint?: string;
  suggestion?: string;
}

/** @param path of the object that holds the key. */
export function meantKey(path: Path, key: string, value: unknown, allowed: readonly string[]): MeantKey {
  const slip = nearest(key, allowed);
  // A key that is nearly another's here, and holds what that may hold, is a slip; `rooms: 5` is not `room`.
  if (slip !== undefined && (typeof value === "string" || homeOf(path, key) === undefined))
    return { suggestion: slip };
  const home = homeOf(path, key);
  if (home !== undefined) return { hint: home };
  const other = alsoCalled[key.toLowerCase()];
  if (other === undefined || !Object.hasOwn(alsoCalled, key.toLowerCase())) return {};
  if (allowed.includes(other)) return { suggestion: other };
  const otherHome = Object.hasOwn(joinParameters.shape, other) ? homeOf(path, other) : undefined;
  return otherHome === undefined ? {} : { hint: `as ${JSON.stringify(other)} ${otherHome}` };
}

function homeOf(path: Path, key: string): string | undefined {
  const holder = chainOf(path);
  if (holder === null) return undefined;
  if (path.length === 0 && Object.hasOwn(recordKeys, key))
    return `it belongs in ${recordKeys[key]}, not in a ruleset`;
  if (scheduleKeys.includes(key)) return 'it belongs inside a schedule: "schedules": { "<name>": { … } }';
  const candidates = homes.filter(({ keys, chain }) => keys.includes(key) && !isSame(chain, holder));
  const inside = candidates.find(({ chain }) => isWithin(chain, holder));
  if (inside !== undefined && path.length > 0) {
    const steps = inside.chain.slice(holder.length);
    const last = steps.at(-1);
    return `it belongs inside ${last === "<name>" ? "a question" : JSON.stringify(last)}: ${formOf(steps, key)}`;
  }
  if (path[0] === "defaults" && Object.keys(joinParameters.shape).includes(key))
    return `it belongs inside "join": ${formOf(["join"], key)}`;
  if (topKeys.includes(key) && !(key === "rules" && path[0] === "rules"))
    return 'it belongs at the top of the ruleset, beside "rules"';
  const home = candidates[0];
  if (home === undefined)
    return key.startsWith("answer.") && holder.length === 0
      ? `it belongs inside "match": ${formOf(["match"], key)}`
      : undefined;
  if (path.length === 0)
    return home.chain.length === 0
      ? "it belongs inside a rule"
      : `it belongs inside a rule: ${formOf(home.chain, key)}`;
  if (home.chain.length === 0) return `it belongs in the rule itself, beside ${JSON.stringify(holder[0])}`;
  const beside = isWithin(holder, home.chain) ? `, beside ${JSON.stringify(holder[home.chain.length])}` : "";
  return `it belongs in ${JSON.stringify(home.chain.at(-1))}${beside}: ${formOf(home.chain, key)}`;
}

/** Where in a rule an object stands; null for what is no part of a ruleset's rules, such as a record. */
function chainOf(path: Path): string[] | null {
  const words = path.filter((step) => typeof step === "string");
  if (path[0] === "defaults" || path.length === 0) return words;
  if (path[0] === "fallback") return words.slice(1);
  if (path[0] !== "rules") return null;
  const last = path.findLastIndex((step, index) => typeof step === "number" && path[index - 1] === "rules");
  const within = path.slice(last + 1).map(String);
  return within[0] === "ask" && within.length > 1 ? ["ask", "<name>", ...within.slice(2)] : within;
}

function formOf(steps: readonly string[], key: string): string {
  return [...steps]
    .reverse()
    .reduce((inner, step) => `${JSON.stringify(step)}: { ${inner} }`, `${JSON.stringify(key)}: …`);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && isWithin(one, other);
}

/** Whether the one chain begins with the other. */
function isWithin(chain: readonly string[], around: readonly string[]): boolean {
  return around.every((step, index) => chain[index] === step);
}

function keysOf(schema: { unwrap(): { shape: object } }): string[] {
  return Object.keys(schema.unwrap().shape);
}
