import { afterEach, describe, expect, test, vi } from "vitest";
import { openMedia, passOn, type Recorded, readRange } from "../../functions/recording-media.ts";
import type { Project } from "../../functions/tenants/tenant.ts";

const SPACE = "https://example.signalwire.com";
const project = { project_id: "p-1", token: "made-up-token", rest_url: SPACE } as Project; // What it needs of it.
const account = `${SPACE}/api/laml/2010-04-01/Accounts/p-1`;
const own = `${account}/Recordings/RE1`;
const files = "https://files.signalwire.com/space/project/RE1.wav";
const bucket =
  "https://s3.us-east-2.amazonaws.com/files.signalwire.com/space/RE1.wav?X-Amz-Signature=made-up";
const bytes = new Uint8Array([1, 2, 3, 4]);
const STARTED = Date.parse("2026-11-28T10:00:00Z");

type Known = Pick<Recorded, "url" | "sid">;

/** Where SignalWire lists the conference's recordings. */
const list = `${account}/Conferences/CF1/Recordings.json`;
const listed = () =>
  Response.json({ recordings: [{ sid: "RE1", status: "completed", start_time: new Date(STARTED) }] });

interface Asked {
  url: string;
  authorization: string | null;
  range: string | null;
}

const sound = (type = "audio/x-wav") => new Response(bytes, { headers: { "content-type": type } });
const sentTo = (location: string) => new Response(null, { status: 302, headers: { location } });

/** The web as the test has it; every other URL is 404. */
function serve(answers: Record<string, () => Response>): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const { url, headers, redirect } = new Request(input, init);
    expect(redirect).toBe("manual");
    asked.push({ url, authorization: headers.get("authorization"), range: headers.get("range") });
    return answers[url]?.() ?? new Response("Not Found", { status: 404 });
  });
  return asked;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const whole = (known: Known): Recorded => ({
  ...known,
  conference_id: null,
  conference_sid: "CF1",
  started_at: STARTED,
});

async function open(known: Known, range: string | null = null) {
  const media = await openMedia(project, whole(known), range, AbortSignal.timeout(5_000));
  return media.ok ? new Uint8Array(await new Response(passOn(media)).arrayBuffer()) : media;
}

describe("a recording's sound", () => {
  test.each<[string, Known, Record<string, () => Response>, string[]]>([
    ["where the project's own space says that it is", { url: own, sid: "RE1" }, { [own]: sound }, [own]],
    ["of another format", { url: `${own}.mp3`, sid: null }, { [`${own}.mp3`]: sound }, [`${own}.mp3`]],
    ["at the host that SignalWire's pages name", { url: files, sid: "RE1" }, { [files]: sound }, [files]],
    ["by its id where no URL was told", { url: null, sid: "RE1" }, { [own]: sound }, [own]],
    ["by its id where the URL has it no more", { url: files, sid: "RE1" }, { [own]: sound }, [files, own]],
    [
      "by the id that SignalWire lists, where no id was told",
      { url: "https://files.example.com/RE1.wav", sid: null },
      { [list]: listed, [own]: sound },
      [list, own],
    ],
    [
      "wherever SignalWire sends the Worker on to",
      { url: own, sid: "RE1" },
      { [own]: () => sentTo(files), [files]: () => sentTo(bucket), [bucket]: sound },
      [own, files, bucket],
    ],
  ])("is found %s, and no other host gets the project's token", async (_, recorded, answers, urls) => {
    const asked = serve(answers);
    expect(await open(recorded)).toEqual(bytes);
    expect(asked.map(({ url }) => url)).toEqual(urls);
    for (const { url, authorization } of asked)
      expect(authorization).toBe(url.startsWith(SPACE) ? `Basic ${btoa("p-1:made-up-token")}` : null);
  });

  test.each([
    ["another host", "https://evil.example.com/RE1.wav"],
    ["a private address", "http://169.254.169.254/latest/meta-data"],
    ["the files' host without TLS", files.replace("https", "http")],
    ["the files' host at another port", files.replace(".com/", ".com:8443/")],
    ["a host that only begins like it", "https://files.signalwire.com.evil.example.com/RE1.wav"],
    ["another bucket", "https://s3.us-east-2.amazonaws.com/evil/RE1.wav"],
    ["a URL with a password", files.replace("https://", "https://a:b@")],
    ["another path of the project's space", `${SPACE}/api/relay/rest/phone_numbers`],
    ["a recording's data", `${own}.json`],
    ["another recording of the project", `${account}/Recordings/RE2`],
    ["another project of the space", own.replace("p-1", "p-2")],
    ["a query in the project's space", `${own}?PageSize=1`],
    ["a path that climbs", `${account}/Recordings/../Calls/RE1`],
    ["no URL", "nonsense"],
  ])("is not fetched from %s, whether that was told or SignalWire sends on to it", async (_, url) => {
    const asked = serve({ [url]: sound });
    expect(await open({ url, sid: "RE1" })).toMatchObject({ ok: false, why: expect.any(String) });
    expect(asked.map((one) => one.url)).toEqual([own]);
    const led = serve({ [own]: () => sentTo(url), [url]: sound });
    expect(await open({ url: null, sid: "RE1" })).toMatchObject({ ok: false });
    expect(led.map((one) => one.url)).toEqual([own]);
  });

  test.each<[string, () => Response, string]>([
    ["a refusal", () => new Response("no", { status: 403 }), "SignalWire answered 403"],
    ["a page", () => sound("text/html"), "SignalWire answered with no sound"],
    ["data", () => sound("application/json"), "SignalWire answered with no sound"],
    ["a circle", () => sentTo(own), "it was sent on too often"],
    [
      "more than any recording",
      () =>
        new Response(bytes, { headers: { "content-type": "audio/x-wav", "content-length": "9999999999" } }),
      "it is larger than any recording",
    ],
  ])("that is %s is none, and why is told", async (_, answer, why) => {
    serve({ [own]: answer });
    expect(await open({ url: null, sid: "RE1" })).toEqual({ ok: false, status: null, why });
  });

  test("that does not begin in time is given up, and one that never ends is cut", async () => {
    vi.stubGlobal(
      "fetch",
      (_: RequestInfo, { signal }: RequestInit) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    );
    const late = await openMedia(project, whole({ url: null, sid: "RE1" }), null, AbortSignal.timeout(20));
    expect(late).toMatchObject({ ok: false, status: null });
    vi.useFakeTimers();
    vi.stubGlobal("fetch", async (_: RequestInfo, { signal }: RequestInit) => {
      const body = new ReadableStream({
        start(out) {
          out.enqueue(bytes);
          signal?.addEventListener("abort", () => out.error(signal.reason));
        },
      });
      return new Response(body, { headers: { "content-type": "audio/x-wav" } });
    });
    const media = await openMedia(
      project,
      whole({ url: null, sid: "RE1" }),
      null,
      new AbortController().signal,
    );
    if (!media.ok) throw new Error("it did not open");
    const reader = passOn(media).getReader();
    expect(await reader.read()).toMatchObject({ value: bytes });
    const broke = expect(reader.read()).rejects.toThrow("it took over 60 minutes");
    await vi.advanceTimersByTimeAsync(3_601_000);
    await broke;
  });

  test("is asked for in part, where one part is meant", async () => {
    const asked = serve({ [own]: sound });
    await open({ url: null, sid: "RE1" }, readRange("bytes=0-99"));
    expect(asked[0]?.range).toBe("bytes=0-99");
    expect(
      ["bytes=5-", "bytes=-5", "bytes=-", "bytes=1-2,4-5", "lines=1-2", undefined].map(readRange),
    ).toEqual(["bytes=5-", "bytes=-5", null, null, null, null]);
  });
});
