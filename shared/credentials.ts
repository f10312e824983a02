import { fromBase64, fromBase64Url, toBase64Url } from "./encoding.ts";

/** AES-GCM's initialisation vector, in bytes: fresh random ones for every seal. */
export const ivBytes = 12;

const keyBytes = 32;
const version = "v1";

/** `CREDENTIALS_KEY` is missing, or is not 32 bytes of base64. The message never shows it. */
export class CredentialsKeyError extends Error {
  override name = "CredentialsKeyError";
  code = "credentials_key";

  constructor(key_base64: string) {
    const found = key_base64.trim() === "" ? "is not set" : "is not 32 bytes in base64";
    super(
      `CREDENTIALS_KEY ${found}: it must be ${keyBytes} bytes in base64 (44 characters). Make one with: npx partyline seal --generate-key --project <id>`,
    );
  }
}

/** A sealed secret in a record is none, or does not open. The message shows nothing of it. */
export class SealedSecretError extends Error {
  override name = "SealedSecretError";
  code = "sealed_secret";
}

/** @throws {CredentialsKeyError} where the key is not 32 bytes of base64. */
export function decodeCredentialsKey(key_base64: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64(key_base64.trim());
  if (bytes?.length !== keyBytes) throw new CredentialsKeyError(key_base64);
  return bytes;
}

/**
 * Seals a token or a signing key for a record in KV: `v1.<iv>.<ciphertext>`, AES-256-GCM with the project id as
 * associated data, so that a sealed secret moved to another project's record does not open.
 *
 * @param iv {@link ivBytes} random bytes, never used before with this key.
 * @throws {CredentialsKeyError} where the key is not 32 bytes of base64.
 */
export async function sealSecret(
  key_base64: string,
  project_id: string,
  plaintext: string,
  iv: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const key = await importKey(key_base64, "encrypt");
  const ciphertext = await crypto.subtle.encrypt(
    algorithm(project_id, iv),
    key,
    new TextEncoder().encode(plaintext),
  );
  return `${version}.${toBase64Url(iv)}.${toBase64Url(new Uint8Array(ciphertext))}`;
}

/**
 * @throws {CredentialsKeyError} where the key is not 32 bytes of base64.
 * @throws {SealedSecretError} where the text is no sealed secret, or was sealed with another key or for another project.
 */
export async function openSecret(key_base64: string, project_id: string, sealed: string): Promise<string> {
  const key = await importKey(key_base64, "decrypt");
  const [prefix, ivText = "", ciphertextText = "", ...rest] = sealed.trim().split(".");
  const iv = fromBase64Url(ivText);
  const ciphertext = fromBase64Url(ciphertextText);
  if (prefix !== version || rest.length > 0 || iv?.length !== ivBytes || ciphertext === null) {
    throw new SealedSecretError(
      `not a sealed secret (${version}.<iv>.<ciphertext>); make one with: npx partyline seal --project ${project_id}`,
    );
  }
  try {
    const plaintext = await crypto.subtle.decrypt(algorithm(project_id, iv), key, ciphertext);
    return new TextDecoder().decode(plaintext);
  } catch {
    throw new SealedSecretError(
      `a sealed secret does not open: it was sealed with another CREDENTIALS_KEY, or for another project than ${project_id}, or it was altered. Seal it again with: npx partyline seal --project ${project_id}`,
    );
  }
}

function importKey(key_base64: string, usage: "encrypt" | "decrypt") {
  return crypto.subtle.importKey("raw", decodeCredentialsKey(key_base64), "AES-GCM", false, [usage]);
}

function algorithm(project_id: string, iv: Uint8Array<ArrayBuffer>) {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(project_id) };
}
