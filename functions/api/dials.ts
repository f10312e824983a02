import { log } from "../log.ts";
import type { DialReply, DialsPage, DialView } from "../session/contract/dial.ts";
import { askPart, orOlder, sessionOf } from "../session-client.ts";
import type { Api, ApiContext } from "./context.ts";
import { dialRequest } from "./dial-request.ts";
import { refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/** How a call stands that somebody answered: it cannot be taken back. */
const ANSWERED: ReadonlySet<DialView["state"]> = new Set(["joining", "joined", "left", "ended"]);

/**
 * `POST /api/tenants/:tenant/conferences/:name/participants`: calls somebody into the conference; 202 with how it stands, and
 * 200 where the same was asked before. `GET …/dials`, `…/dials/:id`: how the calls stand that were asked for, newest first; `after`
 * takes the `next` of the page before, and a page may be shorter than `limit`, or empty, and have a next one.
 * `DELETE …/dials/:id`: cancels it; 409 where somebody has answered.
 */
export function dialsRoutes(api: Api): void {
  route(api, "dialParticipant", (c, { params, body, answer }) =>
    answerFor(c, params.tenant, async (tenant) => {
      const id = body.id ?? crypto.randomUUID();
      c.set("noted", { target: { id } });
      const request = dialRequest(tenant, roomOf(tenant.tenant, params.name), body, id);
      if ("code" in request) {
        log("warn", "dial.refused", { tenant: tenant.tenant, code: request.code });
        return refusal(c, request.status, request.code, request.message);
      }
      const reply: DialReply = await askPart(sessionOf(c.env, tenant.project).dialer(), (dialer) =>
        dialer.request(request),
      );
      switch (reply.outcome) {
        case "made":
          return answer(202, reply.dial);
        case "known":
          return answer(200, reply.dial);
        case "conflict":
          return refusal(c, 409, "other_dial", `The id ${JSON.stringify(id)} is that of another call.`);
        case "locked":
          return refusal(c, 409, "locked", "The room is locked: unlock it first.");
        case "many":
          return refusal(c, 429, "too_many_dials", "A thousand calls wait for their turn already.");
        default:
          return reply satisfies never;
      }
    }),
  );
  route(api, "listDials", (c, { params, query, answer, sees }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const asked = Object.entries(query).filter(([, value]) => value !== undefined);
      // Without what was not asked for; the limit is always there.
      const page: DialsPage = await askPart(sessionOf(c.env, project).dialer(), (dialer) =>
        orOlder(dialer.page(tenant, Object.fromEntries(asked) as { limit: number }), async () => ({
          dials: await dialer.ofTenant(tenant),
          next: null,
        })),
      );
      return answer(200, { ...page, dials: page.dials.filter(({ room }) => sees(room)) });
    }),
  );
  route(api, "getDial", (c, { params, answer, sees }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const dial: DialView | null = await askPart(sessionOf(c.env, project).dialer(), (dialer) =>
        dialer.view(tenant, params.id),
      );
      return dial && sees(dial.room) ? answer(200, dial) : unknownDial(c);
    }),
  );
  route(api, "cancelDial", (c, { params, answer, sees }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const dial = await askPart(
        sessionOf(c.env, project).dialer(),
        async (dialer): Promise<DialView | null> => {
          // Its room never changes.
          const found: DialView | null = await dialer.view(tenant, params.id);
          return found && sees(found.room) ? await dialer.cancel(tenant, params.id) : null;
        },
      );
      if (!dial) return unknownDial(c);
      if (!ANSWERED.has(dial.state)) return answer(200, dial);
      const message = `It was answered before, and is ${dial.state}: end the call itself, POST …/calls/${dial.call_id}/end.`;
      return refusal(c, 409, "already_answered", message);
    }),
  );
}

function unknownDial(c: ApiContext): Response {
  return refusal(c, 404, "unknown_dial", "No such call was asked for, or it is forgotten by now.");
}
