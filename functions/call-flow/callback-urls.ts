import { callbackTokens, roomProofs } from "../../shared/callback-token.ts";
import { type CallbackUrls, callbackUrlsAt } from "../../shared/callbacks.ts";
import type { KeySources } from "../../shared/seal-keys.ts";
import type { Owner, Project } from "../tenants/tenant.ts";

const derived = new WeakMap<Project, Map<string, [string, ...string[]]>>();

/** The tenant's callback tokens, derived once for each reading of its project's record. */
export async function tokensOf(env: Env, { tenant, project }: Owner): Promise<[string, ...string[]]> {
  const known = derived.get(project) ?? new Map<string, [string, ...string[]]>();
  derived.set(project, known);
  let tokens = known.get(tenant);
  if (!tokens) {
    tokens = await callbackTokens(keysOf(env, project), tenant);
    known.set(tenant, tokens);
  }
  return tokens;
}

/** Proof that we wrote the room into a recording callback's URL. */
export async function proofsOf(
  env: Env,
  { tenant, project }: Owner,
  room: string,
): Promise<[string, ...string[]]> {
  return await roomProofs(keysOf(env, project), tenant, room);
}

function keysOf({ CREDENTIALS_KEY }: Env, { signing_keys }: Project): KeySources {
  return { ...(CREDENTIALS_KEY === undefined ? {} : { credentials_key: CREDENTIALS_KEY }), signing_keys };
}

/** Where a tenant's conferences report to. The URLs hold the token: never logged. */
export async function callbackUrls(env: Env, tenant: Owner, base: string): Promise<CallbackUrls> {
  const [token] = await tokensOf(env, tenant);
  return callbackUrlsAt(`${base}/hooks/${tenant.tenant}`, token);
}
