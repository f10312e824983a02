import { type Context, Hono } from "hono";
import { writeCxml } from "../../shared/documents/write-cxml.ts";
import { openMove } from "../../shared/move-ticket.ts";
import { log } from "../log.ts";
import { refuse } from "../refusals.ts";
import { sealKeysOf } from "../tenants/tenant.ts";
import { callbackOwner } from "./callback-owner.ts";

/**
 * `GET|POST /hooks/:tenant/moved`: the document of a cXML call that an operator moves. REST is told this URL; the ticket in it says where
 * the call goes, for a minute.
 */
export const movedHook = new Hono<{ Bindings: Env }>().on(["GET", "POST"], "/:tenant/moved", (c) =>
  answerMoved(c, c.req.param("tenant")),
);

async function answerMoved(c: Context<{ Bindings: Env }>, id: string): Promise<Response> {
  const tenant = await callbackOwner(c, id);
  if (tenant instanceof Response) return tenant;
  const { ticket = "", call = "" } = c.req.query();
  const to =
    tenant &&
    (await openMove(
      await sealKeysOf(c.env.CREDENTIALS_KEY, tenant.project),
      { tenant: id, call_id: call },
      ticket,
      Date.now(),
    ));
  if (!to) return await refuse(c, "callback.refused", id, "no such tenant, or no ticket of its");
  const written = writeCxml({ does: "join", ...to, staying: { params: {} } }, true);
  if (!written.ok) log("error", "document.refused", { tenant: id, path: written.path, why: written.why });
  return c.body(written.body, 200, { "content-type": "text/xml; charset=utf-8" });
}
