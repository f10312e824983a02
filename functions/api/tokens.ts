import type { NewTokenBody } from "../../shared/api/new-token.ts";
import { makeToken } from "../../shared/api/token.ts";
import type { TokenView } from "../session/contract/api-access.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { type Caller, nameOf } from "./caller.ts";
import type { Api } from "./context.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET|POST /api/tenants/:tenant/tokens`, `DELETE …/tokens/:id`: who may use the API for the tenant. A token makes none that may do
 * more than itself.
 */
export function tokensRoutes(api: Api): void {
  route(api, "listTokens", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const tokens: TokenView[] = await askPart(sessionOf(c.env, project).apiAccess(), (access) =>
        access.tokens(tenant),
      );
      return answer(200, { tokens });
    }),
  );
  route(api, "createToken", (c, { params, body, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const { CREDENTIALS_KEY } = c.env;
      if (!CREDENTIALS_KEY) {
        const message = "This Worker has no CREDENTIALS_KEY, and makes no tokens without one.";
        return refusal(c, 422, "no_credentials_key", message);
      }
      const caller = c.get("caller");
      const excess = excessOf(caller, body);
      if (excess !== null) return refusal(c, 403, "scope", excess);
      if (body.expires_at !== null && body.expires_at <= Date.now())
        return refusal(c, 422, "bad_request", "expires_at: is over already");
      const random = {
        id: crypto.getRandomValues(new Uint8Array(6)),
        secret: crypto.getRandomValues(new Uint8Array(24)),
      };
      const { id, token, digest } = await makeToken(CREDENTIALS_KEY, tenant, random);
      const { project_id } = project;
      const created_by = nameOf(caller).token;
      const made: TokenView | null = await askPart(sessionOf(c.env, project).apiAccess(), (access) =>
        access.create({ project_id, tenant, id, digest, created_by, ...body }),
      );
      if (made === null)
        return refusal(c, 409, "too_many_tokens", "The tenant has 200 tokens: revoke one first.");
      c.set("noted", { target: { id } });
      return answer(201, { token, ...made });
    }),
  );
  route(api, "revokeToken", (c, { params }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const isRevoked = await askPart(sessionOf(c.env, project).apiAccess(), (access) =>
        access.revoke(tenant, params.id),
      );
      return isRevoked
        ? c.body(null, 204)
        : refusal(c, 404, "unknown_token", "There is no such token; it may be revoked already.");
    }),
  );
}

/** What the new token would be allowed and its maker is not; null: nothing. */
function excessOf(caller: Caller, { scopes, mask_numbers, expires_at }: NewTokenBody): string | null {
  // The scope of making tokens is not for tokens of some rooms.
  if (caller.kind === "admin") return null;
  const missing = scopes.filter((scope) => !caller.scopes.includes(scope));
  if (missing.length > 0) return `This token lacks the scope ${missing.join(", ")}, and can give it to none.`;
  if (caller.mask_numbers && !mask_numbers)
    return "This token sees no numbers, so those that it makes need mask_numbers.";
  const outlives = caller.kind === "token" && caller.expires_at !== null;
  if (outlives && (expires_at === null || expires_at > (caller.expires_at ?? 0)))
    return "This token expires, so those that it makes must not expire later.";
  return null;
}
