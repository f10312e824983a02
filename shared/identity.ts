import type { Call } from "./call.ts";
import { countryOf, e164Of, isE164, readingsOf, withoutTrunk } from "./numbering.ts";
import { bare } from "./sip.ts";

/**
 * Who a caller is. Everything that matches, compares or counts an address asks here: which patterns it matches (`addressKeys`),
 * whether two callers are the same (`sameCallerKey`), and whom a limit counts (`countedCaller`, `countedNumber`).
 */

/** What a tenant's record allows an address to be read as. */
export interface Numbering {
  /** ISO 3166, e.g. DE: where numbers without a plus are written. */
  country?: string | undefined;
  /** Hosts whose SIP users are numbers where they call, too: anybody else can write a number before an @. */
  sip_gateways?: readonly string[] | undefined;
}

/** `from` is what the caller shows, `to` what was called. */
export type Side = "from" | "to";

interface SipUri {
  scheme: string;
  /** Percent-encoded where it must be, and nowhere else. */
  user: string;
  /** In lower case, without a dot at the end; IPv6 in its shortest form. */
  host: string;
  /** Digits, or "" where there is none. */
  port: string;
  /** Parameters and headers, each with the character that it begins with. */
  tail: string;
  /** The country code by which the user is to be read, or "". */
  context: string;
  /** It has one @ alone, so that everybody finds the same host in it. */
  isPlain: boolean;
}

/** Why networks show no number, and what they say it of, in either order: Private, Unknown Caller, Number Withheld. */
const REASONS = [
  "anonymous",
  "blocked",
  "hidden",
  "not available",
  "not disclosed",
  "not provided",
  "out of area",
  "private",
  "restricted",
  "suppressed",
  "unavailable",
  "undisclosed",
  "unidentified",
  "unknown",
  "withheld",
];
const NUMBER_WORDS = ["call", "caller", "caller id", "cid", "id", "name", "number", "user"];
/** What networks write in place of a number that the caller withholds, without what they put between its words. */
const WITHHELD = new Set(
  [
    ...REASONS,
    ...NUMBER_WORDS.map((word) => `no ${word}`),
    ...REASONS.flatMap((reason) =>
      NUMBER_WORDS.flatMap((word) => [`${reason} ${word}`, `${word} ${reason}`]),
    ),
  ].map(wordsOf),
);
/** ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, as carriers key them. */
const WITHHELD_CODES = new Set(["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"]);

const HOST = String.raw`([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(\d{1,5}))?((?:[;?].*)?)$`;
const SIP_URI = new RegExp(String.raw`^(sips?):([^\s@]{1,128})@${HOST}`, "is");
/** An unescaped @ before the host belongs to the user. */
const SIP_URI_OF_SEVERAL = new RegExp(String.raw`^(sips?):([^\s]{1,128})@${HOST}`, "is");
/** With or without its scheme, and with blanks in the user. Before its host there is one @ alone. */
const USER_AT_HOST = new RegExp(String.raw`^(?:sips?:)?([^@]*)@${HOST}`, "is");
const USER_AT_TEXT = /^(?:sips?:)?(.*)@([^@]*)$/is;
const PHONE_CONTEXT = /;phone-context=(?:\+([1-9]\d{0,2})(?!\d))?[^;?@]*/i;
/** Parameters of the number before an @, such as `;cpc=ordinary` and `;npdi`; a host may have its own behind it. */
const SUBSCRIBER = /^((?:\+|%2b)?[\d().-]+);[^@%]*$/i;
const SEPARATORS = /[\s().\-/\u2010-\u2015]/g;
/** A resource's address at SignalWire, e.g. `/public/bridge`. A caller may add a query to it. */
const RESOURCE = /^(\/[a-z0-9_-]{1,64}\/[a-z0-9._-]{1,128})(?:[?#].*)?$/is;
/** What need not be percent-encoded in a user. A star stands for any user in a pattern, and is left as it is written. */
const UNRESERVED = /[A-Za-z0-9\-_.!~'()&=+$,]/;
const TO_ENCODE = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/:%#[\]]/gu;
const LONE_SURROGATE = /[\ud800-\udfff]/gu;

/** Whether the caller withholds the number: then it identifies no caller. */
export function isWithheld(address: string): boolean {
  const text = bare(address);
  if (isE164(text)) return WITHHELD_CODES.has(text);
  const [, beforeAt, host] = USER_AT_HOST.exec(text) ?? USER_AT_TEXT.exec(text) ?? [];
  const local = beforeAt ?? text.replace(/^(?:sips?|tel):/i, "");
  if (isNowhere(host ?? local)) return true;
  // Behind a colon a user has a password, and behind a semicolon parameters.
  const user = decoded(local)
    .replace(/[;:].*$/s, "")
    .trim();
  const digits = user.replace(SEPARATORS, "");
  return user === "" || WITHHELD.has(wordsOf(user)) || WITHHELD_CODES.has(digits) || /^\+?0+$/.test(digits);
}

/** A host that exists nowhere, by which networks say that a caller is anonymous: anonymous.invalid, unknown.invalid. */
function isNowhere(host: string): boolean {
  const [, name] = /^([a-z_-]+)\.invalid\.?(?:[:;?].*)?$/i.exec(host) ?? [];
  return name !== undefined && WITHHELD.has(wordsOf(name));
}

/** In lower case, without blanks, quotes and the like: every network puts others between and around the words. */
function wordsOf(text: string): string {
  return text.toLowerCase().replace(/[\s_.+()'"\-\u2010-\u2015]+/g, "");
}

/** An address as it is written wherever we write it: a number as E.164 where it is known to be one; what can't be read, as it came. */
export function canonicalAddress(written: string, side: Side, numbering: Numbering = {}): string {
  if (isE164(written) || isWithheld(written)) return written;
  const text = bare(written);
  const uri = readSip(text);
  if (uri !== null) return numberOfUser(uri, side, numbering) ?? textOf(uri);
  return numberOf(text, numbering.country) ?? written;
}

/** The call with its addresses read as its tenant has them read. */
export function withCanonical(call: Call, numbering: Numbering): Call {
  const { from, to } = call;
  const canonical = {
    from: canonicalAddress(from, "from", numbering),
    to: canonicalAddress(to, "to", numbering),
  };
  return { ...call, canonical };
}

/** The call's address in canonical form. */
export function canonicalOf(call: Call, side: Side): string {
  return call.canonical?.[side] ?? canonicalAddress(call[side], side);
}

/** The user of a SIP URI, also where that is read as a number; null for any other address. */
export function userOf(written: string): string | null {
  return readSip(bare(written))?.user.replace(/[;?].*$/s, "") ?? null;
}

/**
 * Every key whose pattern fits an address of a call. Matching an address is looking these up, however many patterns there are.
 * @param prefixes The lengths of prefix that any pattern has, `+` included and `*` not; no other is made.
 */
export function addressKeys(written: string, canonical: string, prefixes: readonly number[]): string[] {
  const withheld = isWithheld(written) || isWithheld(canonical) ? ["anonymous"] : [];
  if (written === canonical && isE164(written)) return [...numberKeys(written, prefixes), ...withheld];
  const uri = readSip(bare(written));
  const keys = [
    ...(isE164(canonical) ? numberKeys(canonical, prefixes) : []),
    ...(uri === null ? [] : uriKeys(uri)),
    ...withheld,
  ];
  return [...new Set(keys)];
}

/**
 * The keys of an address that is to be called: of what is dialled, and of nothing that it could be read as. A SIP URI with a number
 * before its @ goes to its host.
 */
export function dialledKeys(address: string, prefixes: readonly number[]): string[] {
  if (isE164(address)) return numberKeys(address, prefixes);
  const uri = readSip(address);
  return uri?.isPlain ? uriKeys(uri) : [];
}

/** Where a SIP URI goes beside its user and host; null for any other address. In lower case, each parameter as often as it is there. */
export function destinationOf(
  address: string,
): { port: string; parameters: readonly (readonly [name: string, value: string])[] } | null {
  const uri = readSip(address);
  if (!uri?.isPlain || uri.tail.includes("?")) return null;
  const parameters = uri.tail
    .split(";")
    .slice(1)
    .map((parameter): [string, string] => {
      const [name = "", ...value] = parameter.split("=");
      return [name.toLowerCase(), value.join("=").toLowerCase()];
    });
  return { port: uri.port, parameters };
}

/** The number that an address would be if its country, or its SIP host, were known; null: none. For hints. */
export function numberIfKnown(written: string, canonical: string): string[] {
  if (isE164(canonical)) return [];
  const uri = readSip(bare(written));
  const text = withoutSeparators(uri === null ? bare(written) : decoded(uri.user));
  if (uri !== null && isE164(text)) return [text];
  if (/^0[1-9]\d{4,13}$/.test(text)) return readingsOf(text);
  const [, digits] = /^(?:00)?([1-9]\d{6,14})$/.exec(text) ?? [];
  if (digits === undefined) return [];
  const national = e164Of(digits, "US");
  return [`+${digits}`, ...(national === null ? [] : [national])];
}

/**
 * Two callers, or two numbers called, are the same where this is: the canonical form without port and parameters. Null for those
 * who withhold their number, and for a text that can't be read: many show the same one, and they are never the same.
 */
export function sameCallerKey(address: string, side: Side): string | null {
  if (isWithheld(address)) return null;
  const canonical = canonicalAddress(address, side);
  const uri = readSip(canonical);
  if (uri !== null) return sipKey(uri);
  return isDigits(canonical) || isE164(canonical) ? canonical : resourceOf(canonical);
}

/** Whether two addresses are one caller's, or the very same text. */
export function isSameCaller(one: string, other: string): boolean {
  if (one === other) return true;
  const key = sameCallerKey(one, "from");
  return key !== null && key === sameCallerKey(other, "from");
}

/** The same, of a caller who must come back from the same port, too. */
export function samePortKey(address: string): string | null {
  const key = sameCallerKey(address, "from");
  const uri = key?.startsWith("sip:") ? readSip(canonicalAddress(address, "from")) : null;
  return uri === null ? key : `${key}:${uri.port}`;
}

/** Dialled addresses that cannot be read count as this one number: their text is the caller's choice. */
const UNREADABLE = "unreadable";
const COUNTED = 200;

/**
 * Whom a wrong try counts against. Those who withhold their number, or show what can't be read, are not one caller: each of
 * their calls is, and what they try together counts against the number that they dial.
 */
export function countedCaller(from: string, call_id: string): string {
  const caller = isWithheld(from) ? null : countedAddress(canonicalAddress(from, "from"));
  return (caller ?? `anonymous ${call_id}`).slice(0, COUNTED);
}

/**
 * The caller's address as limits count it: what the version before took for one caller is one. A number that is written with a plus and one
 * that is read without it are, and a number behind a gateway is whatever stands behind its host.
 */
export function addressCounted(call: Call, numbering: Numbering): string {
  const canonical = canonicalOf(call, "from");
  if (isWithheld(canonical)) return canonical;
  const uri = readSip(canonical);
  const number = uri === null ? canonical : numberOfUser({ ...uri, isPlain: true }, "from", numbering);
  if (number === null || !isE164(number)) return canonical;
  return e164Of(number.slice(1), numbering.country) ?? number;
}

/** A caller as an operator names it. */
export function countedNamed(address: string): string {
  return (countedAddress(canonicalAddress(address, "from")) ?? address).slice(0, COUNTED);
}

/**
 * What was dialled, as it came, as wrong tries are counted by it. Of a SIP URI the host counts alone: the part before the @ is whatever
 * the caller writes, and where a rule takes them all each would be a number of its own. So is what could be made of a text that is no
 * plain number.
 */
export function countedNumber(to: string): string {
  const uri = SIP_URI.test(to) ? readSip(to) : null;
  return (uri === null ? (plainNumber(to) ?? resourceOf(to) ?? UNREADABLE) : `sip:*@${uri.host}`).slice(
    0,
    COUNTED,
  );
}

/** What the version before counted the caller by, or the number dialled; null where it counted each call. */
export function countedBefore(written: string, side: Side): string | null {
  const [, , user, host = ""] = SIP_URI.exec(written) ?? [];
  if (user === undefined) return plainNumber(written) ?? resourceOf(written);
  const lower = host.toLowerCase();
  return (side === "from" ? `sip:${user}@${lower}` : `sip:*@${lower.replace(/\.+$/, "")}`).slice(0, COUNTED);
}

/** The host as every spelling of it is compared. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase().replace(/\.+$/, "");
  if (!lower.startsWith("[")) return lower;
  const url = `http://${lower}/`;
  return URL.canParse(url) ? new URL(url).hostname : lower;
}

/** The key of a user at a host; `*` for either stands for any. */
export function sipKey({ user, host }: { user: string; host: string }): string {
  return `sip:${canonicalUser(user)}@${canonicalHost(host)}`;
}

function countedAddress(canonical: string): string | null {
  const uri = readSip(canonical);
  return uri === null ? (plainNumber(canonical) ?? resourceOf(canonical)) : sipKey(uri);
}

/** A number with or without its plus, whatever country it is of: coarser than any reading of it. */
function plainNumber(address: string): string | null {
  const [, digits] = /^\+?([1-9]\d{1,14})$/.exec(address) ?? [];
  return digits === undefined ? null : `+${digits}`;
}

function resourceOf(address: string): string | null {
  return RESOURCE.exec(address)?.[1]?.toLowerCase() ?? null;
}

function readSip(text: string): SipUri | null {
  // Most addresses are numbers, which no longer pattern need be tried on.
  if (!/^sips?:/i.test(text)) return null;
  const [, scheme, user, host, port = "", tail = ""] =
    SIP_URI.exec(text) ?? SIP_URI_OF_SEVERAL.exec(text) ?? [];
  if (scheme === undefined || user === undefined || host === undefined) return null;
  return {
    scheme: scheme.toLowerCase(),
    user: canonicalUser(SUBSCRIBER.exec(user)?.[1] ?? (user.replace(PHONE_CONTEXT, "") || user)),
    context: PHONE_CONTEXT.exec(user)?.[1] ?? "",
    host: canonicalHost(host),
    port: port === "" ? "" : String(Number(port)),
    tail,
    isPlain: text.indexOf("@") === text.lastIndexOf("@"),
  };
}

function textOf({ scheme, user, host, port, tail }: SipUri): string {
  return `${scheme}:${user}@${host}${port === "" ? "" : `:${port}`}${tail}`;
}

function uriKeys({ user, host }: SipUri): string[] {
  return [`sip:${user}@${host}`, `sip:*@${host}`, `sip:${user}@*`, "sip:*@*"];
}

function numberKeys(number: string, prefixes: readonly number[]): string[] {
  const keys = [number];
  for (const length of prefixes) if (length <= number.length) keys.push(`${number.slice(0, length)}*`);
  return keys;
}

function numberOfUser(uri: SipUri, side: Side, { country, sip_gateways = [] }: Numbering): string | null {
  if (!uri.isPlain) return null;
  if (side === "from" && !sip_gateways.some((host) => canonicalHost(host) === uri.host)) return null;
  const number = numberOf(decoded(uri.user), countryOf(uri.context) ?? country);
  return number !== null && isE164(number) ? number : null;
}

/** The digits of a number, in E.164 where it is known to be that; null: it is no number. */
function numberOf(text: string, country: string | undefined): string | null {
  const isTel = /^tel:/i.test(text);
  const context = PHONE_CONTEXT.exec(text)?.[1] ?? "";
  const written = isTel ? text.slice(4).replace(/;.*$/s, "") : text.replace(PHONE_CONTEXT, "");
  const digits = withoutSeparators(written);
  if (isE164(digits)) return digits;
  return isDigits(digits) ? (e164Of(digits, countryOf(context) ?? country) ?? digits) : null;
}

function withoutSeparators(number: string): string {
  return withoutTrunk(number).replace(SEPARATORS, "");
}

/** Digits of an extension, a short code, or a number whose country is not known. */
function isDigits(text: string): boolean {
  return /^\d{1,40}$/.test(text);
}

/** Decoded once: what is then left of a percent sign is one. */
function canonicalUser(user: string): string {
  if (/^[A-Za-z0-9+._-]*$/.test(user)) return user;
  return user
    .replace(/%([0-9a-f]{2})|%/gi, (whole: string, hex?: string) => {
      if (hex === undefined) return "%25";
      const character = String.fromCharCode(Number.parseInt(hex, 16));
      return UNRESERVED.test(character) ? character : whole.toUpperCase();
    })
    .replace(LONE_SURROGATE, "\ufffd")
    .replace(TO_ENCODE, encodeURIComponent);
}

function decoded(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
