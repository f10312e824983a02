import { Hono } from "hono";
import { wireName } from "../../shared/conference.ts";
import type { Tenant } from "../directory.ts";
import type { Conference } from "../session/roster.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { refusal } from "./refusal.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET /api/tenants/:tenant/conferences`: where the tenant's calls are. `GET …/conferences/:name`: who is there; the name is as
 * the rules spell it, or as it is on the wire.
 */
export const conferencesRoute = new Hono<{ Bindings: Env }>()
  .get("/:tenant/conferences", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) =>
      c.json({
        conferences: await askPart(sessionOf(c.env, project).archive(), (archive) =>
          archive.conferences(tenant),
        ),
      }),
    ),
  )
  .get("/:tenant/conferences/:name", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const wire = wireNameOf({ tenant, project }, c.req.param("name"));
      const found: Conference | null =
        wire === null
          ? null
          : await askPart(sessionOf(c.env, project).archive(), (archive) => archive.conference(tenant, wire));
      return found
        ? c.json(found)
        : refusal(c, 404, "unknown_conference", "Nobody is in a conference of that name.");
    }),
  );

/** The name on the wire, given as that or as the rules spell it; null where no conference can be called so. */
export function wireNameOf(
  { tenant, project }: Pick<Tenant, "tenant" | "project">,
  name: string,
): string | null {
  if (name.startsWith(`${tenant}:`)) return name;
  const wire = wireName(tenant, name, { plain: project.plain_names_for === tenant });
  return typeof wire === "string" ? wire : null;
}
