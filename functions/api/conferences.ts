import { Hono } from "hono";
import * as z from "zod";
import type { Conference } from "../session/operator/roster.ts";
import { askPart, orOlder, sessionOf } from "../session-client.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { findRoom } from "./room-name.ts";
import { answerFor } from "./story-tenant.ts";

const conferencesQuery = z.strictObject({
  after: z.string().min(1).max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(200),
});

/**
 * `GET /api/tenants/:tenant/conferences`: where the tenant's calls are, by name; `after` takes the `next` of the page before, and
 * a page may be shorter than `limit`, or empty, and have a next one. `GET …/conferences/:name`: who is there; the name is as the
 * rules spell it, or with the tenant's prefix.
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
      const found = await findRoom(
        { tenant, project },
        c.req.param("name"),
        async (name): Promise<Conference | null> =>
          await askPart(sessionOf(c.env, project).archive(), (archive) => archive.conference(tenant, name)),
      );
      return found
        ? c.json(found)
        : refusal(c, 404, "unknown_conference", "Nobody is in a conference of that name.");
    }),
  );
