import { describeError, log } from "../log.ts";
import { deleteRecording, sidToDelete } from "../rest-recordings.ts";
import type { RecordingsPage, RecordingsQuery } from "../session/store/recordings.ts";
import { isOpen } from "../session/store/recordings.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { namesOf } from "../tenants/room-naming.ts";
import type { Api } from "./context.ts";
import { refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

const REST_MS = 4_000;

/**
 * `GET /api/tenants/:tenant/recordings`: recordings, the newest first; `conference` (as the rules spell the name, or on the wire),
 * `conference_id`, `since` and `until` filter, and `after` takes the `next` of the page before. `DELETE …/recordings/:id`: removes
 * what is kept of one; with `?at=signalwire` SignalWire's recording first.
 */
export function recordingsRoutes(api: Api): void {
  route(api, "listRecordings", (c, { params, query: { conference, ...rest }, answer, sees }) =>
    answerFor(c, params.tenant, async ({ tenant, project }) => {
      const [room, other_room] =
        conference === undefined ? [] : namesOf({ tenant, project }, roomOf(tenant, conference));
      // No room can have such a name.
      if (conference !== undefined && room === undefined) return answer(200, { recordings: [], next: null });
      const asked = Object.entries({ ...rest, room, other_room }).filter(([, value]) => value !== undefined);
      const page: RecordingsPage = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        // Without what was not asked for; the limit is always there.
        archive.recordings(tenant, Object.fromEntries(asked) as unknown as RecordingsQuery),
      );
      return answer(200, { ...page, recordings: page.recordings.filter((one) => sees(one.room)) });
    }),
  );
  route(api, "deleteRecording", (c, { params: { tenant: whose, id }, query, sees }) =>
    answerFor(c, whose, async ({ tenant, project }) => {
      const found = await askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.recording(tenant, id),
      );
      if (!found || !sees(found.room))
        return refusal(c, 404, "unknown_recording", "Nothing is kept of such a recording.");
      if (isOpen(found)) {
        return refusal(c, 409, "still_recording", "Its end is still to come; it can be deleted after that.");
      }
      if (query.at === "signalwire") {
        try {
          const signal = AbortSignal.timeout(REST_MS);
          const sid = await sidToDelete(project, found, signal);
          if (sid === null) {
            const why =
              "SignalWire lists no recording that is this one for certain; nothing was deleted. Without ?at=signalwire what Partyline keeps of it is removed.";
            return refusal(c, 409, "not_listed", why);
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
      const forgotten = askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.forgetRecording(tenant, id),
      );
      // SignalWire has deleted it: what we keep goes, too, however long the answer may take.
      c.executionCtx.waitUntil(forgotten.catch(() => {}));
      await forgotten;
      return c.body(null, 204);
    }),
  );
}
