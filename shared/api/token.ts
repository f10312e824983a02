import { decodeCredentialsKey } from "../credentials.ts";
import { toBase64Url, toHex } from "../encoding.ts";

const encoder = new TextEncoder();

/** `ply_<id>_<secret>`; the id names the tenant, and the secret ends with a check that only the Worker can make. */
const TOKEN = /^ply_(([a-z0-9-]{1,24})-[0-9a-f]{12})_([A-Za-z0-9_-]{32})([A-Za-z0-9_-]{8})$/;

/** Random bytes of a new token. */
export interface TokenRandom {
  /** 6 bytes. */
  id: Uint8Array;
  /** 24 bytes. */
  secret: Uint8Array;
}

/** A token as its holder sends it, and what is kept of it. */
export interface MadeToken {
  id: string;
  /** Shown once. */
  token: string;
  /** SHA-256 of the secret, hex. */
  digest: string;
}

/** @param credentials_key 32 bytes, base64. */
export async function makeToken(
  credentials_key: string,
  tenant: string,
  random: TokenRandom,
): Promise<MadeToken> {
  const id = `${tenant}-${toHex(random.id)}`;
  const drawn = toBase64Url(random.secret);
  const secret = drawn + (await checkOf(credentials_key, id, drawn));
  return { id, token: `ply_${id}_${secret}`, digest: await digestOf(secret) };
}

/**
 * What a token says of itself; null for a text that this Worker never made, so that a made-up token costs no read and no session.
 * Whether it is still good only the tenant's session knows.
 */
export async function readToken(
  credentials_key: string,
  text: string,
): Promise<{ id: string; tenant: string; digest: string } | null> {
  const [, id, tenant, drawn, check] = TOKEN.exec(text) ?? [];
  if (id === undefined || tenant === undefined || drawn === undefined || check === undefined) return null;
  if (!(await isSame(check, await checkOf(credentials_key, id, drawn)))) return null;
  return { id, tenant, digest: await digestOf(drawn + check) };
}

/** In constant time: digests are compared in place of the texts, and are of one length, whatever was sent. */
export async function isSame(given: string, wanted: string): Promise<boolean> {
  const digests = [given, wanted].map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text)));
  const [one, other] = await Promise.all(digests);
  if (one === undefined || other === undefined) return false;
  const [a, b] = [new Uint8Array(one), new Uint8Array(other)];
  return a.reduce((difference, byte, at) => difference | (byte ^ (b[at] ?? 0)), 0) === 0;
}

async function digestOf(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));
}

async function checkOf(credentials_key: string, id: string, drawn: string): Promise<string> {
  const key = await crypto.subtle.importKey(
    "raw",
    decodeCredentialsKey(credentials_key),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(`partyline api token v1|${id}|${drawn}`));
  return toBase64Url(new Uint8Array(mac).slice(0, 6));
}
