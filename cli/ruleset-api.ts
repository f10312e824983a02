import { refusalSchema } from "../shared/api/refusal.ts";
import { BY_HEADER, type Comparison, type Version } from "../shared/api/ruleset.ts";
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
import { whoWrites } from "./who-writes.ts";

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

/** What is wrong with a ruleset, or a record, that was sent. */
interface Bad {
  ok: false;
  errors: Problem[];
  warnings: Problem[];
}

export type Written = { ok: true; hash: string; warnings: Problem[] } | Bad | Failure;

/** The ruleset as KV has it, secrets as `***`, or a version that is kept. Never rejects. */
export async function fetchRuleset(target: Target, version?: string): Promise<Fetched> {
  const { tenant } = target;
  const how = { answer_ms: ANSWER_MS };
  const answer =
    version === undefined
      ? await askApi(target, "getRuleset", { params: { tenant } }, how)
      : await askApi(target, "getRulesetVersion", { params: { tenant, hash: version } }, how);
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
  const request = { params: { tenant: target.tenant }, body: text };
  const how = { headers: writing(over), answer_ms: ANSWER_MS };
  return writtenOf(target, await askApi(target, "putRuleset", request, how));
}

/** Puts a version that is kept into KV again, as `writeRuleset` does. Never rejects. */
export async function restoreRuleset(target: Target, hash: string, over: string | null): Promise<Written> {
  const request = { params: { tenant: target.tenant, hash } };
  const how = { headers: writing(over), answer_ms: ANSWER_MS };
  return writtenOf(target, await askApi(target, "restoreRulesetVersion", request, how));
}

/** The versions that are kept, newest first. Never rejects. */
export async function fetchVersions(target: Target): Promise<{ ok: true; versions: Version[] } | Failure> {
  const request = { params: { tenant: target.tenant } };
  const answer = await askApi(target, "listRulesetVersions", request, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { told } = answer;
  return told?.status === 200 ? { ok: true, versions: told.data.versions } : failureOf(target, answer);
}

/** A page of the last calls, decided by a draft and by the ruleset that stands. Never rejects. */
export async function compareRuleset(
  target: Target,
  text: string,
  after: number | null,
): Promise<({ ok: true } & Comparison) | Bad | Failure> {
  const query = after === null ? {} : { after };
  const request = { params: { tenant: target.tenant }, query, body: text };
  const answer = await askApi(target, "compareRuleset", request, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  const { told } = answer;
  if (told?.status === 200) return { ok: true, ...told.data };
  if (told?.status === 422) return { ok: false, errors: told.data.errors, warnings: told.data.warnings };
  return failureOf(target, answer);
}

/** The headers of a request that writes over one version, or none. */
export function writing(over: string | null): Record<string, string> {
  const precondition =
    over === null ? { "if-none-match": "*" } : { "if-match": over === "*" ? over : `"${over}"` };
  return { ...precondition, [BY_HEADER]: whoWrites() };
}

function writtenOf(
  target: Target,
  answer: WorkerAnswer<"putRuleset"> | WorkerAnswer<"restoreRulesetVersion"> | Failure,
): Written {
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

/** What can be said of an answer that no command expects. */
export function failureOf({ url, tenant }: Pick<Target, "url" | "tenant">, answer: Answered): Failure {
  const endpoint = apiUrl(url, "");
  const { origin } = endpoint;
  const said = refusalOf(answer);
  if (answer.status === 404 && said?.code === "unknown_tenant") {
    return cannot(
      "unknown_tenant",
      `${origin} knows no tenant ${tenant}: KV has no key tenant/${tenant}. npx partyline doctor says more.`,
    );
  }
  if (answer.status === 404 && said?.code === "unknown_version")
    return cannot("unknown_version", said.message);
  if (answer.status === 404 || answer.status === 200) {
    return cannot(
      "not_a_partyline",
      `what answers at ${origin} is not a Partyline, or one of another version. Is the host right?`,
    );
  }
  return unexpected(endpoint, answer);
}

export function refusalOf({ json }: Answered): { code: string; message: string } | null {
  const refusal = refusalSchema.safeParse(json);
  return refusal.success ? refusal.data.error : null;
}
