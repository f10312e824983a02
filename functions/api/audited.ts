import type { Endpoint } from "../../shared/api/endpoint.ts";
import { paramsIn } from "../../shared/api/endpoint.ts";
import { refusalSchema } from "../../shared/api/refusal.ts";
import { describeError, log } from "../log.ts";
import type { AuditEntry } from "../session/contract/api-access.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { findOwner } from "../tenants/directory.ts";
import { withTimeout } from "../timeout.ts";
import { nameOf } from "./caller.ts";
import type { ApiContext } from "./context.ts";

const WRITE_MS = 2_000;

/**
 * Writes down what the response says was done, before it goes out; what has no action changes nothing, and is not written. Where it
 * cannot be written the log has it: what was done is done.
 */
export async function audited(
  c: ApiContext,
  endpoint: Endpoint,
  respond: () => Promise<Response>,
): Promise<Response> {
  if (endpoint.action === undefined) return await respond();
  const at = Date.now();
  try {
    const response = await respond();
    await record(c, endpoint, at, { outcome: await outcomeOf(response), status: response.status });
    return response;
  } catch (error) {
    // What broke may have been done by half.
    await record(c, endpoint, at, { outcome: "internal", status: 500 });
    throw error;
  }
}

async function record(
  c: ApiContext,
  { action = "", path }: Endpoint,
  at: number,
  how: Pick<AuditEntry, "outcome" | "status">,
): Promise<void> {
  const caller = c.get("caller");
  const params: Record<string, string> = c.req.param();
  // What a token does elsewhere is its own tenant's to know; of a tenant that is not there nobody keeps anything.
  const tenant = caller.kind === "admin" ? params["tenant"] : caller.tenant;
  if (tenant === undefined) return;
  const { target = {}, sent_by = null, verified_by = null } = c.get("noted") ?? {};
  const named = paramsIn(path).map((name) => [
    name === "name" ? "room" : name,
    (params[name] ?? "").slice(0, 256),
  ]);
  const { tenant: asked, ...rest } = Object.fromEntries(named) as Record<string, string>;
  const entry: AuditEntry = {
    at,
    ...nameOf(caller),
    action,
    target: { ...(asked === tenant ? {} : { tenant: asked ?? "" }), ...rest, ...target },
    sent_by,
    ...how,
    verified_by,
    ms: Date.now() - at,
  };
  try {
    await withTimeout(WRITE_MS, write(c, tenant, entry));
  } catch (error) {
    const { token, outcome } = entry;
    log("error", "audit.not_written", { tenant, token, action, outcome, error: describeError(error) });
  }
}

async function write(c: ApiContext, tenant: string, entry: AuditEntry): Promise<void> {
  const owner = await findOwner(c.env, tenant, (work) => c.executionCtx.waitUntil(work));
  if (!owner) return;
  await askPart(sessionOf(c.env, owner.project).apiAccess(), (access) =>
    access.record(owner.project.project_id, tenant, entry),
  );
}

async function outcomeOf(response: Response): Promise<string> {
  if (response.status < 400) return "ok";
  const read = refusalSchema.safeParse(
    await response
      .clone()
      .json()
      .catch(() => null),
  );
  return read.success ? read.data.error.code : String(response.status);
}
