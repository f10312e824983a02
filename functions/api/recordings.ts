import { Hono } from "hono";
import * as z from "zod";
import { describeError, log } from "../log.ts";
import { deleteRecording, listRecordings } from "../rest-recordings.ts";
import type { RecordingsQuery } from "../session/recordings.ts";
import { isOpen } from "../session/recordings.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { faultsOf, refusal } from "./refusal.ts";
import { findRoom } from "./room-name.ts";
import { answerFor } from "./story-tenant.ts";

const REST_MS = 4_000;

/** Milliseconds since the epoch, or an ISO 8601 date and time. */
const instant = z.union([
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number),
  z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
]);

const recordingsQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,16}\.\d{1,16}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  conference: z.string().min(1).max(200).optional(),
  conference_id: z.string().min(1).max(256).optional(),
  since: instant.optional(),
  until: instant.optional(),
});

const deleteQuery = z.strictObject({ at: z.literal("signalwire").optional() });

/**
 * `GET /api/tenants/:tenant/recordings`: recordings, the newest first; `conference` (as the rules spell the name, or on the wire),
 * `conference_id`, `since` and `until` filter, and `after` takes the `next` of the page before. `DELETE …/recordings/:id`: removes
 * what is kept of one; with `?at=signalwire` SignalWire's recording first.
 */
export const recordingsRoute = new Hono<{ Bindings: Env }>()
  .get("/:tenant/recordings", (c) => {
    const query = recordingsQuery.safeParse(c.req.query());
    if (!query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    return answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const { conference, ...rest } = query.data;
      const ask = async (room?: string) => {
        const asked = Object.entries({ ...rest, room }).filter(([, value]) => value !== undefined);
        return await askPart(sessionOf(c.env, project).archive(), (archive) =>
          // Without what was not asked for; the limit is always there.
          archive.recordings(tenant, Object.fromEntries(asked) as unknown as RecordingsQuery),
        );
      };
      if (conference === undefined) return c.json(await ask());
      const found = await findRoom({ tenant, project }, conference, async (room) => {
        const page = await ask(room);
        return page.recordings.length > 0 || page.next !== null ? page : null;
      });
      return c.json(found ?? { recordings: [], next: null });
    });
  })
  .delete("/:tenant/recordings/:id", (c) => {
    const query = deleteQuery.safeParse(c.req.query());
    if (!query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    const id = c.req.param("id");
    return answerFor(c, c.req.param("tenant"), async ({ tenant, project }) => {
      const found = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.recording(tenant, id),
      );
      if (!found) return refusal(c, 404, "unknown_recording", "Nothing is kept of such a recording.");
      if (isOpen(found)) {
        return refusal(c, 409, "still_recording", "Its end is still to come; it can be deleted after that.");
      }
      if (query.data.at === "signalwire") {
        try {
          const signal = AbortSignal.timeout(REST_MS);
          const ids = [found.conference_sid, found.conference_id].filter((one) => one !== null);
          const asked = { ids, sid: null, room: found.room, live_at: found.started_at };
          const listed = found.sid === null ? await listRecordings(project, asked, signal) : [];
          // Of several nothing says which one is meant, and no other may be deleted.
          const sid = found.sid ?? (listed.length === 1 ? listed[0]?.sid : undefined);
          if (sid === undefined) {
            return refusal(c, 409, "not_listed", "SignalWire lists no recording of this conference.");
          }
          await deleteRecording(project, sid, signal);
        } catch (error) {
          log("warn", "recording.not_deleted", { tenant, error: describeError(error) });
          return refusal(
            c,
            502,
            "signalwire_refused",
            `SignalWire did not delete it: ${describeError(error)}`,
          );
        }
      }
      await askPart(sessionOf(c.env, project).archive(), (archive) => archive.forgetRecording(tenant, id));
      return c.body(null, 204);
    });
  });
