import { type Context, Hono } from "hono";
import { askPart, sessionOf } from "../session-client.ts";
import { refusal } from "./refusal.ts";
import { findRoom } from "./room-name.ts";
import { answerFor } from "./story-tenant.ts";

type LobbyContext = Context<{ Bindings: Env }, "/:tenant/conferences/:name/lobby/:call_id/:verdict">;

/** `POST /api/tenants/:tenant/conferences/:name/lobby/:call_id/admit` and `…/reject`: whether a caller is let in who waits for that. */
export const lobbyRoute = new Hono<{ Bindings: Env }>().post(
  "/:tenant/conferences/:name/lobby/:call_id/:verdict{admit|reject}",
  (c: LobbyContext) =>
    answerFor(c, c.req.param("tenant"), async (tenant) => {
      const call_id = c.req.param("call_id");
      const verdict = c.req.param("verdict") === "admit" ? "admit" : "reject";
      const isDone = await findRoom(tenant, c.req.param("name"), async (room) => {
        const request = { tenant: tenant.tenant, room, call_id };
        const isFound = await askPart(sessionOf(c.env, tenant.project).usher(), (usher) =>
          usher[verdict](request),
        );
        return isFound ? true : null;
      });
      if (isDone) return c.json({ call_id, verdict });
      return refusal(
        c,
        404,
        "unknown_waiter",
        "No such caller waits there for admission; GET the conference to see who does, under `waiting`.",
      );
    }),
);
