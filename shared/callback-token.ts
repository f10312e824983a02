import { decodeCredentialsKey } from "./credentials.ts";
import { toBase64Url } from "./encoding.ts";
import type { KeySources } from "./seal-keys.ts";

const encoder = new TextEncoder();
/** Of an HMAC so many bytes are handed out. */
const MAC_BYTES = 24;

/** What a tenant's callback token is the HMAC of. */
export function tokenText(tenant: string): string {
  return `partyline callback token v1|${tenant}`;
}

/** What the proof of a room is the HMAC of. @param room the wire name. */
export function proofText(tenant: string, room: string): string {
  return `partyline recording callback v1|${tenant}|${room}`;
}

/** As it stands in a URL. */
export function writtenMac(mac: Uint8Array): string {
  return toBase64Url(mac.slice(0, MAC_BYTES));
}

/**
 * The tokens that may stand in the callback URLs of a tenant: derived (HMAC-SHA-256) from `CREDENTIALS_KEY`, else from the
 * signing key. The first is the one handed out; those of older keys are taken until their conferences are over.
 */
export async function callbackTokens(sources: KeySources, tenant: string): Promise<[string, ...string[]]> {
  return await derived(sources, tokenText(tenant));
}

/**
 * What may stand beside a room's name in the URL of its recording callback, so that nobody else can have written it there. As the
 * tokens are: derived from the same keys, the first is handed out.
 * @param room the wire name.
 */
export async function roomProofs(
  sources: KeySources,
  tenant: string,
  room: string,
): Promise<[string, ...string[]]> {
  return await derived(sources, proofText(tenant, room));
}

async function derived(sources: KeySources, text: string): Promise<[string, ...string[]]> {
  const secrets: Uint8Array<ArrayBuffer>[] = [];
  if (sources.credentials_key) secrets.push(decodeCredentialsKey(sources.credentials_key));
  for (const key of sources.signing_keys) if (key !== "") secrets.push(Uint8Array.from(encoder.encode(key)));
  const [first, ...others] = await Promise.all(secrets.map((secret) => macOf(secret, text)));
  if (first === undefined)
    throw new Error("neither CREDENTIALS_KEY nor a signing key to derive callback tokens from");
  return [first, ...others];
}

/** In constant time, by comparing HMACs of both under a key of the moment. */
export async function isToken(
  given: string,
  tokens: readonly string[],
  random_key: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", random_key, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(given));
  const matches = await Promise.all(
    tokens.map((token) => crypto.subtle.verify("HMAC", key, mac, encoder.encode(token))),
  );
  return matches.includes(true);
}

async function macOf(secret: Uint8Array<ArrayBuffer>, text: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(text));
  return writtenMac(new Uint8Array(mac));
}
