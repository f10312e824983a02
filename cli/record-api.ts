import type { RecordKind } from "../shared/records.ts";
import type { Problem } from "../shared/rules/schema/problems.ts";
import { type Access, askApi, cannot, type Failure } from "./ask-worker.ts";
import { failureOf, refusalOf, writing } from "./ruleset-api.ts";

/** The Worker waits for KV for about 18 s at most. */
const ANSWER_MS = 30_000;

/** Which record, where. */
export interface RecordTarget extends Access {
  kind: RecordKind;
  id: string;
}

/** `hash` names the version in KV. Null: there is none. An unreadable one is not JSON; the message says how. */
export type FetchedRecord =
  | { ok: true; hash: string; record: unknown }
  | { ok: true; hash: null }
  | { ok: true; hash: string; unreadable: string }
  | Failure;

export type WrittenRecord =
  | { ok: true; hash: string; warnings: Problem[] }
  | { ok: false; errors: Problem[]; warnings: Problem[] }
  | Failure;

/** A record that is listed: its id, and what else tells it apart. */
export type Listed = [id: string, told: string | null];

/** The record as KV has it, secrets as `***`. Never rejects. */
export async function fetchRecord(target: RecordTarget): Promise<FetchedRecord> {
  const { kind, id } = target;
  const how = { answer_ms: ANSWER_MS };
  const answer =
    kind === "tenant"
      ? await askApi(target, "getTenantRecord", { params: { tenant: id } }, how)
      : await askApi(target, "getProjectRecord", { params: { project: id } }, how);
  if (!answer.ok) return answer;
  const { status, etag, json } = answer;
  if (status === 200 && etag !== null && json !== undefined) return { ok: true, hash: etag, record: json };
  const said = refusalOf(answer);
  if (status === 404 && said?.code === "no_record") return { ok: true, hash: null };
  if (status === 409 && said !== null && etag !== null)
    return { ok: true, hash: etag, unreadable: said.message };
  return failureOf({ url: target.url, tenant: id }, answer);
}

/**
 * Writes over one version, or none. Never rejects.
 * @param over The hash of the version that is written over; `*` for whichever stands; null for a first one.
 */
export async function writeRecord(
  target: RecordTarget,
  text: string,
  over: string | null,
): Promise<WrittenRecord> {
  const { kind, id } = target;
  const how = { headers: writing(over), answer_ms: ANSWER_MS };
  const answer =
    kind === "tenant"
      ? await askApi(target, "putTenantRecord", { params: { tenant: id }, body: text }, how)
      : await askApi(target, "putProjectRecord", { params: { project: id }, body: text }, how);
  if (!answer.ok) return answer;
  const { told } = answer;
  if (told?.status === 200) return { ok: true, ...told.data };
  if (told?.status === 422) return { ok: false, errors: told.data.errors, warnings: told.data.warnings };
  if (answer.status === 412)
    return cannot(
      "version_differs",
      "somebody else wrote in the meantime, and nothing was written: put again, and look at what changes.",
    );
  return failureOf({ url: target.url, tenant: id }, answer);
}

/** All records of a kind. Never rejects. */
export async function listRecords(
  access: Access,
  kind: RecordKind,
): Promise<{ ok: true; records: Listed[] } | Failure> {
  const records: Listed[] = [];
  let after: string | undefined;
  do {
    const page = kind === "tenant" ? await tenantsFrom(access, after) : await projectsFrom(access, after);
    if (!page.ok) return page;
    records.push(...page.records);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return { ok: true, records };
}

type Page = { ok: true; records: Listed[]; next: string | null } | Failure;

async function tenantsFrom(access: Access, after: string | undefined): Promise<Page> {
  const answer = await askApi(access, "listTenants", { query: { after } }, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  if (answer.told?.status !== 200) return failureOf({ url: access.url, tenant: "" }, answer);
  const { tenants, next } = answer.told.data;
  return { ok: true, records: tenants.map(({ tenant, project_id }) => [tenant, project_id]), next };
}

async function projectsFrom(access: Access, after: string | undefined): Promise<Page> {
  const answer = await askApi(access, "listProjects", { query: { after } }, { answer_ms: ANSWER_MS });
  if (!answer.ok) return answer;
  if (answer.told?.status !== 200) return failureOf({ url: access.url, tenant: "" }, answer);
  const { projects, next } = answer.told.data;
  return { ok: true, records: projects.map(({ project, space }) => [project, space]), next };
}
