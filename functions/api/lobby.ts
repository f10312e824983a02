import { askPart, sessionOf } from "../session-client.ts";
import type { Api, ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { findRoom } from "./room-name.ts";
import { type Asked, route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/** `POST /api/tenants/:tenant/conferences/:name/lobby/:call_id/admit` and `…/reject`: whether a caller is let in who waits for that. */
export function lobbyRoutes(api: Api): void {
  route(api, "admitWaiter", (c, { params, answer }) =>
    decide(c, params, "admit", () => answer(200, { call_id: params.call_id, verdict: "admit" })),
  );
  route(api, "rejectWaiter", (c, { params, answer }) =>
    decide(c, params, "reject", () => answer(200, { call_id: params.call_id, verdict: "reject" })),
  );
}

async function decide(
  c: ApiContext,
  { tenant: id, name, call_id }: Asked<"admitWaiter">["params"],
  verdict: "admit" | "reject",
  answer: () => Response,
): Promise<Response> {
  return await answerFor(c, id, async (tenant) => {
    const isDone = await findRoom(tenant, name, async (room) => {
      const request = { tenant: tenant.tenant, room, call_id };
      const isFound = await askPart(sessionOf(c.env, tenant.project).usher(), (usher) =>
        usher[verdict](request),
      );
      return isFound ? true : null;
    });
    if (isDone) return answer();
    return refusal(
      c,
      404,
      "unknown_waiter",
      "No such caller waits there for admission; GET the conference to see who does, under `waiting`.",
    );
  });
}
