import { describeError, log } from "../log.ts";
import { copyKey } from "../recording-copy.ts";
import { deleteRecording, sidForCertain } from "../rest-recordings.ts";
import type { RecordingsPage, RecordingsQuery } from "../session/store/recordings.ts";
import { isOpen } from "../session/store/recordings.ts";
import { askPart, sessionOf } from "../session-client.ts";
import { namesOf } from "../tenants/room-naming.ts";
import type { Api } from "./context.ts";
import { recordingFor } from "./recording-view.ts";
import { refusal } from "./refusal.ts";
import { roomOf } from "./room-name.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

const REST_MS = 4_000;

/**
 * `GET /api/tenants/:tenant/recordings`: recordings, the newest first; `conference` (as the rules spell the name, or on the wire),
 * `conference_id`, `since` and `until` filter, and `after` takes the `next` of the page before. `DELETE …/recordings/:id`: removes
 * what is kept of one, the copy of its sound included; with `?at=signalwire` SignalWire's recording first.
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
      const shown = page.recordings.filter((one) => sees(one.room));
      return answer(200, { ...page, recordings: shown.map((one) => recordingFor(c.get("caller"), one)) });
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
          const sid = await sidForCertain(project, found, signal);
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
      try {
        await c.env.RECORDINGS?.delete(copyKey(project.project_id, tenant, id));
      } catch (error) {
        log("warn", "recording.copy_not_deleted", { tenant, recording: id, error: describeError(error) });
        const why = `The copy was not deleted, and nothing was removed here: ${describeError(error)}`;
        return refusal(c, 502, "copy_not_deleted", why);
      }
      const forgotten = askPart(sessionOf(c.env, project).archive(), (archive) =>
        archive.forgetRecording(tenant, id),
      );
      // The sound is deleted: what we keep goes, too, however long the answer may take.
      c.executionCtx.waitUntil(forgotten.catch(() => {}));
      await forgotten;
      return c.body(null, 204);
    }),
  );
}
