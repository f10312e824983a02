import { describeError } from "./log.ts";
import { accountPath } from "./rest.ts";
import { type Identifiable, sidForCertain } from "./rest-recordings.ts";
import type { Project } from "./tenants/tenant.ts";

/** Where SignalWire's pages say that recordings are, beside the project's own space. */
const FILES_HOST = "files.signalwire.com";
/** What stands behind it, as SignalWire's examples link it: a bucket of that name. */
const FILES_BUCKET = /^https:\/\/s3[.-][a-z0-9-]+\.amazonaws\.com\/files\.signalwire\.com\//;
/** One recording, as the compatibility API serves its sound. */
const SOUND_PATH = /\/Recordings\/([A-Za-z0-9_-]{1,64})(?:\.(?:wav|mp3))?$/;
const REDIRECTS = 3;
/** More than a day of sound as a WAV file. */
export const MOST_BYTES = 4 * 2 ** 30;
/** A transfer takes no longer. */
const TRANSFER_MS = 3_600_000;

/** What is known of where the sound is. */
export interface Recorded extends Identifiable {
  /** As SignalWire's events and lists have it: nothing that was received there is trusted. */
  url: string | null;
}

type Place = Pick<Recorded, "url" | "sid">;

/** Sound that has begun to come. */
export interface Sound {
  ok: true;
  status: 200 | 206;
  headers: Headers;
  body: ReadableStream<Uint8Array>;
  /** Bytes; null: SignalWire does not say. */
  length: number | null;
  /** Ends the connection, which breaks the body. */
  stop(why: string): void;
}

/** The sound, or why SignalWire did not give it. */
export type Media =
  | Sound
  | { ok: false; status: 416; content_range: string | null }
  | { ok: false; status: null; why: string };

/**
 * Opens a recording's sound at SignalWire. The project's credentials go to its own space and there for this recording alone; no other
 * host is asked than those that SignalWire names. Never rejects; the body may break.
 * @param range a `Range` header; null: the whole.
 * @param signal for the time until the headers are here.
 */
export async function openMedia(
  project: Project,
  recorded: Recorded,
  range: string | null,
  signal: AbortSignal,
): Promise<Media> {
  const told = await openPlaces(project, recorded, range, signal);
  if (told.status !== null || recorded.sid !== null || signal.aborted) return told;
  // RELAY's events tell no id, and a URL may be good no more: SignalWire's lists may know the one recording that is meant.
  const sid = await sidForCertain(project, recorded, signal).catch(() => null);
  return sid === null ? told : await openPlaces(project, { url: null, sid }, range, signal);
}

async function openPlaces(
  project: Project,
  place: Place,
  range: string | null,
  signal: AbortSignal,
): Promise<Media> {
  let why = "nothing says where it is";
  for (const url of placesOf(project, place)) {
    const media = await openAt(project, place, url, range, signal);
    if (media.status !== null) return media;
    why = media.why;
    if (signal.aborted) break;
  }
  return failed(why);
}

/** A `Range` that can be passed on: one range of bytes. */
export function readRange(header: string | undefined): string | null {
  return /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/.test(header ?? "") ? (header ?? null) : null;
}

/** Where the sound may be, the likelier one first. */
function placesOf(project: Project, recorded: Place): URL[] {
  const told = recorded.url === null ? null : URL.parse(recorded.url);
  const own =
    recorded.sid === null
      ? null
      : new URL(`${accountPath(project)}/Recordings/${encodeURIComponent(recorded.sid)}`, project.rest_url);
  const places = [told, own].filter((url) => url !== null).filter((url) => isPlace(project, recorded, url));
  return places.filter(({ href }, index) => places.findIndex((one) => one.href === href) === index);
}

function isPlace(project: Project, recorded: Place, url: URL): boolean {
  if (url.username !== "" || url.password !== "") return false;
  return isOwn(project, recorded, url) || isFiles(url);
}

/** This recording's path in the project's space: any other there would be read with the project's credentials. */
function isOwn(project: Project, { sid }: Place, url: URL): boolean {
  if (url.origin !== new URL(project.rest_url).origin || url.search !== "") return false;
  const [, named] = SOUND_PATH.exec(url.pathname) ?? [];
  const isOfAccount = url.pathname.startsWith(`${accountPath(project)}/Recordings/`);
  return isOfAccount && named !== undefined && (sid === null || named === sid);
}

function isFiles({ protocol, host, href }: URL): boolean {
  return (protocol === "https:" && host === FILES_HOST) || FILES_BUCKET.test(href);
}

async function openAt(
  project: Project,
  recorded: Place,
  first: URL,
  range: string | null,
  signal: AbortSignal,
): Promise<Media> {
  const reading = new AbortController();
  const stop = () => reading.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    let url = first;
    for (let hops = 0; hops <= REDIRECTS; hops += 1) {
      const response = await fetch(url, {
        headers: headersFor(project, recorded, url, range),
        redirect: "manual",
        signal: reading.signal,
      });
      if (response.status < 300 || response.status >= 400)
        return await mediaOf(response, range, (why) => reading.abort(new Error(why)));
      await response.body?.cancel();
      const next = URL.parse(response.headers.get("location") ?? "", url);
      if (!next || !isPlace(project, recorded, next)) return failed("it was sent on to another host");
      url = next;
    }
    return failed("it was sent on too often");
  } catch (error) {
    return failed(describeError(error));
  } finally {
    // The body takes its own time.
    signal.removeEventListener("abort", stop);
  }
}

function headersFor(
  project: Project,
  recorded: Place,
  url: URL,
  range: string | null,
): Record<string, string> {
  return {
    accept: "audio/*",
    "accept-encoding": "identity",
    ...(range === null ? {} : { range }),
    ...(isOwn(project, recorded, url)
      ? { authorization: `Basic ${btoa(`${project.project_id}:${project.token}`)}` }
      : {}),
  };
}

async function mediaOf(
  response: Response,
  range: string | null,
  stop: (why: string) => void,
): Promise<Media> {
  const { status, headers, body } = response;
  const type = headers.get("content-type") ?? "application/octet-stream";
  const isSound = /^(?:audio|video)\/|^(?:application|binary)\/octet-stream/i.test(type);
  const said = headers.get("content-length") ?? "";
  const length = /^\d{1,15}$/.test(said) ? Number(said) : null;
  const isWhole = status === 200 || (status === 206 && range !== null);
  if (body !== null && isSound && isWhole && (length ?? 0) <= MOST_BYTES)
    return { ok: true, status, headers, body, length, stop };
  await body?.cancel();
  if (status === 416) return { ok: false, status, content_range: headers.get("content-range") };
  if (status !== 200 && status !== 206) return failed(`SignalWire answered ${status}`);
  return failed(isSound ? "it is larger than any recording" : "SignalWire answered with no sound");
}

/**
 * The sound as it comes, of which there is an end: a connection that never stops is cut. Where its length is known the runtime alone
 * passes it on, since code of ours that ran for each piece of it would cost more than all that is before.
 */
export function passOn({ body, length, stop }: Sound): ReadableStream<Uint8Array> {
  const through = length === null ? counting() : new FixedLengthStream(length);
  const timer = setTimeout(() => stop(`it took over ${TRANSFER_MS / 60_000} minutes`), TRANSFER_MS);
  body
    .pipeTo(through.writable)
    // The reader of the other end is told.
    .catch(() => {})
    .finally(() => clearTimeout(timer));
  return through.readable;
}

function counting(): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, out) {
      bytes += chunk.byteLength;
      if (bytes > MOST_BYTES) throw new Error("it is larger than any recording");
      out.enqueue(chunk);
    },
  });
}

function failed(why: string): Media {
  return { ok: false, status: null, why };
}
