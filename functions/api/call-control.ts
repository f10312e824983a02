import { type Context, Hono } from "hono";
import type { ControlReply } from "../session/operator/controls.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { refusal } from "./refusal.ts";
import { answerFor } from "./story-tenant.ts";

type ControlContext = Context<{ Bindings: Env }, "/:tenant/calls/:call_id/:act">;

/**
 * `POST /api/tenants/:tenant/calls/:call_id/end`: ends a call that machines may not end without evidence. `POST …/release-seat`: frees
 * the seat that a call holds, and does nothing to the call. Both are idempotent, and in the call's history.
 */
export const callControlRoute = new Hono<{ Bindings: Env }>().post(
  "/:tenant/calls/:call_id/:act{end|release-seat}",
  (c: ControlContext) =>
    answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const call_id = c.req.param("call_id");
      const request = { tenant, call_id };
      const isEnd = c.req.param("act") === "end";
      const reply: ControlReply = await askPart(sessionOf(c.env, project).control(), (control) =>
        isEnd ? control.end(request) : control.releaseSeat(request),
      );
      if (reply === null) {
        return refusal(
          c,
          404,
          "unknown_call",
          "No call of that id was placed for this tenant; GET the conference to see who is there.",
        );
      }
      return isEnd ? c.json({ call_id, ...reply }, 202) : c.json({ call_id, ...reply });
    }),
);
