import { decodeCredentialsKey } from "./credentials.ts";
import { toHex } from "./encoding.ts";

/**
 * What a ruleset holds in place of a PIN: HMAC-SHA-256, hex, under a key derived (HKDF) from `CREDENTIALS_KEY` and bound to
 * the tenant. A plain hash of a few digits would hide nothing.
 *
 * @throws {CredentialsKeyError} where the key is not 32 bytes of base64.
 */
export async function answerHmac(credentials_key: string, tenant: string, digits: string): Promise<string> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey(
    "raw",
    decodeCredentialsKey(credentials_key),
    "HKDF",
    false,
    ["deriveKey"],
  );
  const key = await crypto.subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(32),
      info: encoder.encode("partyline secret answer v1"),
    },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`${tenant}|${digits}`))));
}
