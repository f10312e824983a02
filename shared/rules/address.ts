/** What `to` and `from` may be matched with; `addressKey` says what each form means. */
export const addressPattern =
  /^(?:anonymous|\+[1-9][0-9]{1,14}|\+(?:[1-9][0-9]{0,13})?\*|sips?:(\*|[^\s@*:;?]{1,128})@(\*|[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]))$/;

/** What networks write in place of a number that the caller withholds; nothing at all is one of them. */
const WITHHELD = /^(?:|anonymous|private|restricted|unavailable|unknown|withheld|sips?:anonymous@.{1,300})$/i;

/** Whether the caller withholds the number: then nobody can be known by it. */
export function isWithheld(address: string): boolean {
  return WITHHELD.test(address);
}

const SIP_URI = /^sips?:([^\s@]{1,128})@([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?:[;?].*)?$/is;

/**
 * The key under which a pattern for `to` or `from` is found, or null where it is none: an E.164 number stands for itself,
 * `+1555*` for numbers that begin so, `sip:alice@example.com`, `sip:*@example.com` and `sip:alice@*` for SIP URIs. In a SIP URI
 * the host is compared without case; port and parameters do not count. `anonymous` stands for every way to withhold a number.
 */
export function addressKey(pattern: string): string | null {
  const [whole, user, host] = addressPattern.exec(pattern) ?? [];
  if (whole === undefined) return null;
  return user === undefined || host === undefined ? whole : sipKey(user, host);
}

/**
 * Every key whose pattern fits a call's address. Matching an address is looking these up, however many patterns there are.
 * `prefixes` are the lengths of prefix that any pattern has, `+` included and `*` not; no other is made.
 */
export function addressKeys(address: string, prefixes: readonly number[]): string[] {
  if (!address.startsWith("+")) {
    const withheld = WITHHELD.test(address) ? ["anonymous"] : [];
    const sip = SIP_URI.exec(address);
    if (sip === null) return withheld;
    const [, user = "", host = ""] = sip;
    return [sipKey(user, host), sipKey("*", host), sipKey(user, "*"), sipKey("*", "*"), ...withheld];
  }
  const keys = [address];
  for (const length of prefixes) if (length <= address.length) keys.push(`${address.slice(0, length)}*`);
  return keys;
}

const NUMBER = /^\+?([1-9]\d{1,14})$/;
/** A resource's address at SignalWire, e.g. `/public/bridge`. A caller may add a query to it. */
const RESOURCE = /^(\/[a-z0-9_-]{1,64}\/[a-z0-9._-]{1,128})(?:[?#].*)?$/is;

/**
 * A number or a resource's address without what its writer is free to vary: `15550100100` is +15550100100, and
 * `/public/bridge?x=1` is /public/bridge. Null for every other text.
 */
export function plainAddress(address: string): string | null {
  const [, digits] = NUMBER.exec(address) ?? [];
  if (digits !== undefined) return `+${digits}`;
  return RESOURCE.exec(address)?.[1]?.toLowerCase() ?? null;
}

/** The length of a prefix's key without its `*`; null for any other key. */
export function prefixLength(key: string): number | null {
  return key.startsWith("+") && key.endsWith("*") ? key.length - 1 : null;
}

/** Whether the key is that of a pattern and not of a single address. */
export function isWildcard(key: string): boolean {
  return key.endsWith("*") || key.startsWith("sip:*@");
}

/**
 * What someone who wrote a number as people do probably meant: `(555) 010-0100` is +15550100100. Ten digits are taken for a
 * North American number; undefined where it cannot be told.
 */
export function suggestAddress(written: string | number): string | undefined {
  const text = String(written).trim();
  if (text.length > 40) return undefined;
  if (/^[^\s@:/]+@[a-z0-9.-]+$/i.test(text)) return known(`sip:${text}`);
  const star = text.endsWith("*") ? "*" : "";
  const number = star === "" ? text : text.slice(0, -1);
  if (!/^\+?[\d\s().\-/\u00a0]+$/.test(number)) return undefined;
  const digits = number.replace(/\D/g, "");
  if (number.startsWith("+")) return known(`+${digits}${star}`);
  if (digits.startsWith("011")) return known(`+${digits.slice(3)}${star}`);
  if (digits.startsWith("00")) return known(`+${digits.slice(2)}${star}`);
  // A number of YAML's has lost its plus, so all its digits are the whole number.
  if (typeof written === "number" && digits.length > 10) return known(`+${digits}`);
  if (digits.length === 11 && digits.startsWith("1")) return known(`+${digits}${star}`);
  if (star === "*") return digits.startsWith("1") ? known(`+${digits}*`) : undefined;
  return digits.length === 10 ? known(`+1${digits}`) : undefined;
}

function known(pattern: string): string | undefined {
  return addressKey(pattern) === null ? undefined : pattern;
}

function sipKey(user: string, host: string): string {
  return `sip:${user}@${host.toLowerCase()}`;
}
