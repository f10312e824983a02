import { decodeCredentialsKey } from "./credentials.ts";
import { toUtf8 } from "./encoding.ts";

/** The first seals, all open. */
export type SealKeys = readonly [CryptoKey, ...CryptoKey[]];

export interface KeySources {
  /** 32 bytes, base64. */
  credentials_key?: string;
  /** The project's signing keys, the current one first. */
  signing_keys: readonly string[];
}

/**
 * The keys of our sealed state, derived (HKDF-SHA-256) from `CREDENTIALS_KEY`, else from the signing key.
 * All of them open, so that calls under way outlive a rotated signing key, or a `CREDENTIALS_KEY` set for the first time.
 *
 * @throws {CredentialsKeyError} where `credentials_key` is not 32 bytes of base64.
 * @throws {Error} where there is nothing to derive from.
 */
export async function deriveKeys({ credentials_key, signing_keys }: KeySources): Promise<SealKeys> {
  const sources: Uint8Array[] = [];
  if (credentials_key !== undefined && credentials_key !== "") {
    sources.push(decodeCredentialsKey(credentials_key));
  }
  for (const key of signing_keys) if (key !== "") sources.push(toUtf8(key));
  const [first, ...rest] = await Promise.all(sources.map(derive));
  if (first === undefined)
    throw new Error("neither CREDENTIALS_KEY nor a signing key to seal call state with");
  return [first, ...rest];
}

async function derive(secret: Uint8Array): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]);
  const info = toUtf8("partyline sealed state v1");
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(32), info },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
