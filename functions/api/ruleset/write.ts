import type { BadRuleset, Written } from "../../../shared/api/ruleset.ts";
import { isTenantId } from "../../../shared/conference.ts";
import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { type Problem, problem } from "../../../shared/rules/schema/problems.ts";
import type { Ruleset } from "../../../shared/rules/schema/ruleset.ts";
import { describeError, log } from "../../log.ts";
import { wakeSession } from "../../scheduled.ts";
import { askPart, sessionOf } from "../../session-client.ts";
import { readTenant } from "../../tenants/directory.ts";
import { listKey, readListText } from "../../tenants/kv-lists.ts";
import { hasPlainNames } from "../../tenants/room-naming.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";
import type { ApiContext } from "../context.ts";
import { refusal } from "../refusal.ts";
import { writerOf } from "../versioned.ts";

const DIRECTORY_MS = 4_000;
const WRITE_MS = 10_000;
const KEEP_MS = 3_000;

/** The tenant as KV has it now, or the answer that says why there is none. */
export async function lookUp(c: ApiContext, id: string): Promise<Tenant | Response> {
  let tenant: Tenant | null;
  try {
    tenant = isTenantId(id) ? await withTimeout(DIRECTORY_MS, readTenant(c.env, id, null)) : null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return refusal(c, 503, "tenant_unreadable", `${said.slice(0, 2_000)}.`);
  }
  return tenant ?? refusal(c, 404, "unknown_tenant", "There is no such tenant: KV has no record of it.");
}

/**
 * Checks a ruleset's text and puts it into KV, and has the session keep it with who wrote it.
 * @param has_served Whether it is a version that served: then it is checked as serving rulesets are.
 */
export async function writeRuleset(
  c: ApiContext,
  { tenant, project }: Tenant,
  text: string,
  has_served: boolean,
): Promise<Response> {
  const plain = hasPlainNames({ tenant, project });
  const parsed = parseRuleset(text, { tenant, plain, serving: has_served });
  if (!parsed.ok) return badRuleset(c, parsed.errors, parsed.warnings);
  try {
    await withTimeout(WRITE_MS, c.env.DIRECTORY.put(`ruleset/${tenant}`, text));
  } catch (error) {
    log("error", "ruleset.not_written", { tenant, error: describeError(error) });
    const message = `KV did not take it (${describeError(error)}); it takes one write a second. Whether it was written is not known: read it, and try again.`;
    return refusal(c, 503, "kv_failed", message);
  }
  const hash = await hashRuleset(text);
  const by = writerOf(c);
  try {
    const kept = askPart(sessionOf(c.env, project).archive(), (archive) =>
      archive.pushed(tenant, { hash, text }, by),
    );
    await withTimeout(KEEP_MS, kept);
  } catch (error) {
    log("warn", "ruleset.not_kept", { tenant, error: describeError(error) });
  }
  const warnings = [...parsed.warnings, ...(await listWarnings(c, parsed.ruleset))];
  // A tenant whose calls come by contexts should not wait for the clock.
  c.executionCtx.waitUntil(wakeSession(c.env, project.project_id));
  log("info", "ruleset.written", { tenant, hash, by, warnings: warnings.length });
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

/** @param after what became of it, or did not. */
export function badRuleset(
  c: ApiContext,
  errors: Problem[],
  warnings: Problem[],
  after = "nothing was written",
): Response {
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  const error = { code: "bad_ruleset", message: `The ruleset has ${count}; ${after}.` };
  return c.json({ error, errors, warnings } satisfies BadRuleset, 422);
}
