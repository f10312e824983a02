import { canonicalJson } from "./canonical-json.ts";
import { toHex } from "./hex.ts";

/**
 * Tells one fresh entry of a call from another: a call that another's document sends back to us (after `hand_over`)
 * has no seal, but other `vars` or `params` than when it first came. Sixteen hex digits; empty where both are.
 */
export async function entryOf(
  vars: Record<string, unknown>,
  params: Record<string, unknown>,
): Promise<string> {
  if (Object.keys(vars).length === 0 && Object.keys(params).length === 0) return "";
  const text = canonicalJson({ vars, params });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return toHex(new Uint8Array(digest)).slice(0, 16);
}
