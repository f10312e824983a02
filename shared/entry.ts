import { canonicalJson } from "./canonical-json.ts";
import { toHex, toUtf8 } from "./encoding.ts";

/**
 * Tells one fresh entry of a call from another: a call that another's document sends back to us (after `hand_over`)
 * has no seal, but other `vars` or `params` than when it first came, or another query in its URL. Sixteen hex digits; empty where
 * there are none of these.
 */
export async function entryOf(
  vars: Record<string, unknown>,
  params: Record<string, unknown>,
  query = "",
): Promise<string> {
  if (Object.keys(vars).length === 0 && Object.keys(params).length === 0 && query === "") return "";
  const text = canonicalJson({ vars, params, ...(query === "" ? {} : { query }) });
  const digest = await crypto.subtle.digest("SHA-256", toUtf8(text));
  return toHex(new Uint8Array(digest)).slice(0, 16);
}

const ENTRIES = 1n << 64n;

/** The entry of a call that arrives just as it did before, and is no repeat. */
export function entryAfter(entry: string): string {
  const next = (BigInt(`0x${entry || "0"}`) + 1n) % ENTRIES;
  return next.toString(16).padStart(16, "0");
}
