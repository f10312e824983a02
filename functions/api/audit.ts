import type { AuditPage } from "../session/contract/api-access.ts";
import { askPart, sessionOf } from "../session-client.ts";
import type { Api } from "./context.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/** `GET /api/tenants/:tenant/audit`: what was done by the API, newest first; `after` takes the `next` of the page before. */
export function auditRoutes(api: Api): void {
  route(api, "listAudit", (c, { params, query: { after, limit }, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const page: AuditPage = await askPart(sessionOf(c.env, project).apiAccess(), (access) =>
        access.audit(tenant, { limit, ...(after === undefined ? {} : { after }) }),
      );
      return answer(200, page);
    }),
  );
}
