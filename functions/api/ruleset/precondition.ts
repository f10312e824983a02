/** What a writer says of the version that stands. `hashes`: any of these. */
export type Precondition = { hashes: readonly string[] } | "some version" | "no version";

/**
 * Reads `If-Match: "<hash>"`, `If-Match: *` and `If-None-Match: *` (RFC 9110, 13.1). A weak tag is as good as a strong one:
 * Cloudflare weakens the tags of what it compresses, and ours is the stored text's in any case.
 */
export function readPrecondition(headers: Headers): Precondition | "missing" | "malformed" {
  const wanted = headers.get("if-match")?.trim();
  const unwanted = headers.get("if-none-match")?.trim();
  if (wanted === undefined && unwanted === undefined) return "missing";
  if (unwanted !== undefined) return unwanted === "*" && wanted === undefined ? "no version" : "malformed";
  if (wanted === "*") return "some version";
  const hashes = (wanted ?? "").split(",").map((tag) => /^\s*(?:W\/)?"([0-9a-f]{64})"\s*$/.exec(tag)?.[1]);
  return hashes.every((hash) => hash !== undefined) ? { hashes } : "malformed";
}

/** @param hash The hash of the version that stands; null where there is none. */
export function holds(precondition: Precondition, hash: string | null): boolean {
  if (precondition === "no version") return hash === null;
  if (hash === null) return false;
  return precondition === "some version" || precondition.hashes.includes(hash);
}
