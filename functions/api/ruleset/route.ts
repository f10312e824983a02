import { hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { RULESET_LENGTH } from "../../../shared/rules/limits.ts";
import { readBody } from "../../webhooks/read-body.ts";
import type { Api, ApiContext } from "../context.ts";
import { refusal } from "../refusal.ts";
import { route } from "../route.ts";
import { preconditionOf, versionRefusal } from "../versioned.ts";
import { withStoredSecrets } from "./restore.ts";
import { maskSecrets } from "./secrets.ts";
import { readText } from "./stored.ts";
import { badRuleset, lookUp, writeRuleset } from "./write.ts";

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
    return await shownRuleset(c, ruleset, "The ruleset in KV", "Put a good one, with If-Match.");
  });
  route(api, "putRuleset", async (c, { params }) => {
    const precondition = preconditionOf(c);
    if (precondition instanceof Response) return precondition;
    const given = await readRuleset(c);
    if (given instanceof Response) return given;
    const tenant = await lookUp(c, params.tenant);
    if (tenant instanceof Response) return tenant;
    const { ruleset } = tenant.source;
    const standing = ruleset === null ? null : await hashRuleset(ruleset);
    const refused = versionRefusal(c, precondition, standing, "ruleset");
    if (refused !== null) return refused;
    const { text, problems } = withStoredSecrets(given, ruleset);
    if (problems.length > 0) return badRuleset(c, problems, []);
    return await writeRuleset(c, tenant, text, false);
  });
}

/** The body's text, or the answer that it is too long. */
export async function readRuleset(c: ApiContext): Promise<string | Response> {
  const raw = await readBody(c.req.raw, RULESET_LENGTH);
  if (raw !== "too large") return new TextDecoder().decode(raw);
  const message = `A ruleset has at most ${RULESET_LENGTH / 1024 / 1024} MiB; split it by tenant, or use lists.`;
  return refusal(c, 413, "too_large", message);
}

/** A ruleset's text without its secrets, or why it can't be shown. @param what `The ruleset in KV`. */
export async function shownRuleset(
  c: ApiContext,
  text: string,
  what: string,
  fix: string,
): Promise<Response> {
  c.header("etag", `"${await hashRuleset(text)}"`);
  const read = readText(text);
  if (!read.ok) {
    const message = `${what} ${read.why}, so it is not shown: its secrets could not be told. ${fix}`;
    return refusal(c, 409, "ruleset_unreadable", message);
  }
  maskSecrets(read.value);
  return c.body(JSON.stringify(read.value), 200, { "content-type": "application/json" });
}
