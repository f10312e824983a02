import type { Comparison } from "../../../shared/api/ruleset.ts";
import { parseRuleset } from "../../../shared/rules/check/parse.ts";
import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { askPart, sessionOf } from "../../session-client.ts";
import { compileText } from "../../tenants/directory.ts";
import { hasPlainNames } from "../../tenants/room-naming.ts";
import type { Api, ApiContext } from "../context.ts";
import { refusal } from "../refusal.ts";
import { route } from "../route.ts";
import { orSilent } from "../story-tenant.ts";
import { compareCall } from "./elsewhere.ts";
import { withStoredSecrets } from "./restore.ts";
import { readRuleset } from "./route.ts";
import { secretsOf } from "./secrets.ts";
import { badRuleset, lookUp } from "./write.ts";

/** Webhooks of one page: as many as the rules' most expensive decisions allow, each decided by both rulesets. */
const MOST = 200;
const LEAST = 10;
/** Steps of all decisions of a page, about a second. */
const STEPS = 100_000_000;

/**
 * `POST /api/tenants/:tenant/ruleset/diff`: the body is a draft of a ruleset. Says of the last calls, newest first, which of them it would
 * treat otherwise than the ruleset that stands, and why. Writes nothing. `after` takes the `next` of the page before.
 */
export function diffRoutes(api: Api): void {
  route(api, "compareRuleset", (c, { params, query, answer }) =>
    compare(c, params.tenant, query.after, answer),
  );
}

async function compare(
  c: ApiContext,
  id: string,
  after: number | undefined,
  answer: (status: 200, comparison: Comparison) => Response,
): Promise<Response> {
  const caller = c.get("caller");
  if (caller.kind !== "admin" && !caller.scopes.includes("calls:read"))
    return refusal(c, 403, "scope", "This token lacks the scope calls:read.");
  const given = await readRuleset(c);
  if (given instanceof Response) return given;
  const tenant = await lookUp(c, id);
  if (tenant instanceof Response) return tenant;
  const { ruleset } = tenant.source;
  const { text, problems } = withStoredSecrets(given, ruleset);
  if (problems.length > 0) return badRuleset(c, problems, [], "nothing was compared");
  const parsed = parseRuleset(text, { tenant: tenant.tenant, plain: hasPlainNames(tenant) });
  if (!parsed.ok) return badRuleset(c, parsed.errors, parsed.warnings, "nothing was compared");
  const draft = await compileText(c.env, tenant, text);
  const fallback = await compileText(c.env, tenant, null);
  if (!draft.ok || !fallback.ok)
    return badRuleset(c, draft.ok ? [] : draft.errors, [], "nothing was compared");
  const compared = {
    serving: tenant.rules ?? fallback.rules,
    draft: draft.rules,
    draft_ids: secretsOf(JSON.parse(text)).rule_ids,
  };
  const steps = compared.serving.most_steps + compared.draft.most_steps;
  const limit = Math.max(LEAST, Math.min(MOST, Math.floor(STEPS / Math.max(1, steps))));
  return await orSilent(c, async () => {
    const page = await askPart(sessionOf(c.env, tenant.project).archive(), (archive) =>
      archive.decisions(tenant.tenant, { limit, ...(after === undefined ? {} : { after }) }),
    );
    const calls = page.calls.flatMap((call) => compareCall(call, compared) ?? []);
    const standing = ruleset === null ? null : await hashRuleset(ruleset);
    return answer(200, { ruleset: standing, calls, next: page.next });
  });
}
