/** Fields that hold who calls or is called, in whatever form. */
const ADDRESSES = new Set(["from", "to", "who", "caller", "number", "call_from"]);
/** Fields that hold ids and hashes: digits in them are no number. */
const IDS =
  /^(id|sid|next|token|hash|ruleset|command_id|(call|conference|node|segment|project|recording)_(id|ids|sid))$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT/;
const NUMBER = /\+[1-9]\d{4,14}|(?<![\w.-])\d{7,15}(?![\w.-])/g;
const SIP_USER = /(sips?:)([^@\s;>]+)@/gi;

/** An answer of the API in which no caller can be told by number: all but the last two digits are `*`, and SIP users. */
export function maskNumbers(value: unknown, field = ""): unknown {
  if (typeof value === "string") return IDS.test(field) ? value : masked(value, ADDRESSES.has(field));
  if (Array.isArray(value)) return value.map((item) => maskNumbers(item, field));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskNumbers(inner, key)]));
}

function masked(text: string, isAddress: boolean): string {
  if (ISO_TIME.test(text)) return text;
  const clean = text
    .replace(SIP_USER, (_, scheme: string, user: string) => `${scheme}${stars(user)}@`)
    .replace(NUMBER, stars);
  if (!isAddress || clean !== text || text === "" || /^anonymous\b/.test(text)) return clean;
  return stars(text);
}

function stars(text: string): string {
  return /\d\d$/.test(text)
    ? text.slice(0, -2).replaceAll(/[^+]/g, "*") + text.slice(-2)
    : "*".repeat(text.length);
}
