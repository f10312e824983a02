import { Hono } from "hono";
import { wireName } from "../../shared/conference.ts";
import type { Conference } from "../session/roster.ts";
import { sessionOf } from "../session-client.ts";
import { refusal } from "./refusal.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET /api/tenants/:tenant/conferences`: where the tenant's calls are. `GET …/conferences/:name`: who is there; the name is as
 * the rules spell it, or as it is on the wire.
 */
export const conferencesRoute = new Hono<{ Bindings: Env }>()
  .get("/:tenant/conferences", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) =>
      c.json({ conferences: await sessionOf(c.env, project).archive().conferences(tenant) }),
    ),
  )
  .get("/:tenant/conferences/:name", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const name = c.req.param("name");
      const plain = project.plain_names_for === tenant;
      const wire = name.startsWith(`${tenant}:`) ? name : wireName(tenant, name, { plain });
      const found: Conference | null =
        typeof wire === "string" ? await sessionOf(c.env, project).archive().conference(tenant, wire) : null;
      return found
        ? c.json(found)
        : refusal(c, 404, "unknown_conference", "Nobody is in a conference of that name.");
    }),
  );
