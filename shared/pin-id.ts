import { toHex } from "./encoding.ts";

/** What a PIN in KV is called where people see it: its HMAC stays where it is. 32 hex digits. */
export async function pinId(hmac: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`partyline pin ${hmac}`));
  return toHex(new Uint8Array(hash)).slice(0, 32);
}
