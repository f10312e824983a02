import { refusalSchema } from "../shared/api/refusal.ts";
import type { Problem } from "../shared/rules/schema/problems.ts";
import {
  type Access,
  apiUrl,
  askApi,
  cannot,
  type Failure,
  unexpected,
  type WorkerAnswer,
} from "./ask-worker.ts";

/** The Worker waits for KV for about 14 s at most; 4 MiB may take a while on their way. */
const ANSWER_MS = 60_000;

/** Whose ruleset, where. */
export interface Target extends Access {
  tenant: string;
}

type Answered = Pick<WorkerAnswer, "status" | "json">;

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
  const request = { params: { tenant: target.tenant } };
  const answer = await askApi(target, "getRuleset", request, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { status, etag, json } = answer;
  if (status === 200 && etag !== null && json !== undefined) return { ok: true, hash: etag, ruleset: json };
  const said = refusalOf(answer);
  if (status === 404 && said?.code === "no_ruleset") return { ok: true, hash: null };
  if (status === 409 && said !== null && etag !== null)
    return { ok: true, hash: etag, unreadable: said.message };
  return failureOf(target, answer);
}

/**
 * Writes over one version, or none. Never rejects.
 * @param over The hash of the version that is written over; `*` for whichever stands; null for a first one.
 */
export async function writeRuleset(target: Target, text: string, over: string | null): Promise<Written> {
  const headers: Record<string, string> =
    over === null ? { "if-none-match": "*" } : { "if-match": over === "*" ? over : `"${over}"` };
  const request = { params: { tenant: target.tenant }, body: text };
  const answer = await askApi(target, "putRuleset", request, { headers, answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { told } = answer;
  if (told?.status === 200) return { ok: true, ...told.data };
  if (told?.status === 422) return { ok: false, errors: told.data.errors, warnings: told.data.warnings };
  if (answer.status === 412) {
    return cannot(
      "version_differs",
      "somebody else wrote in the meantime, and nothing was written: push again, and look at what changes.",
    );
  }
  return failureOf(target, answer);
}

function failureOf({ url, tenant }: Target, answer: Answered): Failure {
  const endpoint = apiUrl(url, "");
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

function refusalOf({ json }: Answered): { code: string; message: string } | null {
  const refusal = refusalSchema.safeParse(json);
  return refusal.success ? refusal.data.error : null;
}
