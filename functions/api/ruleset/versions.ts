import type { Version } from "../../../shared/api/ruleset.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { askPart, sessionOf } from "../../session-client.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import type { Api } from "../context.ts";
import { refusal } from "../refusal.ts";
import { route } from "../route.ts";
import { orSilent } from "../story-tenant.ts";
import { preconditionOf, versionRefusal } from "../versioned.ts";
import { shownRuleset } from "./route.ts";
import { lookUp, writeRuleset } from "./write.ts";

/** Versions that are told of. */
const SHOWN = 100;

const UNKNOWN =
  "This version of the ruleset is not kept; GET …/ruleset/versions lists those that are. Older ones are in your git.";

/**
 * `GET /api/tenants/:tenant/ruleset/versions`: the versions that are kept, the newest first. `GET …/versions/:hash`: one of
 * them, its secrets as `***`. `POST …/versions/:hash/restore`: puts it into KV again, secrets included, where the version that
 * stands is the one that `If-Match` names.
 */
export function versionsRoutes(api: Api): void {
  route(api, "listRulesetVersions", async (c, { params, answer }) => {
    const tenant = await lookUp(c, params.tenant);
    if (tenant instanceof Response) return tenant;
    return await orSilent(c, async () => answer(200, { versions: await versionsOf(c.env, tenant) }));
  });
  route(api, "getRulesetVersion", async (c, { params }) => {
    const tenant = await lookUp(c, params.tenant);
    if (tenant instanceof Response) return tenant;
    return await orSilent(c, async () => {
      const text = await textOf(c.env, tenant, params.hash);
      if (text === null) return refusal(c, 404, "unknown_version", UNKNOWN);
      return await shownRuleset(c, text, "This version", "It can be restored all the same.");
    });
  });
  route(api, "restoreRulesetVersion", async (c, { params }) => {
    const precondition = preconditionOf(c);
    if (precondition instanceof Response) return precondition;
    const tenant = await lookUp(c, params.tenant);
    if (tenant instanceof Response) return tenant;
    const { ruleset } = tenant.source;
    const refused = versionRefusal(
      c,
      precondition,
      ruleset === null ? null : await hashRuleset(ruleset),
      "ruleset",
    );
    if (refused !== null) return refused;
    let text: string | null = null;
    const failed = await orSilent(c, async () => {
      text = await textOf(c.env, tenant, params.hash);
      return text === null ? refusal(c, 404, "unknown_version", UNKNOWN) : c.body(null, 204);
    });
    return text === null ? failed : await writeRuleset(c, tenant, text, true);
  });
}

async function textOf(env: Env, { tenant, project }: Tenant, hash: string): Promise<string | null> {
  return await askPart(sessionOf(env, project).archive(), (archive) => archive.rulesetText(tenant, hash));
}

/** What the session keeps, and what stands in KV though the session has not seen it. */
async function versionsOf(env: Env, { tenant, project, source }: Tenant): Promise<Version[]> {
  const kept = await askPart(sessionOf(env, project).archive(), (archive) => archive.versions(tenant, SHOWN));
  const standing = source.ruleset === null ? null : await hashRuleset(source.ruleset);
  const versions = kept.map(({ hash, first_at, last_at, pushed_at, pushed_by }) => ({
    hash,
    standing: hash === standing,
    kept: true,
    first_seen_at: timeOf(first_at),
    last_served_at: timeOf(last_at),
    pushed_at: timeOf(pushed_at),
    pushed_by,
  }));
  if (standing === null || versions.some(({ hash }) => hash === standing)) return versions;
  const never = { first_seen_at: null, last_served_at: null, pushed_at: null, pushed_by: null };
  return [{ hash: standing, standing: true, kept: false, ...never }, ...versions];
}

function timeOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
