import { describeError, log } from "../log.ts";
import { copyKey } from "../recording-copy.ts";
import { openMedia, passOn, readRange } from "../recording-media.ts";
import type { KeptRecording } from "../session/operator/call-history.ts";
import { isOpen } from "../session/store/recordings.ts";
import { askPart, sessionOf } from "../session-client.ts";
import type { Project } from "../tenants/tenant.ts";
import type { Api, ApiContext } from "./context.ts";
import { refusal } from "./refusal.ts";
import { route } from "./route.ts";
import { answerFor } from "./story-tenant.ts";

/** SignalWire's answer is waited for so long. */
const OPEN_MS = 15_000;
/** And all that is before the sound. */
const ANSWER_MS = 25_000;
/** Headers of the sound that are passed on. */
const PASSED = ["content-type", "content-range", "accept-ranges", "etag", "last-modified"];
const ENDINGS: Readonly<Record<string, string>> = { "audio/mpeg": "mp3", "audio/mp3": "mp3" };

/**
 * `GET /api/tenants/:tenant/recordings/:id/media`: the sound, from the Worker's bucket if a copy is there, else from SignalWire by way of
 * the Worker. The listener learns no URL of SignalWire's. `Range` asks for a part.
 */
export function recordingMediaRoutes(api: Api): void {
  route(api, "getRecordingMedia", (c, { params: { tenant: whose, id }, sees }) =>
    answerFor(
      c,
      whose,
      async ({ tenant, project }) => {
        const found: KeptRecording | null = await askPart(sessionOf(c.env, project).archive(), (archive) =>
          archive.recording(tenant, id),
        );
        if (!found || !sees(found.room))
          return refusal(c, 404, "unknown_recording", "Nothing is kept of such a recording.");
        if (isOpen(found))
          return refusal(c, 409, "still_recording", "Its end is still to come; there is sound after that.");
        const range = readRange(c.req.header("range"));
        const copied = await fromBucket(c, project, found, range);
        return copied ?? (await fromSignalWire(c, project, found, range));
      },
      ANSWER_MS,
    ),
  );
}

/** null: there is no copy, and SignalWire is asked. */
async function fromBucket(
  c: ApiContext,
  { project_id }: Project,
  { id, tenant, copy }: KeptRecording,
  range: string | null,
): Promise<Response | null> {
  const { RECORDINGS } = c.env;
  if (!RECORDINGS || !copy) return null;
  const { size_bytes } = copy;
  const part = range === null ? { offset: 0, length: size_bytes } : partOf(range, size_bytes);
  if (!part) return unsatisfiable(c, `bytes */${size_bytes}`);
  try {
    const asked = range === null ? {} : { range: part };
    const object = await RECORDINGS.get(copyKey(project_id, tenant, id), asked);
    // Somebody deleted it by hand.
    if (!object) return null;
    const headers = headersOf(id, object.httpMetadata?.contentType ?? "audio/x-wav");
    headers.set("accept-ranges", "bytes");
    headers.set("etag", object.httpEtag);
    if (range !== null)
      headers.set("content-range", `bytes ${part.offset}-${part.offset + part.length - 1}/${size_bytes}`);
    return new Response(object.body, { status: range === null ? 200 : 206, headers });
  } catch (error) {
    log("warn", "recording.copy_unreadable", { tenant, recording: id, error: describeError(error) });
    return null;
  }
}

async function fromSignalWire(
  c: ApiContext,
  project: Project,
  recorded: KeptRecording,
  range: string | null,
): Promise<Response> {
  const { id, tenant, state } = recorded;
  if (state === "absent" || state === "failed")
    return refusal(c, 404, "no_media", "There is no sound of it: nothing was recorded.");
  const media = await openMedia(project, recorded, range, AbortSignal.timeout(OPEN_MS));
  if (media.status === 416) return unsatisfiable(c, media.content_range);
  if (!media.ok) {
    log("warn", "recording.not_played", { tenant, recording: id, error: media.why });
    return refusal(c, 502, "signalwire_refused", `SignalWire did not give its sound: ${media.why}.`);
  }
  const headers = headersOf(id, media.headers.get("content-type") ?? "application/octet-stream");
  for (const name of PASSED) {
    const value = media.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(passOn(media), { status: media.status, headers });
}

/** No browser takes it for a page of the Worker's. */
function headersOf(id: string, type: string): Headers {
  const [plain = ""] = type.split(";");
  return new Headers({
    "content-type": type,
    "content-disposition": `attachment; filename="${id}.${ENDINGS[plain.trim().toLowerCase()] ?? "wav"}"`,
    "content-security-policy": "sandbox; default-src 'none'",
  });
}

function unsatisfiable(c: ApiContext, content_range: string | null): Response {
  if (content_range !== null) c.header("content-range", content_range);
  return refusal(c, 416, "bad_range", "The recording has no such part.");
}

/** What a `Range` that was read asks for; null: there is no such part. */
function partOf(range: string, size: number): { offset: number; length: number } | null {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  const offset = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1);
  return offset < end ? { offset, length: end - offset } : null;
}
