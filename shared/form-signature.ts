import { fromBase64, fromHex, toBase64, toUtf8 } from "./encoding.ts";
import { fitsAny, importKey } from "./signature.ts";

/** SHA-1's length in bytes. */
const DIGEST_BYTES = 20;
const SHA256_BYTES = 32;
const standardPorts: Record<string, string> = { "https:": "443", "http:": "80" };

/**
 * SignalWire's signature of form requests: base64 of HMAC-SHA1(key, URL + each key and value, keys in ASCII order, values of a
 * repeated key in the order sent). The URL may have been signed with its standard port or without: both are tried.
 */
export async function verifyForm(request: {
  body: string;
  urls: readonly string[];
  /** `X-SignalWire-Signature`, also seen as `X-Twilio-Signature`. */
  signature: string;
  /** Signing keys; empty ones never verify. */
  keys: readonly string[];
}): Promise<boolean> {
  const signature = fromBase64(request.signature);
  if (signature?.length !== DIGEST_BYTES) return false;
  const fields = toUtf8(sortedFields(request.body));
  const urls = request.urls.flatMap(portForms);
  return await fitsAny("SHA-1", { urls, keys: request.keys }, signature, fields);
}

/** Signs a form as SignalWire does. */
export async function signForm(key: string, url: string, body: string): Promise<string> {
  const text = toUtf8(url + sortedFields(body));
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", await importKey("SHA-1", key), text)));
}

/**
 * Whether the hex is the body's SHA-256: how a signed URL covers a body that is no form.
 * @param given `bodySHA256` of the URL's query.
 */
export async function isDigestOf(raw: Uint8Array, given: string): Promise<boolean> {
  const expected = fromHex(given, SHA256_BYTES);
  if (expected === null) return false;
  // A copy, for its buffer may be shared as far as its type says.
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(raw)));
  let difference = 0;
  // All of it is looked at, wherever the first difference is.
  for (const [at, byte] of digest.entries()) difference |= byte ^ (expected[at] ?? 0);
  return difference === 0;
}

function sortedFields(body: string): string {
  const fields = [...new URLSearchParams(body)];
  // Sorting is stable: values of one key stay in the order sent.
  fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return fields.map(([name, value]) => name + value).join("");
}

/** The URL as it is, and with or without its scheme's own port. */
function portForms(url: string): string[] {
  const found = /^(https?:)\/\/([^/?#:]+)(?::(\d+))?(.*)$/is.exec(url);
  if (!found) return [url];
  const [, scheme = "", host = "", port, rest = ""] = found;
  const standard = standardPorts[scheme.toLowerCase()];
  if (port === undefined) return [url, `${scheme}//${host}:${standard}${rest}`];
  return port === standard ? [url, `${scheme}//${host}${rest}`] : [url];
}
