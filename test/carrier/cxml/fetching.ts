import type { Leg } from "../leg.ts";
import type { Switches } from "../switches/index.ts";
import { type Verb, validateCxml } from "./verbs.ts";

/** A place that a document can be had from. */
export interface Source {
  readonly url: string;
  readonly method: "GET" | "POST";
}

/** How documents come to the runner, and what it must know of other calls. */
export interface CxmlIo {
  /** Sends the call's usual fields and these. Rejects where no answer came in time, or with the signal's reason. */
  fetch(
    source: Source,
    fields: readonly (readonly [string, string])[],
    signal: AbortSignal,
  ): Promise<{ status: number; content_type: string; body: string }>;
  /** Asked once, with the same fields, where a fetch that it covers brings no document that could run. */
  readonly fallback?: Source;
  /** The document is the call's first one. */
  readonly is_first: boolean;
  /** As they are at the moment. */
  readonly switches: Switches;
  /** The `call_id` of the call with this sid; undefined where there is none. */
  callIdOf(sid: string): string | undefined;
}

export type Found =
  | { readonly ok: true; readonly verbs: readonly Verb[]; readonly source: Source }
  | { readonly ok: false; readonly reason: string };

/** The document at `source`, else the fallback's. Rejects only with the signal's reason. */
export async function fetchCxml(
  leg: Leg,
  io: CxmlIo,
  source: Source,
  fields: readonly (readonly [string, string])[],
  is_first: boolean,
  signal: AbortSignal,
): Promise<Found> {
  const found = await fetchOne(leg, io, source, fields, signal);
  const covered = is_first || io.switches.fallback_covers === "all_fetches";
  if (found.ok || io.fallback === undefined || !covered) return found;
  leg.note("document", { fallback: io.fallback.url, because: found.reason });
  const second = await fetchOne(leg, io, io.fallback, fields, signal);
  return second.ok ? second : { ok: false, reason: `${found.reason}; fallback: ${second.reason}` };
}

/** Judges what a URL answered with. */
export function cxmlOf(
  leg: Leg,
  source: Source,
  answer: { readonly content_type: string; readonly body: string },
): Found {
  const violation = (errors: readonly { path: string; message: string }[]): Found => {
    leg.note("violation", { document: source.url, errors });
    return {
      ok: false,
      reason: `${source.url}: ${errors[0]?.path ?? ""}: ${errors[0]?.message ?? "not cXML"}`,
    };
  };
  if (!isXml(answer.content_type)) {
    const message = `content-type must be text/xml or application/xml, not "${answer.content_type}"`;
    return violation([{ path: "", message }]);
  }
  const validation = validateCxml(answer.body);
  return validation.ok ? { ok: true, verbs: validation.verbs, source } : violation(validation.errors);
}

export function isXml(content_type: string): boolean {
  return /^(text|application)\/xml[ \t]*(;|$)/i.test(content_type);
}

async function fetchOne(
  leg: Leg,
  io: CxmlIo,
  source: Source,
  fields: readonly (readonly [string, string])[],
  signal: AbortSignal,
): Promise<Found> {
  let answer: Awaited<ReturnType<CxmlIo["fetch"]>>;
  try {
    answer = await io.fetch(source, fields, signal);
  } catch (error) {
    signal.throwIfAborted();
    const failed = error instanceof Error ? error.message : String(error);
    leg.note("document", { fetched: source.url, failed });
    return { ok: false, reason: `${source.url}: ${failed}` };
  }
  leg.note("document", { fetched: source.url, status: answer.status });
  if (answer.status !== 200) return { ok: false, reason: `${source.url}: status ${answer.status}` };
  return cxmlOf(leg, source, answer);
}
