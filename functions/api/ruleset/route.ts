import type { BadRuleset, Written } from "../../../shared/api/ruleset.ts";
import { isTenantId } from "../../../shared/conference.ts";
import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { RULESET_LENGTH } from "../../../shared/rules/limits.ts";
import { type Problem, problem } from "../../../shared/rules/schema/problems.ts";
import type { Ruleset } from "../../../shared/rules/schema/ruleset.ts";
import { describeError, log } from "../../log.ts";
import { wakeSession } from "../../scheduled.ts";
import { readTenant } from "../../tenants/directory.ts";
import { listKey, readListText } from "../../tenants/kv-lists.ts";
import { hasPlainNames } from "../../tenants/room-naming.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";
import { readBody } from "../../webhooks/read-body.ts";
import type { Api, ApiContext } from "../context.ts";
import { refusal } from "../refusal.ts";
import { route } from "../route.ts";
import { holds, readPrecondition } from "./precondition.ts";
import { restoreSecrets } from "./restore.ts";
import { maskSecrets } from "./secrets.ts";
import { readText } from "./stored.ts";

const DIRECTORY_MS = 4_000;
const WRITE_MS = 10_000;

/**
 * `GET /api/tenants/:tenant/ruleset`: the ruleset in KV, its secrets as `***`; `ETag` is the hash of the stored text.
 * `PUT`: checks a ruleset and puts it into KV, where the version that stands is the one that `If-Match` names. KV shows a
 * write elsewhere after up to 60 s, so of two writers within that time the later may win unseen.
 */
export function rulesetRoutes(api: Api): void {
  route(api, "getRuleset", async (c, { params }) => {
    const tenant = await lookUp(c, params.tenant);
    if (tenant instanceof Response) return tenant;
    const { ruleset } = tenant.source;
    if (ruleset === null) return refusal(c, 404, "no_ruleset", `KV has no key ruleset/${tenant.tenant}.`);
    c.header("etag", `"${await hashRuleset(ruleset)}"`);
    const read = readText(ruleset);
    if (!read.ok) {
      const message = `The ruleset in KV ${read.why}, so it is not shown: its secrets could not be told. Put a good one, with If-Match.`;
      return refusal(c, 409, "ruleset_unreadable", message);
    }
    maskSecrets(read.value);
    return c.body(JSON.stringify(read.value), 200, { "content-type": "application/json" });
  });
  route(api, "putRuleset", async (c, { params }) => {
    const precondition = readPrecondition(c.req.raw.headers);
    if (precondition === "missing" || precondition === "malformed") {
      const message =
        'Say which version you write over: If-Match: "<hash>" (GET answers it as ETag), If-Match: * for whichever stands, If-None-Match: * for a first one.';
      return precondition === "missing"
        ? refusal(c, 428, "no_precondition", message)
        : refusal(c, 400, "bad_precondition", message);
    }
    const raw = await readBody(c.req.raw, RULESET_LENGTH);
    if (raw === "too large") {
      const message = `A ruleset has at most ${RULESET_LENGTH / 1024 / 1024} MiB; split it by tenant, or use lists.`;
      return refusal(c, 413, "too_large", message);
    }
    const tenant = await lookUp(c, params.tenant);
    if (tenant instanceof Response) return tenant;
    const { ruleset } = tenant.source;
    const standing = ruleset === null ? null : await hashRuleset(ruleset);
    if (!holds(precondition, standing)) {
      if (standing !== null) c.header("etag", `"${standing}"`);
      const message =
        standing === null
          ? "There is no ruleset yet: write the first with If-None-Match: *."
          : `Another version stands: ${standing}. Read it, and write over that one.`;
      return refusal(c, 412, "version_differs", message);
    }
    return await write(c, tenant, new TextDecoder().decode(raw));
  });
}

async function write(c: ApiContext, { tenant, project, source }: Tenant, given: string): Promise<Response> {
  const { text, problems } = restored(given, source.ruleset);
  if (problems.length > 0) return bad(c, problems, []);
  const parsed = parseRuleset(text, { tenant, plain: hasPlainNames({ tenant, project }) });
  if (!parsed.ok) return bad(c, parsed.errors, parsed.warnings);
  try {
    await withTimeout(WRITE_MS, c.env.DIRECTORY.put(`ruleset/${tenant}`, text));
  } catch (error) {
    log("error", "ruleset.not_written", { tenant, error: describeError(error) });
    const message = `KV did not take it (${describeError(error)}); it takes one write a second. Whether it was written is not known: read it, and try again.`;
    return refusal(c, 503, "kv_failed", message);
  }
  const hash = await hashRuleset(text);
  const warnings = [...parsed.warnings, ...(await listWarnings(c, parsed.ruleset))];
  // A tenant whose calls come by contexts should not wait for the clock.
  c.executionCtx.waitUntil(wakeSession(c.env, project.project_id));
  log("info", "ruleset.written", { tenant, hash, warnings: warnings.length });
  c.header("etag", `"${hash}"`);
  return c.json({ hash, warnings } satisfies Written);
}

/** Lists that rules name in KV, and KV does not have, or not as lists: they are read anew with every refresh of the rules. */
async function listWarnings(c: ApiContext, { lists = {} }: Ruleset): Promise<Problem[]> {
  const inKv = Object.entries(lists).flatMap(([name, list]) =>
    Array.isArray(list) ? [] : [[name, list.kv] as const],
  );
  try {
    const read = await withTimeout(
      DIRECTORY_MS,
      Promise.all(
        inKv.map(
          async ([name, kv]) => [name, kv, readListText(await c.env.DIRECTORY.get(listKey(kv)))] as const,
        ),
      ),
    );
    return read.flatMap(([name, kv, list]) =>
      list.ok
        ? []
        : [problem(["lists", name, "kv"], `${listKey(kv)} in KV is no list that can serve: ${list.why}`)],
    );
  } catch {
    // The rules are written, and serve: what becomes of the lists is in the log.
    return [];
  }
}

/** The text to store: as it was sent where no `***` is in it. What can't be read is left for the checks to say. */
function restored(given: string, stored: string | null): { text: string; problems: Problem[] } {
  const read = readText(given);
  if (!read.ok) return { text: given, problems: [] };
  const before = stored === null ? null : readText(stored);
  const { restored: count, problems } = restoreSecrets(read.value, before?.ok ? before.value : null);
  return { text: count === 0 ? given : JSON.stringify(read.value), problems };
}

function bad(c: ApiContext, errors: Problem[], warnings: Problem[]): Response {
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  const error = { code: "bad_ruleset", message: `The ruleset has ${count}; nothing was written.` };
  return c.json({ error, errors, warnings } satisfies BadRuleset, 422);
}

/** The tenant as KV has it now, or the answer that says why there is none. */
async function lookUp(c: ApiContext, id: string): Promise<Tenant | Response> {
  let tenant: Tenant | null;
  try {
    tenant = isTenantId(id) ? await withTimeout(DIRECTORY_MS, readTenant(c.env, id, null)) : null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return refusal(c, 503, "tenant_unreadable", `${said.slice(0, 2_000)}.`);
  }
  return tenant ?? refusal(c, 404, "unknown_tenant", "There is no such tenant: KV has no record of it.");
}
