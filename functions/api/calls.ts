import { Hono } from "hono";
import * as z from "zod";
import type { Story } from "../session/operator/call-history.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { answerFor } from "./story-tenant.ts";
import { traceOf } from "./trace.ts";

const text = z.string().min(1).max(200).optional();

const callsQuery = z.strictObject({
  after: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  room: text,
  rule: text,
  outcome: text,
  from: text,
});

const storyQuery = z.strictObject({
  trace: z.literal("full").optional(),
  after: z
    .string()
    .regex(/^\d{0,16}\.\d{0,16}$/)
    .optional(),
});

/**
 * `GET /api/tenants/:tenant/calls`: calls, newest first; `after` takes the `next` of the page before, and `room` (on the wire),
 * `rule`, `outcome` and `from` filter. A page may be shorter than `limit`, or empty, and have a next one.
 * `GET …/calls/:call_id`: all that is known of a call, in order; `?trace=full` computes its decisions again. Of a long story `next`
 * brings the rest, as `after`.
 */
export const callsRoute = new Hono<{ Bindings: Env }>()
  .get("/:tenant/calls", (c) => {
    const query = callsQuery.safeParse(c.req.query());
    if (!query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    return answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const asked = Object.entries(query.data).filter(([, value]) => value !== undefined);
      // Without what was not asked for; the limit is always there.
      const page = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.calls(tenant, Object.fromEntries(asked) as { limit: number }),
      );
      return c.json(page);
    });
  })
  .get("/:tenant/calls/:call_id", (c) => {
    const query = storyQuery.safeParse(c.req.query());
    if (!query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    const isFull = query.data.trace === "full";
    const call_id = c.req.param("call_id");
    return answerFor(c, c.req.param("tenant"), async (tenant) => {
      const story: Story | null = await askPart(sessionOf(c.env, tenant.project).archive(), (archive) =>
        archive.story(tenant.tenant, call_id, {
          with_rulesets: isFull,
          ...(query.data.after === undefined ? {} : { after: query.data.after }),
        }),
      );
      if (!story) {
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
        call: call === null ? null : (JSON.parse(call) as object),
        left_out,
      }));
      const trace = isFull ? { trace: await Promise.all(decided.map((one) => traceOf(tenant, one))) } : {};
      return c.json({ ...told, kept, ...trace });
    });
  });
