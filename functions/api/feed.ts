import * as z from "zod";
import { TICKET_PREFIX } from "../../shared/api/feed.ts";
import { isOverLimit } from "../refusals.ts";
import type { FeedGrant, FeedTicket } from "../session/contract/feed.ts";
import { askPart, sessionOf } from "../session-client.ts";
import type { Caller } from "./caller.ts";
import type { Api, ApiContext } from "./context.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/** A ticket among the subprotocols: 32 bytes. */
const TICKET = new RegExp(`(^|,\\s*)${TICKET_PREFIX}[A-Za-z0-9_-]{43}(\\s*,|$)`);

const feedQuery = z.strictObject({ after: z.coerce.number().int().nonnegative().optional() });

/** `POST /api/tenants/:tenant/feed/tickets`: a ticket that opens the feed once, within a minute, for what its token may see. */
export function feedRoutes(api: Api): void {
  route(api, "createFeedTicket", (c, { params, answer }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const grant = grantOf(c.get("caller"));
      const ticket: FeedTicket = await askPart(sessionOf(c.env, project).feed(), (feed) =>
        feed.ticket(tenant, grant),
      );
      return answer(201, ticket);
    }),
  );
}

/**
 * `GET /api/tenants/:tenant/feed?after=`: the feed, as a WebSocket. Its ticket comes in a subprotocol: a URL is logged on its way, and
 * a browser sends no header with a WebSocket. It is in no table of paths, which are asked with tokens.
 */
export function feedSocketRoute(api: Api): void {
  api.get("/tenants/:tenant/feed", async (c) => {
    const query = feedQuery.safeParse(c.req.query());
    if (!query.success)
      return refusal(c, 400, "bad_request", faultsOf(query.error, c.req.query(), "the query"));
    if (c.req.header("upgrade")?.toLowerCase() !== "websocket")
      return refusal(
        c,
        426,
        "no_websocket",
        "The feed is a WebSocket: connect with the ticket in a subprotocol.",
      );
    const protocols = c.req.header("sec-websocket-protocol") ?? "";
    // What is no ticket wakes no session.
    if (!TICKET.test(protocols)) return await badTicket(c);
    const response = await answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const { after } = query.data;
      const url = new URL("https://session/feed");
      url.searchParams.set("tenant", tenant);
      if (after !== undefined) url.searchParams.set("after", String(after));
      return await sessionOf(c.env, project).fetch(url, {
        headers: { upgrade: "websocket", "sec-websocket-protocol": protocols },
      });
    });
    switch (response.status) {
      // A tenant that is not there is refused as one that is.
      case 401:
      case 404:
        return await badTicket(c);
      case 429:
        return refusal(c, 429, "too_many_feeds", "Too many clients listen to this tenant's feed already.");
      case 507:
        return refusal(c, 503, "storage_full", "The project's session has no room to keep events.");
      default:
        return response;
    }
  });
}

async function badTicket(c: ApiContext): Promise<Response> {
  if (await isOverLimit(c))
    return refusal(c, 429, "too_many_requests", "Too many wrong tickets: wait a minute.");
  return refusal(
    c,
    401,
    "bad_ticket",
    "The ticket is unknown, was used, or is over a minute old: POST …/feed/tickets for another.",
  );
}

function grantOf(caller: Caller): FeedGrant {
  if (caller.kind === "admin")
    return { token: null, scopes: null, rooms: null, mask_numbers: false, expires_at: null };
  const { kind, token, scopes, rooms, mask_numbers, expires_at } = caller;
  return { token: kind === "token" ? token : null, scopes, rooms, mask_numbers, expires_at };
}
