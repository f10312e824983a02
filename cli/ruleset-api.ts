import { refusalSchema } from "../shared/api/refusal.ts";
import { badRulesetSchema, writtenSchema } from "../shared/api/ruleset.ts";
import type { Problem } from "../shared/rules/schema/problems.ts";
import { apiUrl, askWorker, cannot, type Failure, unexpected, type WorkerAnswer } from "./ask-worker.ts";

/** The Worker waits for KV for about 14 s at most; 4 MiB may take a while on their way. */
const ANSWER_MS = 60_000;

/** Whose ruleset, where. */
export interface Target {
  url: URL;
  tenant: string;
  /** The Worker's `ADMIN_TOKEN`. */
  token: string;
}

/** `hash` names the version in KV. Null: there is none. An unreadable one is not JSON, say; `message` says how. */
export type Fetched =
  | { ok: true; hash: string; ruleset: unknown }
  | { ok: true; hash: null }
  | { ok: true; hash: string; unreadable: string }
  | Failure;

export type Written =
  | { ok: true; hash: string; warnings: Problem[] }
  | { ok: false; errors: Problem[]; warnings: Problem[] }
  | Failure;

/** The ruleset as KV has it, secrets as `***`. Never rejects. */
export async function fetchRuleset(target: Target): Promise<Fetched> {
  const endpoint = endpointOf(target);
  const answer = await askWorker(endpoint, target.token, { method: "GET", answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { status, etag, json } = answer;
  if (status === 200 && etag !== null && json !== undefined) return { ok: true, hash: etag, ruleset: json };
  const said = refusalOf(answer);
  if (status === 404 && said?.code === "no_ruleset") return { ok: true, hash: null };
  if (status === 409 && said !== null && etag !== null)
    return { ok: true, hash: etag, unreadable: said.message };
  return failureOf(endpoint, target.tenant, answer);
}

/**
 * Writes over one version, or none. Never rejects.
 * @param over The hash of the version that is written over; `*` for whichever stands; null for a first one.
 */
export async function writeRuleset(target: Target, text: string, over: string | null): Promise<Written> {
  const endpoint = endpointOf(target);
  const headers: Record<string, string> =
    over === null ? { "if-none-match": "*" } : { "if-match": over === "*" ? over : `"${over}"` };
  const question = { method: "PUT", headers, body: text, answer_ms: ANSWER_MS } as const;
  const answer = await askWorker(endpoint, target.token, question);
  if (!answer.ok) return answer;
  if (answer.status === 200) {
    const written = writtenSchema.safeParse(answer.json);
    if (written.success) return { ok: true, ...written.data };
  }
  if (answer.status === 422) {
    const bad = badRulesetSchema.safeParse(answer.json);
    if (bad.success) return { ok: false, errors: bad.data.errors, warnings: bad.data.warnings };
  }
  if (answer.status === 412) {
    return cannot(
      "version_differs",
      "somebody else wrote in the meantime, and nothing was written: push again, and look at what changes.",
    );
  }
  return failureOf(endpoint, target.tenant, answer);
}

function endpointOf({ url, tenant }: Target): URL {
  return apiUrl(url, `/tenants/${tenant}/ruleset`);
}

function failureOf(endpoint: URL, tenant: string, answer: WorkerAnswer): Failure {
  const { origin } = endpoint;
  if (answer.status === 404 && refusalOf(answer)?.code === "unknown_tenant") {
    return cannot(
      "unknown_tenant",
      `${origin} knows no tenant ${tenant}: KV has no key tenant/${tenant}. npx partyline doctor says more.`,
    );
  }
  if (answer.status === 404 || answer.status === 200) {
    return cannot(
      "not_a_partyline",
      `what answers at ${origin} is not a Partyline, or one of another version. Is the host right?`,
    );
  }
  return unexpected(endpoint, answer);
}

function refusalOf({ json }: WorkerAnswer): { code: string; message: string } | null {
  const refusal = refusalSchema.safeParse(json);
  return refusal.success ? refusal.data.error : null;
}
