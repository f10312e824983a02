import type { Context } from "hono";
import { describeError, log } from "../log.ts";
import { findOwner } from "../tenants/directory.ts";
import type { Owner } from "../tenants/tenant.ts";
import { withTimeout } from "../timeout.ts";

/** SignalWire reads for 5 s, and tries again what was answered with 503; what is left is the session's. */
const DIRECTORY_MS = 3_000;

/** The tenant that a callback's path names, without its rules; null if there is none, and the answer 503 if it cannot be read. */
export async function callbackOwner(
  c: Context<{ Bindings: Env }>,
  id: string,
): Promise<Owner | null | Response> {
  try {
    return await withTimeout(
      DIRECTORY_MS,
      findOwner(c.env, id, (work) => c.executionCtx.waitUntil(work)),
    );
  } catch (error) {
    log("error", "directory.unreadable", { tenant: id, error: describeError(error) });
    return c.text("Try again.", 503);
  }
}
