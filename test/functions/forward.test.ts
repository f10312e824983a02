import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { forward, type Told } from "../../functions/forward.ts";
import { describeError } from "../../functions/log.ts";
import type { CallbackBody } from "../../shared/callback-body.ts";
import { type ForwardTo, readCallback } from "../../shared/callbacks.ts";

const body: CallbackBody = {
  kind: "json",
  body: {
    event_type: "calling.conference",
    event_channel: "swml:1",
    timestamp: 1_700_000_000,
    project_id: "project",
    space_id: "space",
    params: {
      status: "participant-join",
      conference_id: "conf",
      name: "acme:team",
      call_id: "c-1",
      muted: true,
      reason_ended: "so",
      new_list: [1],
    },
  },
};
const form: CallbackBody = {
  kind: "form",
  fields: [
    ["AccountSid", "project"],
    ["RecordingSid", "r-1"],
    ["RecordingUrl", "https://files.example.com/r-1"],
    ["RecordingStatus", "completed"],
    ["RecordingDuration", "12"],
    ["RecordingFileSize", "192000"],
    ["Muted", "true"],
    ["EventName", "x"],
    ["NewField", "1"],
    ["NewField", "2"],
  ],
};

beforeEach(() => void vi.spyOn(scheduler, "wait").mockResolvedValue());
afterEach(() => void vi.restoreAllMocks());

/** What the log says of telling them, with a web that answers so. */
async function told(
  to: ForwardTo,
  answer: () => Response,
  what: Told = { kind: "conference", body, account: "project" },
): Promise<{ requests: Request[]; log: string }> {
  const requests: Request[] = [];
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    requests.push(new Request(input, init));
    return answer();
  });
  await forward(to, what, { tenant: "acme" });
  return { requests, log: warn.mock.calls.flat().join("\n") };
}

const ways: Pick<ForwardTo, "as" | "method">[] = [
  { as: "json", method: "POST" },
  { as: "form", method: "POST" },
  { as: "form", method: "GET" },
];

describe.each(ways)("a callback that is forwarded as $as by $method", (way) => {
  test("does not follow a redirect to another server", async () => {
    const { requests, log } = await told({ ...way, url: "https://hooks.example.com/told?token=SECRET" }, () =>
      Response.redirect("https://elsewhere.example.com/", 307),
    );
    expect(requests.map(({ redirect, url }) => [redirect, new URL(url).host])).toEqual(
      Array(3).fill(["manual", "hooks.example.com"]),
    );
    expect(log).toContain("answered 307");
    expect(log).not.toContain("SECRET");
  });

  test("with a URL that cannot be parsed leaves no part of it in the log", async () => {
    const { requests, log } = await told({ ...way, url: "https://user:SECRET@[::1/x" }, () => new Response());
    expect(requests).toEqual([]);
    expect(log).toContain("callback.not_forwarded");
    expect(log).not.toMatch(/SECRET|user:|::1/);
  });
});

describe("what came in goes out whole", () => {
  const url = "https://hooks.example.com/told?x=1";
  const ok = () => new Response();
  const ofRecording: Told = { kind: "recording", body: form, account: "project" };

  test("as the JSON that it was", async () => {
    const { requests } = await told({ as: "json", method: "POST", url }, ok);
    expect(await requests[0]?.json()).toEqual(body.body);
  });

  test("as the form that it was, repeated fields and all", async () => {
    const { requests } = await told({ as: "form", method: "POST", url }, ok, ofRecording);
    expect([...new URLSearchParams(await requests[0]?.text())]).toEqual(form.fields);
    const got = await told({ as: "form", method: "GET", url }, ok, ofRecording);
    expect([...new URL(got.requests[0]?.url ?? "").searchParams]).toEqual([["x", "1"], ...form.fields]);
  });

  test("as a form where it was JSON", async () => {
    const { requests } = await told({ as: "form", method: "POST", url }, ok);
    expect(Object.fromEntries(new URLSearchParams(await requests[0]?.text()))).toEqual({
      AccountSid: "project",
      StatusCallbackEvent: "participant-join",
      ConferenceSid: "conf",
      FriendlyName: "acme:team",
      CallSid: "c-1",
      Muted: "true",
      ReasonEnded: "so",
      NewList: "[1]",
      EventChannel: "swml:1",
      SpaceId: "space",
      Timestamp: "Tue, 14 Nov 2023 22:13:20 GMT",
    });
  });

  test("as a form where it was a recording's JSON", async () => {
    const params = { status: "record-stop", recording_url: "https://a.example/r", recording_duration: 12 };
    const json: CallbackBody = { kind: "json", body: { event_type: "calling.conference", params } };
    const { requests } = await told({ as: "form", method: "POST", url }, ok, { ...ofRecording, body: json });
    expect(Object.fromEntries(new URLSearchParams(await requests[0]?.text()))).toEqual({
      AccountSid: "project",
      RecordingStatus: "completed",
      RecordingUrl: "https://a.example/r",
      RecordingDuration: "12",
      RecordingSource: "Conference",
    });
  });

  test("as JSON where it was a form", async () => {
    const { requests } = await told({ as: "json", method: "POST", url }, ok, ofRecording);
    expect(await requests[0]?.json()).toEqual({
      event_type: "calling.conference",
      project_id: "project",
      params: {
        status: "recording-completed",
        recording_status: "completed",
        recording_sid: "r-1",
        recording_url: "https://files.example.com/r-1",
        recording_duration: 12,
        recording_file_size: 192_000,
        muted: true,
        event_name: "x",
        new_field: ["1", "2"],
      },
    });
  });
});

test("a rule's own query stays as the rule wrote it, and an odd time as SignalWire did", async () => {
  const odd = { event_type: "calling.conference", timestamp: "soon", params: { status: "record-stop" } };
  const read = readCallback(JSON.stringify(odd), false);
  if (read === null) throw new Error("it is a callback");
  const what = { kind: "recording", body: read.body, account: "project" } as const;
  const url = "https://hooks.example.com/told?a=x%20y&b='";
  const by_form = await told({ as: "form", method: "GET", url }, () => new Response(), what);
  expect(by_form.requests[0]?.url).toContain("?a=x%20y&b=%27&AccountSid=project&");
  expect(new URL(by_form.requests[0]?.url ?? "").searchParams.get("Timestamp")).toBe("soon");
  const by_json = await told({ as: "json", method: "POST", url }, () => new Response(), what);
  expect(await by_json.requests[0]?.json()).toEqual({ ...odd, project_id: "project" });
});

test("an error is described without the URLs that its message quotes", () => {
  const quoted = new TypeError(`Fetch API cannot load: wss://user:SECRET@example.com/a?b"c. Try again.`);
  expect(describeError(quoted)).toBe("TypeError: Fetch API cannot load: (a URL) Try again.");
  expect(describeError("HTTPS://user:SECRET@[::1/x")).toBe("(a URL)");
});
