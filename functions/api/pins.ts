import { askPart, sessionOf } from "../session-client.ts";
import type { Api } from "./context.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET /api/tenants/:tenant/pins`: which callers are turned away for wrong PINs, which numbers take none, and until when.
 * `DELETE …/pins/blocks/:from`: lets a caller in again; `from` as it stands there.
 */
export function pinsRoutes(api: Api): void {
  route(api, "listBlockedPins", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) =>
      answer(200, await askPart(sessionOf(c.env, project).pins(), (pins) => pins.closed(tenant))),
    ),
  );
  route(api, "unblockCaller", (c, { params }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const wasClosed = await askPart(sessionOf(c.env, project).pins(), (pins) =>
        pins.letIn(tenant, params.from),
      );
      return wasClosed
        ? c.body(null, 204)
        : refusal(c, 404, "not_blocked", "This caller is not turned away; GET …/pins lists those who are.");
    }),
  );
}
