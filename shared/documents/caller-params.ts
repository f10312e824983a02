import { toUtf8 } from "../encoding.ts";
import { findExpansion } from "./expansion.ts";

/** All of a caller's params together, as JSON in UTF-8. */
const sizeLimit = 8192;

export interface CallerParams {
  params: Record<string, unknown>;
  /** Names of those left behind, as the caller wrote them; at most {@link namedLimit}. */
  dropped: string[];
}

const namedLimit = 20;

/**
 * The caller's own `params` as they may travel along in a document of ours. Left behind: what holds an expansion mark
 * at any depth, what nests too deep, what would take them all together over 8 KiB, and `partyline`, which is ours.
 */
export function callerParams(params: Record<string, unknown>): CallerParams {
  const kept: [string, unknown][] = [];
  const dropped: string[] = [];
  let size = 2;
  for (const [name, value] of Object.entries(params)) {
    if (name === "partyline") continue;
    const entry = { [name]: value };
    const entrySize = findExpansion(entry) === null ? byteLength(entry) : Number.POSITIVE_INFINITY;
    if (size + entrySize > sizeLimit) {
      if (dropped.length < namedLimit) dropped.push(name.slice(0, 64));
      continue;
    }
    size += entrySize;
    kept.push([name, value]);
  }
  // `fromEntries` defines own properties, so that a param named "__proto__" is a param like any other.
  return { params: Object.fromEntries(kept), dropped };
}

function byteLength(value: unknown): number {
  return toUtf8(JSON.stringify(value)).length;
}
