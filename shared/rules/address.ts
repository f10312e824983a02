import { sipKey } from "../identity.ts";
import { withoutTrunk } from "../numbering.ts";

/** What `to` and `from` may be matched with; `addressKey` says what each form means. */
export const addressPattern =
  /^(?:anonymous|\+[1-9][0-9]{1,14}|\+(?:[1-9][0-9]{0,13})?\*|sips?:(\*|[^\s@*:;?]{1,128})@(\*|[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]))$/;

/**
 * The key under which a pattern for `to` or `from` is found, or null where it is none: an E.164 number stands for itself,
 * `+1555*` for numbers that begin so, `sip:alice@example.com`, `sip:*@example.com` and `sip:alice@*` for SIP URIs. In a SIP URI
 * every spelling of user and host is one; port and parameters do not count. `anonymous` stands for every way to withhold a number.
 */
export function addressKey(pattern: string): string | null {
  const [whole, user, host] = addressPattern.exec(pattern) ?? [];
  if (whole === undefined) return null;
  return user === undefined || host === undefined ? whole : sipKey({ user, host });
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
  const digits = withoutTrunk(number).replace(/\D/g, "");
  if (number.startsWith("+")) return known(`+${digits}${star}`);
  // A local number may begin so, too, and is shorter.
  if (/^011\d{10}/.test(digits)) return known(`+${digits.slice(3)}${star}`);
  if (digits.startsWith("00")) return known(`+${digits.slice(2)}${star}`);
  // A number of YAML's has lost its plus, so all its digits are the whole number.
  if (typeof written === "number" && digits.length > 10) return known(`+${digits}`);
  if (/^1[2-9]\d{9}$/.test(digits)) return known(`+${digits}${star}`);
  if (star === "*") return digits.startsWith("1") ? known(`+${digits}*`) : undefined;
  // No area code of North America begins with 0 or 1.
  return /^[2-9]\d{9}$/.test(digits) ? known(`+1${digits}`) : undefined;
}

function known(pattern: string): string | undefined {
  return addressKey(pattern) === null ? undefined : pattern;
}
