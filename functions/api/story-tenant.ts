import { describeError } from "../log.ts";
import { isFull } from "../session/store/disk.ts";
import { findTenant } from "../tenants/directory.ts";
import type { Tenant } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";
import type { ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";

const DIRECTORY_MS = 4_000;
const ANSWER_MS = 5_000;

/**
 * Answers with what `ask` makes of the tenant; refuses where there is none, or its records or session cannot be reached.
 * @param answer_ms how long the session is waited for.
 */
export async function answerFor(
  c: ApiContext,
  id: string,
  ask: (tenant: Tenant) => Promise<Response>,
  answer_ms = ANSWER_MS,
): Promise<Response> {
  let tenant: Tenant | null;
  try {
    tenant = await withTimeout(
      DIRECTORY_MS,
      findTenant(c.env, id, (work) => c.executionCtx.waitUntil(work)),
    );
  } catch (error) {
    return refusal(c, 503, "directory_unreadable", `The tenant could not be read: ${describeError(error)}`);
  }
  if (!tenant)
    return refusal(c, 404, "unknown_tenant", `There is no tenant ${JSON.stringify(id.slice(0, 40))}.`);
  return await orSilent(c, () => ask(tenant), answer_ms);
}

/** Answers with what a session says; refuses where it cannot be reached. */
export async function orSilent(
  c: ApiContext,
  ask: () => Promise<Response>,
  answer_ms = ANSWER_MS,
): Promise<Response> {
  try {
    return await withTimeout(answer_ms, ask());
  } catch (error) {
    if (isFull(error))
      return refusal(c, 503, "storage_full", "The project's session has no room to keep this.");
    return refusal(c, 503, "session_silent", `The project's session did not answer: ${describeError(error)}`);
  }
}
