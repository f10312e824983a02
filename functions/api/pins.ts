import { Hono } from "hono";
import { askPart, sessionOf } from "../session-client.ts";
import { refusal } from "./refusal.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET /api/tenants/:tenant/pins`: which callers are turned away for wrong PINs, which numbers take none, and until when.
 * `DELETE …/pins/blocks/:from`: lets a caller in again; `from` as it stands there.
 */
export const pinsRoute = new Hono<{ Bindings: Env }>()
  .get("/:tenant/pins", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) =>
      c.json(await askPart(sessionOf(c.env, project).pins(), (pins) => pins.closed(tenant))),
    ),
  )
  .delete("/:tenant/pins/blocks/:from", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const wasClosed = await askPart(sessionOf(c.env, project).pins(), (pins) =>
        pins.letIn(tenant, c.req.param("from")),
      );
      return wasClosed
        ? c.body(null, 204)
        : refusal(c, 404, "not_blocked", "This caller is not turned away; GET …/pins lists those who are.");
    }),
  );
