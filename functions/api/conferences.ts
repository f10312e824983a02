import { Hono } from "hono";
import * as z from "zod";
import { wireName } from "../../shared/conference.ts";
import type { Tenant } from "../directory.ts";
import type { Conference } from "../session/roster.ts";
import { askPart, orOlder, sessionOf } from "../session-client.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { answerFor } from "./story-tenant.ts";

const conferencesQuery = z.strictObject({
  after: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(200),
});

/**
 * `GET /api/tenants/:tenant/conferences`: where the tenant's calls are, by name; `after` takes the `next` of the page before, and
 * a page may be shorter than `limit`, or empty, and have a next one. `GET …/conferences/:name`: who is there; the name is as the
 * rules spell it, or as it is on the wire.
 */
export const conferencesRoute = new Hono<{ Bindings: Env }>()
  .get("/:tenant/conferences", (c) => {
    const query = conferencesQuery.safeParse(c.req.query());
    if (!query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    const { after, limit } = query.data;
    return answerFor(c, c.req.param("tenant"), async ({ tenant, project }) =>
      c.json(
        await askPart(sessionOf(c.env, project).archive(), (archive) =>
          orOlder(
            archive.conferencesPage(tenant, { limit, ...(after === undefined ? {} : { after }) }),
            async () => ({ conferences: await archive.conferences(tenant), next: null }),
          ),
        ),
      ),
    );
  })
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
