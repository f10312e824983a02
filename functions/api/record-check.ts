import { problemsIn, type RecordKind } from "../../shared/records.ts";
import { readBody } from "../webhooks/read-body.ts";
import type { Api, ApiContext } from "./context.ts";
import { readJson } from "./json-body.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";

/** Bytes. */
const BODY_LIMIT = 1_048_576;

/**
 * `POST /api/check/project`, `/api/check/tenant`: whether the body is a record that may be written to KV; 422 with everything that is wrong
 * with it, unknown keys included. Writes nothing.
 */
export function recordCheckRoutes(api: Api): void {
  route(api, "checkProjectRecord", (c, { answer }) => check(c, "project", () => answer(200, { ok: true })));
  route(api, "checkTenantRecord", (c, { answer }) => check(c, "tenant", () => answer(200, { ok: true })));
}

async function check(c: ApiContext, kind: RecordKind, answer: () => Response): Promise<Response> {
  const raw = await readBody(c.req.raw, BODY_LIMIT);
  if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${BODY_LIMIT} bytes.`);
  const json = readJson(raw);
  if (!json.ok)
    return refusal(c, 400, "bad_request", `The body must be the record, as JSON; it ${json.why}.`);
  const errors = problemsIn(kind, json.value);
  if (errors.length === 0) return answer();
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  return c.json({ error: { code: "bad_record", message: `The record has ${count}.` }, errors }, 422);
}
