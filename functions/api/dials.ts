import { type Context, Hono } from "hono";
import * as z from "zod";
import { log } from "../log.ts";
import { type DialReply, type DialView, dialShown } from "../session/contract/dial.ts";
import { askPart, orOlder, sessionOf } from "../session-client.ts";
import { readBody } from "../webhooks/read-body.ts";
import { dialBody, dialRequest } from "./dial-request.ts";
import { jsonOf } from "./json-body.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { answerFor } from "./story-tenant.ts";

/** Bytes. */
const BODY_LIMIT = 65_536;

const dialsQuery = z.strictObject({
  state: dialShown.optional(),
  after: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(200),
});

/**
 * `POST /api/tenants/:tenant/conferences/:name/participants`: calls somebody into the conference; 202 with how it stands, and
 * 200 where the same was asked before. `GET …/dials`, `…/dials/:id`: how the calls stand that were asked for, newest first; `after`
 * takes the `next` of the page before, and a page may be shorter than `limit`, or empty, and have a next one.
 * `DELETE …/dials/:id`: not to be called after all; who has answered stays.
 */
export const dialsRoute = new Hono<{ Bindings: Env }>()
  .post("/:tenant/conferences/:name/participants", (c) =>
    answerFor(c, c.req.param("tenant"), async (tenant) => {
      const raw = await readBody(c.req.raw, BODY_LIMIT);
      if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${BODY_LIMIT} bytes.`);
      const body = dialBody.safeParse(jsonOf(raw));
      if (!body.success) {
        return refusal(c, 422, "bad_request", faultsOf(body.error, "the body"));
      }
      const id = body.data.id ?? crypto.randomUUID();
      const request = dialRequest(tenant, roomOf(tenant.tenant, c.req.param("name")), body.data, id);
      if ("code" in request) {
        log("warn", "dial.refused", { tenant: tenant.tenant, code: request.code });
        return refusal(c, request.status, request.code, request.message);
      }
      const reply: DialReply = await askPart(sessionOf(c.env, tenant.project).dialer(), (dialer) =>
        dialer.request(request),
      );
      switch (reply.outcome) {
        case "made":
          return c.json(reply.dial, 202);
        case "known":
          return c.json(reply.dial, 200);
        case "conflict":
          return refusal(c, 409, "other_dial", `The id ${JSON.stringify(id)} is that of another call.`);
        case "many":
          return refusal(c, 429, "too_many_dials", "A thousand calls wait for their turn already.");
        default:
          return reply satisfies never;
      }
    }),
  )
  .get("/:tenant/dials", (c) => {
    const query = dialsQuery.safeParse(c.req.query());
    if (!query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    const asked = Object.entries(query.data).filter(([, value]) => value !== undefined);
    return answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      // Without what was not asked for; the limit is always there.
      const page = await askPart(sessionOf(c.env, project).dialer(), (dialer) =>
        orOlder(dialer.page(tenant, Object.fromEntries(asked) as { limit: number }), async () => ({
          dials: await dialer.ofTenant(tenant),
          next: null,
        })),
      );
      return c.json(page);
    });
  })
  .get("/:tenant/dials/:id", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) =>
      shown(
        c,
        await askPart(sessionOf(c.env, project).dialer(), (dialer) => dialer.view(tenant, c.req.param("id"))),
      ),
    ),
  )
  .delete("/:tenant/dials/:id", (c) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) =>
      shown(
        c,
        await askPart(sessionOf(c.env, project).dialer(), (dialer) =>
          dialer.cancel(tenant, c.req.param("id")),
        ),
      ),
    ),
  );

function shown(c: Context, dial: DialView | null): Response {
  return dial
    ? c.json(dial)
    : refusal(c, 404, "unknown_dial", "No such call was asked for, or it is forgotten by now.");
}
