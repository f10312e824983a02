import type { MiddlewareHandler } from "hono";
import { log } from "../log.ts";
import { isOverLimit } from "../refusals.ts";
import { refusal } from "./refusal.ts";
import type { ApiEnv } from "./route.ts";

/**
 * Lets requests through that bring `ADMIN_TOKEN` as a bearer token. Where it is not set the API is closed to all: a forgotten
 * secret must not open it.
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
  if (given === undefined || !(await isSame(given, ADMIN_TOKEN))) {
    if (await isOverLimit(c))
      return refusal(c, 429, "too_many_requests", "Too many wrong tokens: wait a minute.");
    log("warn", "api.refused", { why: given === undefined ? "no bearer token" : "wrong token" });
    c.header("www-authenticate", 'Bearer realm="partyline"');
    return refusal(
      c,
      401,
      "unauthorized",
      given === undefined
        ? "Send the Worker's ADMIN_TOKEN: Authorization: Bearer <token>."
        : "The token is not the Worker's ADMIN_TOKEN.",
    );
  }
  return await next();
};

/** Digests are compared in place of the texts: they are of one length, whatever was sent. */
async function isSame(given: string, wanted: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const [one, other] = await Promise.all([digest(given), digest(wanted)]);
  return crypto.subtle.timingSafeEqual(one, other);
}
