import { verifyWithJwks } from "hono/jwt";
import type { Owner } from "../tenants/tenant.ts";
import type { TokenCaller } from "./caller.ts";

/** Cloudflare rotates these keys every six weeks, and serves the old ones for another. */
const KEYS_CACHED_S = 300;
const FETCH_MS = 3_000;

/**
 * Whom Cloudflare Access let through to this tenant; null where the assertion is not one of the project's application. Hono's
 * middleware for this wants `Bearer` before the token, and Access writes none, so its verifying function is used.
 * @throws where the keys cannot be fetched.
 */
export async function callerByAccess(
  assertion: string,
  { tenant, record, project }: Owner,
): Promise<TokenCaller | null> {
  if (!project.access) return null;
  const { team, aud } = project.access;
  const issuer = `https://${team}.cloudflareaccess.com`;
  const init: RequestInit<RequestInitCfProperties> = {
    cf: { cacheEverything: true, cacheTtl: KEYS_CACHED_S },
    // Another host's keys would let in whom it likes.
    redirect: "manual",
    signal: AbortSignal.timeout(FETCH_MS),
  };
  const payload = await verifyWithJwks(
    assertion,
    {
      jwks_uri: `${issuer}/cdn-cgi/access/certs`,
      verification: { iss: issuer, aud },
      allowedAlgorithms: ["RS256"],
    },
    init,
  ).catch((error: unknown) => {
    // What is wrong with a token has a name of its own; anything else kept the keys from us.
    if (error instanceof Error && error.name.startsWith("Jwt")) return null;
    throw error;
  });
  const mail = payload?.["email"];
  if (typeof mail !== "string" || typeof payload?.exp !== "number") return null;
  const name = mail.toLowerCase();
  const scopes = record.access?.[name] ?? record.access?.[`*${name.slice(name.lastIndexOf("@"))}`] ?? [];
  return {
    kind: "access",
    tenant,
    token: "access",
    name,
    scopes,
    rooms: null,
    mask_numbers: false,
    expires_at: payload.exp * 1_000,
  };
}
