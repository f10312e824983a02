import type { CallsPage, Story } from "../session/operator/call-history.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { namesOf } from "../tenants/room-naming.ts";
import type { Api } from "./context.ts";
import { recordingFor } from "./recording-view.ts";
import { refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";
import { traceOf } from "./trace.ts";

/**
 * `GET /api/tenants/:tenant/calls`: calls, newest first; `after` takes the `next` of the page before, and `room` (as the rules spell the
 * name, or on the wire), `rule`, `outcome` and `from` filter. A page may be shorter than `limit`, or empty, and have a next one.
 * `GET …/calls/:call_id`: all that is known of a call, in order; `?trace=full` computes its decisions again. Of a long story `next`
 * brings the rest, as `after`.
 */
export function callsRoutes(api: Api): void {
  route(api, "listCalls", (c, { params, query, answer, sees }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const caller = c.get("caller");
      if (query.from !== undefined && caller.kind !== "admin" && caller.mask_numbers)
        return refusal(c, 403, "scope", "This token sees no numbers, so it may not ask for one.");
      const { room: named, ...rest } = query;
      const [room, other_room] =
        named === undefined ? [] : namesOf({ tenant, project }, roomOf(tenant, named));
      // No room can have such a name.
      if (named !== undefined && room === undefined) return answer(200, { calls: [], next: null });
      const asked = Object.entries({ ...rest, room, other_room }).filter(([, value]) => value !== undefined);
      // Without what was not asked for; the limit is always there.
      const page: CallsPage = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.calls(tenant, Object.fromEntries(asked) as { limit: number }),
      );
      return answer(200, { ...page, calls: page.calls.filter(({ room }) => sees(room)) });
    }),
  );
  route(api, "getCall", (c, { params: { tenant: id, call_id }, query, answer, sees }) => {
    const isFull = query.trace === "full";
    return answerFor(c, id, async (tenant) => {
      const story: Story | null = await askPart(sessionOf(c.env, tenant.project).archive(), (archive) =>
        archive.story(tenant.tenant, call_id, {
          with_rulesets: isFull,
          ...(query.after === undefined ? {} : { after: query.after }),
        }),
      );
      if (!story || !sees(story.room)) {
        return refusal(
          c,
          404,
          "unknown_call",
          "Nothing is kept of such a call; calls are kept for seven days, or as session.keep_days of the project says.",
        );
      }
      const { decided, ...told } = story;
      const kept = decided.map(({ step, call, left_out }) => ({
        step,
        // As the journal has it: a `KeptCall`.
        call: call === null ? null : (JSON.parse(call) as Record<string, unknown>),
        left_out,
      }));
      const trace = isFull
        ? { trace: await Promise.all(decided.map((one) => traceOf(c.env, tenant, one))) }
        : {};
      const happened = told.happened.filter((one) => !("room" in one) || one.room === null || sees(one.room));
      const recordings = told.recordings
        .filter(({ room }) => sees(room))
        .map((one) => recordingFor(c.get("caller"), one));
      return answer(200, { ...told, happened, recordings, kept, ...trace });
    });
  });
}
