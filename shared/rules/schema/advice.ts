import type { z } from "zod";
import { suggestAddress } from "../address.ts";
import { DIGITS } from "../limits.ts";
import { nearest } from "../nearest.ts";
import { ADDRESS_MESSAGE } from "./match-schema.ts";
import { meantDates, meantHours, meantWeeklyHours } from "./meant-hours.ts";
import { meantTimezone } from "./meant-timezone.ts";
import type { Path } from "./path.ts";

/** Words that are no booleans where they are text, as in YAML 1.2 and JSON. */
const YES = ["true", "yes", "y", "on", "1", "enabled"];
const NO = ["false", "no", "n", "off", "0", "disabled"];
/** What is written for every call, where leaving the field out says so. */
const ANY = ["*", "any", "all", "both", "everyone", "anyone", "everybody", "anybody", ""];

/** What people write for the words of a set. */
const synonyms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  record: {
    ...mapped("record-from-start", ...YES, "always", "record", "start"),
    ...mapped("do-not-record", ...NO, "never", "none"),
  },
  trim: { ...mapped("trim-silence", ...YES), ...mapped("do-not-trim", ...NO, "none") },
  beep: { ...mapped("true", ...YES), ...mapped("false", ...NO, "none"), enter: "onEnter", exit: "onExit" },
  // biome-ignore lint/suspicious/noThenProperty: a word of the language, and the table is never awaited
  then: {
    ...mapped("wait", "queue", "hold", "line"),
    ...mapped("hand_over", "voicemail", "transfer", "redirect", "forward"),
    ...mapped("reject", "hangup", "hang_up", "busy"),
    overflow: "next",
  },
  terminator: { ...mapped("#", "pound", "hash"), star: "*", ...mapped("none", "", "no", "off", "false") },
  direction: { ...mapped("inbound", "in", "incoming"), ...mapped("outbound", "out", "outgoing") },
  type: { ...mapped("phone", "pstn", "tel", "mobile", "landline"), ...mapped("sip", "voip"), web: "webrtc" },
  reason: {
    busy: "busy",
    ...mapped("hangup", "hang_up", "hang up"),
    ...mapped("decline", "reject", "rejected", "declined"),
  },
  region: { ...mapped("us", "usa", "america"), ...mapped("eu", "europe"), switzerland: "ch" },
  sticky: mapped("from", ...YES, "caller"),
  for: { ...mapped("moderator", "host", "chair", "leader"), ...mapped("admission", "operator", "lobby") },
  after: mapped("hang_up", "hangup", "end"),
  if_absent: { mute: "listen", muted: "listen" },
};

function mapped(meant: string, ...words: string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word, meant]));
}

/** How an object is written, where its chief part stands alone. */
const forms: Readonly<Record<string, (written: unknown) => string>> = {
  reject: (written) => {
    const meant = typeof written === "string" ? meantWord("reason", written) : undefined;
    if (meant !== undefined) return `{ "reason": "${meant}" }`;
    return typeof written === "string" && written.includes(" ")
      ? `{ "say": ${JSON.stringify(written)} }`
      : '{ "reason": "busy" } or { "say": "…" }';
  },
  overflow: (written) => {
    switch (typeof written === "string" ? meantWord("then", written) : undefined) {
      case "wait":
        return '{ "then": "wait" }';
      case "reject":
        return '{ "then": "reject", "say": "…" }';
      case "hand_over":
        return '{ "then": "hand_over", "swml": "https://…" }';
      case "spread":
        return '{ "then": "spread", "rooms": 5 }';
      default:
        return '{ "then": "next", "rooms": 5 }';
    }
  },
  place: (written) => `{ "room": ${typeof written === "string" ? JSON.stringify(written) : '"…"'} }`,
  hand_over: (written) => `{ "swml": ${isUrl(written) ? JSON.stringify(written) : '"https://…"'} }`,
  after: (written) =>
    `"hang_up" or { "hand_over": { "swml": ${isUrl(written) ? JSON.stringify(written) : '"https://…"'} } }`,
  wait: (written) =>
    `{ "for": "${(typeof written === "string" ? meantWord("for", written) : undefined) ?? "moderator"}" }`,
  coach: (written) =>
    typeof written === "string" && /^[+{]/.test(written)
      ? `{ "call_from": ${JSON.stringify(written)} }`
      : `{ "role": ${typeof written === "string" ? JSON.stringify(written) : '"…"'} }`,
  join: () => '{ "muted": true }',
  stream: (written) =>
    `{ "url": ${/^wss:\/\/\S+$/.test(String(written)) ? JSON.stringify(written) : '"wss://…"'} }`,
  defaults: () => '{ "join": { … }, "language": "en-US" }',
  match: (written) => {
    const address =
      typeof written === "string"
        ? (suggestAddress(written) ?? (/^(\+|sip:)/.test(written) ? written : undefined))
        : undefined;
    if (address !== undefined) return `{ "to": ${JSON.stringify(address)} }`;
    if (typeof written === "string" && ANY.includes(written.trim().toLowerCase()))
      return "{}, which is every call";
    return '{ "to": "+15550100100" }, or {} for every call';
  },
  not: () => '{ "during": "office" }',
  ask: () => '{ "pin": { "say": "…", "digits": "4" } }',
  headers: () => '{ "x-tier": "gold" }',
  params: () => '{ "class": "5b" }',
  vars: () => '{ "lang": "en" }',
  lists: () => '{ "vips": ["+15550100001"] }',
  schedules: () => '{ "office": { "open": ["mon-fri 09:00-17:30"] } }',
  roles: () => '{ "agent": { "end_on_exit": true } }',
  on: () => '{ "2026-12-24": ["09:00-12:00"] }',
  session: () => '{ "stay_up": true }',
  dial: () => '{ "allow": ["+1555*"], "from": ["+15550100100"] }',
};

/** What is read where a text is written: as in the file, for what YAML reads as a number or as nothing. */
export type Written = (path: Path) => string | undefined;

/** What is to be said of a fault beside what is allowed: what was meant, and what to write. */
export interface Advice {
  /** Goes on from the message: `: write false`. */
  hint?: string;
  suggestion?: string;
}

/** For a value of the wrong kind. */
export function adviceOnKind(expected: string, path: Path, value: unknown, written: Written): Advice {
  const field = fieldOf(path);
  if (value === null) {
    const hint = written(path) === undefined ? "nothing stands there" : NULL_HINT;
    return { hint, ...(field === "terminator" ? { suggestion: "#" } : {}) };
  }
  switch (expected) {
    case "boolean":
      return booleanAdvice(value);
    case "number":
    case "int":
      return numberAdvice(field, value);
    case "object":
    case "record":
      return objectAdvice(path, value);
    case "array":
      return arrayAdvice(path, field, value);
    case "string":
      return textAdvice(path, value, written);
    default:
      return {};
  }
}

const NULL_HINT = "nothing stands there; in YAML what follows a # is a comment, unless it is in quotes";

function booleanAdvice(value: unknown): Advice {
  const word = String(value).toLowerCase();
  const meant = YES.includes(word) ? true : NO.includes(word) ? false : undefined;
  if (meant === undefined) return {};
  return { hint: `write ${meant}${word === String(meant) ? ", without quotes" : ""}` };
}

function numberAdvice(field: string, value: unknown): Advice {
  if (typeof value !== "string") return {};
  const text = value.trim();
  if (/^-?\d{1,9}(\.\d+)?$/.test(text)) return { hint: `write ${Number(text)}, without quotes` };
  const [, count, unit = ""] = /^(\d{1,6}) ?([a-z]+)$/i.exec(text) ?? [];
  const factor = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit.toLowerCase().charAt(0)];
  const isTime = /^(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)$/i.test(unit);
  if (count === undefined || factor === undefined || !isTime || !field.endsWith("_s")) return {};
  return { hint: `it is in seconds: write ${Number(count) * factor}` };
}

function objectAdvice(path: Path, value: unknown): Advice {
  const [field, holder] = [fieldOf(path), fieldOf(path.slice(0, -1))];
  if (holder === "schedules") {
    const hours = typeof value === "string" ? meantWeeklyHours(value) : undefined;
    return { hint: `write { "open": ["${hours ?? "mon-fri 09:00-17:30"}"] }` };
  }
  if (holder === "ask")
    return { hint: `write { "ask": { "<name>": { "say": "…", "digits": "4" } } }: each question has a name` };
  if (holder === "roles") return { hint: 'write { "muted": true }, or other parameters of a join' };
  if (typeof path.at(-1) === "number" && holder === "rules")
    return { hint: 'write { "id": "…", "match": { … }, "place": { "room": "…" } }' };
  const form = Object.hasOwn(forms, field) ? forms[field] : undefined;
  return form === undefined ? {} : { hint: `write ${form(value)}` };
}

function arrayAdvice(path: Path, field: string, value: unknown): Advice {
  if (field === "rules")
    return { hint: 'write [ { "id": "…", … } ], a list in the order in which rules are looked at' };
  if (typeof value !== "string" || value.length > 100) return {};
  if (isHours(path) && [...NO, "closed", "none", ""].includes(value.toLowerCase()))
    return { hint: "write [] where it is closed all day" };
  const meant = field === "open" ? meantWeeklyHours(value) : isHours(path) ? meantHours(value) : undefined;
  return { hint: `write [${JSON.stringify(meant ?? value)}]` };
}

/** A number, true or false where text is wanted: the text it was meant to be, above all in YAML, where +1555… is a number. */
export function textAdvice(path: Path, value: unknown, written: Written): Advice {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return placeholderAdvice(value);
  if (typeof value !== "number" && typeof value !== "boolean") return {};
  const source = written(path) ?? String(value);
  const isAddress = path.some((step) => step === "to" || step === "from" || step === "lists");
  if (isAddress && typeof value === "number") {
    const address = suggestAddress(source.startsWith("+") || source.startsWith("0") ? source : value);
    if (address !== undefined) return { suggestion: address };
  }
  const meant = Object.hasOwn(synonyms, fieldOf(path)) ? meantWord(fieldOf(path), source) : undefined;
  if (meant !== undefined) return { suggestion: meant };
  if (isKeyed(path)) return /^[0-9]+$/.test(source) ? { suggestion: source } : {};
  return { suggestion: source };
}

/** `{from}` without quotes is an object to YAML. */
function placeholderAdvice(value: object): Advice {
  const [[key, inner] = ["", undefined], ...more] = Object.entries(value);
  return inner === null && more.length === 0
    ? { hint: "text that begins with { needs quotes in YAML", suggestion: `{${key}}` }
    : {};
}

/** For a word that is none of the set. */
export function adviceOnWord(path: Path, value: unknown, allowed: readonly string[]): Advice {
  const field = fieldOf(path);
  const word =
    typeof value === "string" || typeof value === "boolean" || typeof value === "number" ? String(value) : "";
  const isField = field === "direction" || field === "type";
  if (isField && typeof value === "string" && ANY.includes(word.trim().toLowerCase()))
    return { hint: `leave "${field}" out, where any will do` };
  if (field === "after" && isUrl(value))
    return { hint: `write { "hand_over": { "swml": ${JSON.stringify(value)} } }` };
  const exact = allowed.find((one) => one === word);
  const meant = exact ?? meantWord(field, word);
  const suggestion = meant !== undefined && allowed.includes(meant) ? meant : nearest(word, allowed);
  return suggestion === undefined ? {} : { suggestion };
}

/** For a text that does not have its form. Empty where nothing more can be said. */
export function adviceOnForm(path: Path, value: unknown, { message }: z.core.$ZodIssue): Advice {
  if (typeof value !== "string") return {};
  const field = fieldOf(path);
  if (message === ADDRESS_MESSAGE) {
    const isAny = ANY.includes(value.trim().toLowerCase()) || value === "sip:*";
    if (isAny)
      return {
        hint: `leave "${path.findLast((step) => typeof step === "string")?.toString()}" out, where any will do`,
      };
    return suggested(suggestAddress(value));
  }
  if (field === "timezone") return timezoneAdvice(value);
  if (field === "digits") return digitsAdvice(value);
  if (inSchedule(path)) return scheduleAdvice(path, value);
  if (isKeyed(path)) {
    const digits = value.replace(/[\s.-]/g, "");
    return suggested(/^[0-9*#]{1,32}$/.test(digits) ? digits : undefined);
  }
  return {};
}

function digitsAdvice(value: string): Advice {
  const [, one = "", other] =
    /^\s*(\d{1,2})\s*(?:(?:-|–|to|\.\.|,)\s*(\d{1,2}))?\s*(?:digits?)?\s*$/.exec(value) ?? [];
  const bounds = [one, other]
    .flatMap((bound) => (bound === undefined ? [] : [Number(bound)]))
    .sort((a, b) => a - b);
  const [min, max = min] = bounds;
  if (one === "" || min === undefined || max === undefined || max > DIGITS || max === 0) return {};
  return { suggestion: min === max ? String(min) : `${min}-${max}` };
}

function timezoneAdvice(value: string): Advice {
  const meant = meantTimezone(value);
  if (meant !== undefined) return { suggestion: meant };
  return /^(?:UTC|GMT)?\s?[+-]\d/i.test(value)
    ? { hint: "an offset knows no daylight-saving time: write the zone of a place" }
    : {};
}

function scheduleAdvice(path: Path, value: string): Advice {
  if (path.includes("open")) {
    const weekly = meantWeeklyHours(value);
    if (weekly !== undefined) return { suggestion: weekly };
    const hours = meantHours(value);
    return hours === undefined
      ? {}
      : { hint: `the days are missing, and the hours are ${hours}: write "mon-fri ${hours}", say` };
  }
  if (isHours(path)) return suggested(meantHours(value));
  const meant = meantDates(value);
  return meant === value ? { hint: "the last date comes before the first" } : suggested(meant);
}

/** For a key that is none: a date of `on`, say. */
export function adviceOnKey(path: Path): Advice {
  return suggested(path.includes("on") && inSchedule(path) ? meantDates(String(path.at(-1))) : undefined);
}

function suggested(suggestion: string | undefined): Advice {
  return suggestion === undefined ? {} : { suggestion };
}

/** The word of a field's that was probably meant by another. */
export function meantWord(field: string, written: string): string | undefined {
  const words = synonyms[field] ?? {};
  const word = written.trim().toLowerCase();
  if (Object.hasOwn(words, word)) return words[word];
  return Object.values(words).find((meant) => meant === word);
}

function inSchedule(path: Path): boolean {
  return path[0] === "schedules" && path.length > 2;
}

function isHours(path: Path): boolean {
  return inSchedule(path) && path[2] === "on" && path.length > 3;
}

/** Whether what stands there is what is keyed, and may be a secret. */
function isKeyed(path: Path): boolean {
  return path.some((step) => String(step).startsWith("answer."));
}

/** The key that a value stands at, that of its list where it is an item. */
function fieldOf(path: Path): string {
  const last = path.at(-1);
  return typeof last === "number" ? String(path.at(-2) ?? "") : String(last ?? "");
}

function isUrl(written: unknown): written is string {
  return typeof written === "string" && /^https?:\/\/\S+$/.test(written);
}
