import type { Leg } from "../leg.ts";
import type { Switches } from "../switches/index.ts";
import { type Sections, validateDocument } from "./grammar.ts";

/** How documents come to the runner. */
export interface DocumentIo {
  /** POSTs the JSON body. Rejects where no answer came in time, or with the signal's reason. */
  fetch(
    url: string,
    body: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<{ status: number; body: string }>;
  /** Asked once, with the same POST, where a fetch that it covers brings no document that could run. */
  fallback_url?: string;
  /** The document is the call's first one: its URL is the number's own, and no transfer led there. */
  is_first: boolean;
  /** Told of a step before it leads to another document. */
  ledBy?(step: "transfer" | "execute"): void;
  /** The `params` of the first fetch; a `transfer` or `execute` replaces them. */
  params: Record<string, unknown>;
  /** How many `transfer`s and `goto`s one call may make; SignalWire's limit. */
  max_transfers: 32;
  /** As they are at the moment. */
  readonly switches: Switches;
}

export type Found =
  | { readonly ok: true; readonly sections: Sections }
  /** `nothing_came`: no document was had at all, as opposed to one that cannot run. */
  | { readonly ok: false; readonly reason: string; readonly nothing_came?: true };

/** A fetch is made so often where the switch has failed ones made again, with so long in between. */
const tries = 3;
const pause_ms = 1000;

/** The document at `url`, else the one at the fallback URL. Rejects only with the signal's reason. */
export async function fetchDocument(
  leg: Leg,
  io: DocumentIo,
  url: string,
  params: Readonly<Record<string, unknown>>,
  is_first: boolean,
  signal: AbortSignal,
): Promise<Found> {
  leg.documentBegins();
  let found = await fetchOne(leg, io, url, params, signal);
  const most = !is_first && io.switches.failed_fetch_of_transfer === "retried" ? tries : 1;
  for (let made = 1; made < most && !found.ok && found.nothing_came; made += 1) {
    await leg.sleep(pause_ms, signal);
    found = await fetchOne(leg, io, url, params, signal);
  }
  const covered = is_first || io.switches.fallback_covers === "all_fetches";
  if (found.ok || io.fallback_url === undefined || !covered) return found;
  leg.note("document", { fallback: io.fallback_url, because: found.reason });
  const second = await fetchOne(leg, io, io.fallback_url, params, signal);
  return second.ok ? second : { ...second, reason: `${found.reason}; fallback: ${second.reason}` };
}

/** Checks a document that came inside a command or another document. */
export function inlineDocument(leg: Leg, document: unknown, from: string): Found {
  const validation = validateDocument(document);
  if (validation.ok) return validation;
  leg.note("violation", { document: from, errors: validation.errors });
  const [first] = validation.errors;
  return { ok: false, reason: `${from}: ${first?.path ?? ""}: ${first?.message ?? "not SWML"}` };
}

async function fetchOne(
  leg: Leg,
  io: DocumentIo,
  url: string,
  params: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Found> {
  const body = { call: leg.describe(), vars: { ...leg.vars }, envs: {}, params };
  const answer = await attempt(() => io.fetch(url, body, signal), signal);
  leg.note(
    "document",
    answer.ok ? { fetched: url, status: answer.value.status } : { fetched: url, failed: answer.reason },
  );
  const nothing = (why: string): Found => ({ ok: false, reason: `${url}: ${why}`, nothing_came: true });
  if (!answer.ok) return nothing(answer.reason);
  if (answer.value.status !== 200) return nothing(`status ${answer.value.status}`);
  const document = await attempt(async () => JSON.parse(answer.value.body), signal);
  if (document.ok) return inlineDocument(leg, document.value, url);
  leg.note("violation", { document: url, errors: [{ path: "", message: "not JSON" }] });
  return { ok: false, reason: `${url}: not JSON` };
}

async function attempt<T>(
  action: () => Promise<T>,
  signal: AbortSignal,
): Promise<{ ok: true; value: T } | { ok: false; reason: string }> {
  try {
    return { ok: true, value: await action() };
  } catch (error) {
    signal.throwIfAborted();
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
