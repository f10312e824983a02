import { type Context, Hono } from "hono";
import { writeWords } from "../../shared/documents/write-cxml.ts";
import { openTicket } from "../../shared/notice-ticket.ts";
import { tellNoticeFetched } from "../call-flow/ask-session.ts";
import { log } from "../log.ts";
import { refuse } from "../refusals.ts";
import { RpcSession } from "../session-client.ts";
import { sealKeysOf } from "../tenants/tenant.ts";
import { callbackOwner } from "./callback-owner.ts";

/**
 * `GET|POST /hooks/:tenant/notice`: what those hear who are in a conference when its recording begins. REST is told this URL; the ticket
 * in it says what is heard, for a minute, in that conference alone.
 */
export const noticeHook = new Hono<{ Bindings: Env }>().on(["GET", "POST"], "/:tenant/notice", (c) =>
  answerNotice(c, c.req.param("tenant")),
);

async function answerNotice(c: Context<{ Bindings: Env }>, id: string): Promise<Response> {
  const tenant = await callbackOwner(c, id);
  if (tenant instanceof Response) return tenant;
  const { ticket = "", conference = "" } = c.req.query();
  const words =
    tenant &&
    (await openTicket(
      await sealKeysOf(c.env.CREDENTIALS_KEY, tenant.project),
      { tenant: id, conference },
      ticket,
      Date.now(),
    ));
  if (!words) return await refuse(c, "callback.refused", id, "no such tenant, or no ticket of its");
  const written = writeWords(words);
  c.executionCtx.waitUntil(tellNoticeFetched(new RpcSession(c.env, tenant.project), tenant, conference));
  if (!written.ok) log("error", "document.refused", { tenant: id, path: written.path, why: written.why });
  return c.body(written.body, 200, { "content-type": "text/xml; charset=utf-8" });
}
