import { type Context, Hono } from "hono";
import { writeWords } from "../../shared/documents/write-cxml.ts";
import { openTicket } from "../../shared/notice-ticket.ts";
import { findOwner, type Owner } from "../directory.ts";
import { describeError, log } from "../log.ts";
import { refuse } from "../refusals.ts";
import { sealKeysOf } from "../seal-keys-of.ts";
import { within } from "../within.ts";

/** SignalWire reads for 5 s. */
const DIRECTORY_MS = 3_000;

/**
 * `GET|POST /hooks/:tenant/notice`: what those hear who are in a conference when its recording begins. REST is told this URL; the ticket
 * in it says what is heard, for a minute, in that conference alone.
 */
export const noticeHook = new Hono<{ Bindings: Env }>().on(["GET", "POST"], "/:tenant/notice", (c) =>
  answerNotice(c, c.req.param("tenant")),
);

async function answerNotice(c: Context<{ Bindings: Env }>, id: string): Promise<Response> {
  let tenant: Owner | null;
  try {
    tenant = await within(
      DIRECTORY_MS,
      findOwner(c.env, id, (work) => c.executionCtx.waitUntil(work)),
    );
  } catch (error) {
    log("error", "directory.unreadable", { tenant: id, error: describeError(error) });
    return c.text("Try again.", 503);
  }
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
  if (!written.ok) log("error", "document.refused", { tenant: id, path: written.path, why: written.why });
  return c.body(written.body, 200, { "content-type": "text/xml; charset=utf-8" });
}
