import type { PlaceRequest } from "../../functions/session/contract/placement.ts";
import { sessionOf } from "../../functions/session-client.ts";
import { findTenant } from "../../functions/tenants/directory.ts";
import type { Tenant } from "../../functions/tenants/tenant.ts";
import { driveAsAsked, joining } from "./drive.ts";

export { RelaySession } from "../../functions/index.ts";

/**
 * Partyline's session without the webhook before it: placements of calls that are answered, each one command. With `?room=` all go
 * there, and with `&capacity=` its seats are counted.
 */
export default {
  async fetch(request, env, ctx) {
    const tenant = await findTenant(env, "acme", (work) => ctx.waitUntil(work));
    if (!tenant) throw new Error("the bench has no tenant");
    const { searchParams } = new URL(request.url);
    const [room, capacity] = [searchParams.get("room"), searchParams.get("capacity")];
    const asked = {
      ...(room === null ? {} : { rooms: [`acme:${room}`] satisfies [string] }),
      ...(capacity === null ? {} : { capacity: Number(capacity) }),
    };
    return await driveAsAsked(request, async (index) => {
      const { outcome, reason } = await sessionOf(env, tenant.project).place({
        ...placement(tenant, index),
        ...asked,
      });
      if (outcome !== "accepted") throw new Error(`a placement was not accepted: ${outcome}, ${reason}`);
    });
  },
} satisfies ExportedHandler<Env>;

/** Of a call that is answered, into one of 50 rooms. */
export function placement({ tenant, project, record, rules }: Tenant, index: number): PlaceRequest {
  const { call_id, node_id, name, join } = joining(index, "acme");
  const now = Date.now();
  return {
    v: 1,
    project_id: project.project_id,
    project_version: project.version,
    tenant,
    call_id,
    entry: "",
    step: 0,
    node_id,
    answered: true,
    from: "+15550100001",
    rooms: [name],
    strategy: "first",
    join,
    forwarding: null,
    join_via: "relay",
    rule: "team",
    role: "participant",
    ruleset: rules?.hash ?? "",
    decided_at: now,
    deadline_at: now + record.join_deadline_ms,
    join_deadline_ms: record.join_deadline_ms,
  };
}
