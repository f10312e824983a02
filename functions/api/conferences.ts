import type { Conference, ConferencesPage, Participant } from "../session/operator/roster.ts";
import { askPart, orOlder, sessionOf } from "../session-client.ts";
import type { Api } from "./context.ts";
import { refusal } from "./refusal.ts";
import { findRoom } from "./room-name.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `GET /api/tenants/:tenant/conferences`: where the tenant's calls are, by name; `after` takes the `next` of the page before, and
 * a page may be shorter than `limit`, or empty, and have a next one. `GET …/conferences/:name`: who is there; the name is as the
 * rules spell it, or with the tenant's prefix.
 */
export function conferencesRoutes(api: Api): void {
  route(api, "listConferences", (c, { params, query: { after, limit }, answer, sees }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const page: ConferencesPage = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        orOlder(
          archive.conferencesPage(tenant, { limit, ...(after === undefined ? {} : { after }) }),
          async () => ({ conferences: await archive.conferences(tenant), next: null }),
        ),
      );
      return answer(200, { ...page, conferences: page.conferences.filter(({ name }) => sees(name)) });
    }),
  );
  route(api, "getConference", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const found = await findRoom(
        { tenant, project },
        params.name,
        async (name): Promise<Conference | null> =>
          await askPart(sessionOf(c.env, project).archive(), (archive) => archive.conference(tenant, name)),
      );
      return found
        ? answer(200, { ...found, participants: found.participants.map(shownOf) })
        : refusal(c, 404, "unknown_conference", "Nobody is in a conference of that name.");
    }),
  );
}

/** A session of the version before says nothing of speech. */
function shownOf(one: Participant): Participant {
  return { ...one, speaking: one.speaking ?? null };
}
