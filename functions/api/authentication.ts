import type { MiddlewareHandler } from "hono";
import { isSame, readToken } from "../../shared/api/token.ts";
import { describeError, log } from "../log.ts";
import { isOverLimit } from "../refusals.ts";
import type { Grant } from "../session/contract/api-access.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { findOwner } from "../tenants/directory.ts";
import type { Owner } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import type { Caller, TokenCaller } from "./caller.ts";
import { callerByAccess } from "./cloudflare-access.ts";
import type { ApiContext, ApiEnv } from "./context.ts";
import { refusal } from "./refusal.ts";

const DIRECTORY_MS = 4_000;
const ANSWER_MS = 5_000;

/** null: not authentic. A response: that cannot be told now, and the request is refused. */
type Told = Caller | null | Response;

/**
 * Lets requests through that bring `ADMIN_TOKEN` or a tenant's token as a bearer token, or Cloudflare Access's assertion. Where
 * `ADMIN_TOKEN` is not set the API is closed to all: a forgotten secret must not open it.
 */
export const authentication: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const { ADMIN_TOKEN } = c.env;
  if (!ADMIN_TOKEN) {
    log("warn", "api.refused", { why: "ADMIN_TOKEN is not set" });
    return refusal(
      c,
      403,
      "api_closed",
      "This Worker has no ADMIN_TOKEN, so its API is closed. Set one: npx wrangler secret put ADMIN_TOKEN",
    );
  }
  const [, given] = /^Bearer +(\S+) *$/i.exec(c.req.header("authorization") ?? "") ?? [];
  const assertion = c.req.header("cf-access-jwt-assertion");
  const caller =
    given !== undefined
      ? await callerByToken(c, given, ADMIN_TOKEN)
      : assertion !== undefined
        ? await callerByAssertion(c, assertion)
        : null;
  if (caller instanceof Response) return caller;
  if (caller === null) {
    if (await isOverLimit(c))
      return refusal(c, 429, "too_many_requests", "Too many wrong tokens: wait a minute.");
    const isNone = given === undefined && assertion === undefined;
    log("warn", "api.refused", { why: isNone ? "no bearer token" : "wrong token" });
    c.header("www-authenticate", 'Bearer realm="partyline"');
    return refusal(
      c,
      401,
      "unauthorized",
      isNone
        ? "Send the Worker's ADMIN_TOKEN or a tenant's token: Authorization: Bearer <token>."
        : "The token is neither the Worker's ADMIN_TOKEN nor one that is good now.",
    );
  }
  if (caller.kind === "access" && isCrossSite(c)) {
    return refusal(
      c,
      403,
      "cross_site",
      "A page of another site sent this, with the cookie of Cloudflare Access.",
    );
  }
  c.set("caller", caller);
  return await next();
};

async function callerByToken(c: ApiContext, given: string, admin_token: string): Promise<Told> {
  if (await isSame(given, admin_token)) return { kind: "admin" };
  const { CREDENTIALS_KEY } = c.env;
  const read = CREDENTIALS_KEY ? await readToken(CREDENTIALS_KEY, given) : null;
  if (!read) return null;
  const { tenant, id, digest } = read;
  return await ofOwner(c, tenant, async ({ project }): Promise<TokenCaller | null> => {
    const grant: Grant | null = await askPart(sessionOf(c.env, project).apiAccess(), (access) =>
      access.verify(tenant, id, digest),
    );
    return grant && { kind: "token", tenant, token: id, ...grant };
  });
}

async function callerByAssertion(c: ApiContext, assertion: string): Promise<Told> {
  const [, tenant = ""] = /^\/api\/tenants\/([a-z0-9-]+)(?:\/|$)/.exec(new URL(c.req.url).pathname) ?? [];
  return await ofOwner(c, tenant, (owner) => callerByAccess(assertion, owner));
}

/** Without the tenant's records, or its session's word, the request is refused. */
async function ofOwner(
  c: ApiContext,
  tenant: string,
  ask: (owner: Owner) => Promise<TokenCaller | null>,
): Promise<Told> {
  let owner: Owner | null;
  try {
    owner = await withTimeout(
      DIRECTORY_MS,
      findOwner(c.env, tenant, (work) => c.executionCtx.waitUntil(work)),
    );
  } catch (error) {
    return refusal(c, 503, "directory_unreadable", `The tenant could not be read: ${describeError(error)}`);
  }
  if (!owner) return null;
  try {
    return await withTimeout(ANSWER_MS, ask(owner));
  } catch (error) {
    return refusal(c, 503, "session_silent", `The token could not be verified: ${describeError(error)}`);
  }
}

/** Whether a page of another site made the browser send this: Access's cookie goes along with it. */
function isCrossSite(c: ApiContext): boolean {
  const origin = c.req.header("origin");
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  return !isRead && origin !== undefined && origin !== new URL(c.req.url).origin;
}
