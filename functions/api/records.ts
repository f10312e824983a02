import type { RecordWritten } from "../../shared/api/records.ts";
import { isTenantId } from "../../shared/conference.ts";
import { jsonOf as parse, problemsIn, type RecordKind } from "../../shared/records.ts";
import { hashRuleset } from "../../shared/rules/compile/compile.ts";
import { boundsProblem } from "../../shared/rules/schema/bounds.ts";
import type { Problem } from "../../shared/rules/schema/problems.ts";
import { describeError, log } from "../log.ts";
import { wakeSession } from "../scheduled.ts";
import { withTimeout } from "../timeout.ts";
import { readBody } from "../webhooks/read-body.ts";
import type { Api, ApiContext } from "./context.ts";
import { readJson } from "./json-body.ts";
import { notJson } from "./not-json.ts";
import { needsOf } from "./record-needs.ts";
import { maskRecord, restoreRecord } from "./record-secrets.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { preconditionOf, versionRefusal, writerOf } from "./versioned.ts";

/** Bytes. */
const BODY_LIMIT = 1_048_576;
const DIRECTORY_MS = 4_000;
const WRITE_MS = 10_000;
/**
 * `GET /api/tenants`, `/api/projects`: the records in KV, by name. `GET /api/tenants/:tenant/record`, `/api/projects/:project/record`: one
 * record, its secrets as `***`; `ETag` is the hash of the stored text. `PUT`: checks a record and puts it into KV, where the version
 * that stands is the one that `If-Match` names.
 */
export function recordsRoutes(api: Api): void {
  route(api, "listTenants", (c, { query, answer }) =>
    orUnreadable(c, async () => {
      const { records, next } = await list(c.env, "tenant", query);
      const tenants = records.map(([tenant, text]) => ({ tenant, project_id: said(text, "project_id") }));
      return answer(200, { tenants, next });
    }),
  );
  route(api, "listProjects", (c, { query, answer }) =>
    orUnreadable(c, async () => {
      const { records, next } = await list(c.env, "project", query);
      const projects = records.map(([project, text]) => ({ project, space: said(text, "space") }));
      return answer(200, { projects, next });
    }),
  );
  route(api, "getTenantRecord", (c, { params }) => read(c, "tenant", params.tenant));
  route(api, "putTenantRecord", (c, { params }) => write(c, "tenant", params.tenant));
  route(api, "getProjectRecord", (c, { params }) => read(c, "project", params.project));
  route(api, "putProjectRecord", (c, { params }) => write(c, "project", params.project));
}

/** A page of records: their ids, and their texts as KV has them. */
async function list(
  { DIRECTORY }: Env,
  kind: RecordKind,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<{ records: [id: string, text: string | null][]; next: string | null }> {
  const prefix = `${kind}/`;
  const found = await DIRECTORY.list({ prefix, limit, ...(after === undefined ? {} : { cursor: after }) });
  const keys = found.keys.map(({ name }) => name);
  const texts = keys.length === 0 ? new Map<string, string | null>() : await DIRECTORY.get(keys);
  return {
    records: keys.map((key) => [key.slice(prefix.length), texts.get(key) ?? null]),
    next: found.list_complete ? null : found.cursor,
  };
}

/** A text that a record has under this key; null where it has none, or is bad. */
function said(text: string | null, key: string): string | null {
  const record = text === null ? null : parse(text);
  const value =
    typeof record === "object" && record !== null ? (record as Record<string, unknown>)[key] : null;
  return typeof value === "string" ? value : null;
}

async function read(c: ApiContext, kind: RecordKind, id: string): Promise<Response> {
  const refused = badId(c, kind, id);
  if (refused !== null) return refused;
  return await orUnreadable(c, async () => {
    const text = await c.env.DIRECTORY.get(`${kind}/${id}`);
    if (text === null) return refusal(c, 404, "no_record", `KV has no key ${kind}/${id}.`);
    c.header("etag", `"${await hashRuleset(text)}"`);
    const record = parse(text);
    if (record === undefined || boundsProblem(record) !== null) {
      const message = `${kind}/${id} in KV ${notJson(text)}, so it is not shown: its secrets could not be told. Put a good one, with If-Match.`;
      return refusal(c, 409, "record_unreadable", message);
    }
    maskRecord(kind, record);
    return c.body(JSON.stringify(record), 200, { "content-type": "application/json" });
  });
}

async function write(c: ApiContext, kind: RecordKind, id: string): Promise<Response> {
  const refused = badId(c, kind, id);
  if (refused !== null) return refused;
  const precondition = preconditionOf(c);
  if (precondition instanceof Response) return precondition;
  const raw = await readBody(c.req.raw, BODY_LIMIT);
  if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${BODY_LIMIT} bytes.`);
  const json = readJson(raw);
  if (!json.ok)
    return refusal(c, 400, "bad_request", `The body must be the record, as JSON; it ${json.why}.`);
  const given = json.value;
  const bounds = boundsProblem(given);
  if (bounds !== null) return bad(c, [bounds], []);
  return await orUnreadable(c, async () => {
    const stored = await c.env.DIRECTORY.get(`${kind}/${id}`);
    const standing = stored === null ? null : await hashRuleset(stored);
    const differs = versionRefusal(c, precondition, standing, "record");
    if (differs !== null) return differs;
    const kept = restoreRecord(given, stored === null ? null : parse(stored));
    const errors = kept.length > 0 ? kept : problemsIn(kind, given);
    if (errors.length > 0) return bad(c, errors, []);
    const text = JSON.stringify(given);
    const needs = await needsOf(c.env, kind, id, text);
    if (needs.errors.length > 0) return bad(c, needs.errors, needs.warnings);
    return await put(c, kind, { id, text, warnings: needs.warnings });
  });
}

async function put(
  c: ApiContext,
  kind: RecordKind,
  { id, text, warnings }: { id: string; text: string; warnings: Problem[] },
): Promise<Response> {
  const key = `${kind}/${id}`;
  try {
    await withTimeout(WRITE_MS, c.env.DIRECTORY.put(key, text));
  } catch (error) {
    log("error", "record.not_written", { record: key, error: describeError(error) });
    const message = `KV did not take it (${describeError(error)}); it takes one write a second. Whether it was written is not known: read it, and try again.`;
    return refusal(c, 503, "kv_failed", message);
  }
  const hash = await hashRuleset(text);
  if (kind === "project") c.executionCtx.waitUntil(wakeSession(c.env, id));
  log("info", "record.written", { record: key, hash, by: writerOf(c), warnings: warnings.length });
  c.header("etag", `"${hash}"`);
  return c.json({ hash, warnings } satisfies RecordWritten);
}

function bad(c: ApiContext, errors: Problem[], warnings: Problem[]): Response {
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  const error = { code: "bad_record", message: `The record has ${count}; nothing was written.` };
  return c.json({ error, errors, warnings }, 422);
}

function badId(c: ApiContext, kind: RecordKind, id: string): Response | null {
  if (kind === "tenant" ? isTenantId(id) : /^[\x21-\x2e\x30-\x7e]{1,100}$/.test(id)) return null;
  const message =
    kind === "tenant"
      ? "A tenant's id is 1 to 24 of a-z, 0-9 and -."
      : "A project's id is at most 100 characters of printable ASCII, without blanks and /.";
  return refusal(c, 400, "bad_id", message);
}

async function orUnreadable(c: ApiContext, ask: () => Promise<Response>): Promise<Response> {
  try {
    return await withTimeout(DIRECTORY_MS + WRITE_MS, ask());
  } catch (error) {
    return refusal(c, 503, "directory_unreadable", `KV could not be read: ${describeError(error)}`);
  }
}
