import type { Finding } from "../../../shared/api/doctor.ts";
import { describeError, log } from "../../log.ts";
import type { Naming } from "../../session/contract/placement.ts";
import { askPart, sessionOf } from "../../session-client.ts";
import { namingSaid } from "../../tenants/room-naming.ts";
import type { Tenant } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";

const ANSWER_MS = 4_000;

/** Whether the rooms are named otherwise than the record has one expect, or soon will be. */
export async function namingFindings(env: Env, tenant: Tenant): Promise<Finding[]> {
  try {
    const last = await withTimeout(
      ANSWER_MS,
      askPart(sessionOf(env, tenant.project).tenants(), (tenants) => tenants.naming(tenant.tenant)),
    );
    return last === null ? [] : changeFindings(tenant, last);
  } catch (error) {
    // Whether the session answers at all is told elsewhere.
    log("info", "doctor.naming_unknown", { tenant: tenant.tenant, error: describeError(error) });
    return [];
  }
}

function changeFindings(whose: Tenant, last: Naming): Finding[] {
  const { tenant, project, source } = whose;
  const { naming } = namingSaid(whose);
  const key = `project/${project.project_id}`;
  if (naming !== undefined) {
    if (naming === last) return [];
    const [before, after] =
      last === "plain" ? ["<room>", `${tenant}:<room>`] : [`${tenant}:<room>`, "<room>"];
    return [
      {
        check: "project",
        ok: true,
        message: `By plain_names_for the tenant's conferences come to be named ${after}, and were ${before}: one in which calls are keeps its name until they have left.`,
        fix: `If that is not meant, set "plain_names_for": ${last === "plain" ? `"${tenant}"` : "null"} in ${key}.`,
      },
    ];
  }
  // The one-tenant start has no record that could say so.
  if (last !== "plain" || source.project === null) return [];
  return [
    {
      check: "project",
      ok: true,
      message:
        "The tenant's conferences have plain names, as they had before, and keep them: the record does not say whose names are plain.",
      fix: `Write "plain_names_for": "${tenant}" into ${key}; or null, and each room is named ${tenant}:<room> as soon as it is empty.`,
    },
  ];
}
