export const NAME_ADDR = /^(?:"(?:[^"\\]|\\.)*"\s*|[^"<>]*)<([^<>]*)>(?:\s*;.*)?$/s;

/** Whether the address is a SIP URI. */
export function isSip(written: string): boolean {
  return /^sips?:/i.test(bare(written));
}

/** Without blanks around, a display name, and angle brackets. */
export function bare(written: string): string {
  const text = written.trim();
  return text.includes("<") ? (NAME_ADDR.exec(text)?.[1]?.trim() ?? text) : text;
}

/** What may stand before the name of a SIP header. Whether webhooks have it, SignalWire's pages do not say. */
const HEADER_PREFIX = "sip_h_";

/**
 * A call's SIP headers by lower-case name, each with its values in the order received. `sip_h_x-tier` is also `x-tier`, unless
 * a header of that name came, so that a rule on a header fits however SignalWire names it.
 */
export function headersOf(list: readonly { name: string; value: string }[]): Record<string, string[]> {
  // A null prototype: a header may be named "__proto__".
  const headers: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (const { name, value } of list) {
    const key = name.toLowerCase();
    const values = headers[key];
    if (values) values.push(value);
    else headers[key] = [value];
  }
  for (const [name, values] of Object.entries(headers)) {
    const plain = name.startsWith(HEADER_PREFIX) ? name.slice(HEADER_PREFIX.length) : "";
    if (plain !== "") headers[plain] ??= values;
  }
  return headers;
}
