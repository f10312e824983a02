import { fromHex, toHex, toUtf8 } from "./encoding.ts";
import { spellingsOf } from "./url-spellings.ts";

/** The digests that SignalWire signs webhooks with, and their length in bytes. */
const digests = { "SHA-1": 20, "SHA-256": 32 } as const;

export type SignatureDigest = keyof typeof digests;

/** A JSON webhook as it came, with everything that its signature is checked against. */
export interface SignedJson {
  /** The body's bytes as received. */
  raw: Uint8Array;
  /** The URLs that SignalWire may have been given for us, the likeliest first. */
  urls: readonly string[];
  /** `X-SignalWire-Signature`. */
  sha1?: string;
  /** `X-SignalWire-SHA256-Signature`. Where it is there it alone counts. */
  sha256?: string;
  /** Signing keys; two while one is rotated. Empty ones never verify. */
  keys: readonly string[];
}

export type Verdict = { ok: true } | { ok: false; reason: "unsigned" | "malformed" | "wrong" };

/**
 * SignalWire's signature of JSON webhooks: hex of HMAC(key, URL + body). Compared in constant time;
 * how long it takes tells only how many URLs and keys were tried.
 */
export async function verifyJson(request: SignedJson): Promise<Verdict> {
  const { sha1, sha256 } = request;
  const given = sha256 ?? sha1;
  if (given === undefined || given === "") return { ok: false, reason: "unsigned" };
  const digest: SignatureDigest = sha256 === undefined ? "SHA-1" : "SHA-256";
  const signature = fromHex(given, digests[digest]);
  if (signature === null) return { ok: false, reason: "malformed" };
  const isRight = await fitsAny(digest, request, signature, request.raw);
  return isRight ? { ok: true } : { ok: false, reason: "wrong" };
}

/** By path and the number of URLs: with which key and at which of them a request was right last. */
const fits = new Map<string, { key: string; at: number }>();
const fitsLimit = 256;

/**
 * Whether the signature is right with any of the keys, for any of the URLs. What was right last for the same path is tried first, so
 * that an authentic body is hashed once, whichever key signs and however the URL was written where it was pasted.
 */
export async function fitsAny(
  digest: SignatureDigest,
  { urls, keys }: Pick<SignedJson, "urls" | "keys">,
  signature: Uint8Array<ArrayBuffer>,
  raw: Uint8Array,
): Promise<boolean> {
  const path = `${urls.length} ${urls[0]?.split("?", 1)[0]}`;
  const last = fits.get(path);
  const pairs = keys.flatMap((key) => (key === "" ? [] : urls.map((url, at) => ({ key, url, at }))));
  const isLast = (pair: { key: string; at: number }) => pair.key === last?.key && pair.at === last.at;
  for (const { key, url, at } of pairs.sort((a, b) => Number(isLast(b)) - Number(isLast(a)))) {
    const cryptoKey = await importKey(digest, key);
    if (!(await crypto.subtle.verify("HMAC", cryptoKey, signature, signedBytes(url, raw)))) continue;
    if (fits.size >= fitsLimit) fits.clear();
    fits.set(path, { key, at });
    return true;
  }
  return false;
}

/** Signs as SignalWire does; the hex goes into the header of that digest. */
export async function signJson(
  digest: SignatureDigest,
  key: string,
  url: string,
  raw: Uint8Array,
): Promise<string> {
  const cryptoKey = await importKey(digest, key);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", cryptoKey, signedBytes(url, raw))));
}

/**
 * The URLs that SignalWire may have signed: the public base with the path and query as received, in each spelling that escapes on the
 * way may have changed, plain and with the tenant's fragment (whether a fragment is signed is not documented).
 *
 * @param public_url The base that is pasted at SignalWire; credentials in it are not signed and are left out.
 * @param received_url The request's URL as it came; only its path and query are used.
 * @param fragment What follows `#` in the pasted URL, without the `#`.
 */
export function signedUrls(public_url: string, received_url: string, fragment?: string): string[] {
  const base = public_url.replace(/^(https?:\/\/)[^/?#@]*@/i, "$1").replace(/\/+$/, "");
  return withFragment(spellingsOf(base + pathAndQuery(received_url)), fragment);
}

/** The URLs, each without and then with the fragment. */
export function withFragment(urls: readonly string[], fragment: string | undefined): string[] {
  if (fragment === undefined || fragment === "") return [...urls];
  return urls.flatMap((url) => [url, `${url}#${fragment}`]);
}

/** Path and query as they stand in an absolute URL; parsing and printing it again might re-encode them. */
export function pathAndQuery(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
}

/** Imported keys, since a webhook's key is the last one's: by digest and key, and no more than a few. */
const imported = new Map<string, CryptoKey>();
const importedLimit = 64;

export async function importKey(digest: SignatureDigest, key: string): Promise<CryptoKey> {
  const known = imported.get(`${digest} ${key}`);
  if (known) return known;
  const made = await crypto.subtle.importKey("raw", toUtf8(key), { name: "HMAC", hash: digest }, false, [
    "sign",
    "verify",
  ]);
  if (imported.size >= importedLimit) imported.clear();
  imported.set(`${digest} ${key}`, made);
  return made;
}

/** What is signed: the URL, and the body behind it. */
function signedBytes(url: string, raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const prefix = toUtf8(url);
  const bytes = new Uint8Array(prefix.length + raw.length);
  bytes.set(prefix);
  bytes.set(raw, prefix.length);
  return bytes;
}
