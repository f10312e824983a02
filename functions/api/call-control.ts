import type { ControlReply, ControlRequest } from "../session/operator/controls.ts";
import { askPart, sessionOf } from "../session-client.ts";
import type { Api, ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/**
 * `POST /api/tenants/:tenant/calls/:call_id/end`: ends a call that machines may not end without evidence. `POST …/release-seat`: frees
 * the seat that a call holds, and does nothing to the call. Both are idempotent, and in the call's history.
 */
export function callControlRoutes(api: Api): void {
  route(api, "endCall", (c, { params: { tenant, call_id }, answer }) =>
    control(c, { tenant, call_id }, "end", (changed) => answer(202, { call_id, changed })),
  );
  route(api, "releaseSeat", (c, { params: { tenant, call_id }, answer }) =>
    control(c, { tenant, call_id }, "releaseSeat", (changed) => answer(200, { call_id, changed })),
  );
}

async function control(
  c: ApiContext,
  request: ControlRequest,
  act: "end" | "releaseSeat",
  answer: (changed: boolean) => Response,
): Promise<Response> {
  const caller = c.get("caller");
  const rooms = caller.kind === "admin" ? null : caller.rooms;
  const whole = rooms === null ? request : { ...request, rooms };
  return await answerFor(c, request.tenant, async ({ project }) => {
    const reply: ControlReply = await askPart(sessionOf(c.env, project).control(), (session) =>
      act === "end" ? session.end(whole) : session.releaseSeat(whole),
    );
    if (reply) return answer(reply.changed);
    return refusal(
      c,
      404,
      "unknown_call",
      "No call of that id was placed for this tenant; GET the conference to see who is there.",
    );
  });
}
