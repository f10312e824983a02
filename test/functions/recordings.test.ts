import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { RelaySession } from "../../functions/session/relay-session.ts";
import { toHex } from "../../shared/encoding.ts";
import { askApi } from "./api/ask.ts";
import { type Fixture, openFixture, sent, warmUp } from "./fixture.ts";
import { session } from "./session/calls/context-fixture.ts";
import { FULL, SqlFaults } from "./session/sql-faults.ts";

const HOOK = "https://hooks.example.com/told";
const caller = { to: "+15550100100" };
const join = { record: "record-from-start", recording_status_callback: HOOK };

/** What the rule's own server was told. */
let told: { body: string; type: string }[] = [];

beforeAll(warmUp);
beforeEach(() => {
  told = [];
  const fetched = globalThis.fetch;
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(input, init);
    if (new URL(request.url).host !== "hooks.example.com") return await fetched(input, init);
    told.push({ body: await request.text(), type: request.headers.get("content-type") ?? "" });
    return new Response(null, { status: 204 });
  });
});
afterEach(() => vi.unstubAllGlobals());

function rulesWith(more: Record<string, unknown> = {}) {
  return [
    { id: "board", match: {}, place: { room: "board", recording_notice: false, join: { ...join, ...more } } },
  ];
}

/** Two calls meet in the room, and hang up. */
async function met(home: Fixture, via: "swml" | "cxml"): Promise<string[]> {
  const calls: string[] = [];
  for (const from of ["+15550100001", "+15550100002"]) {
    const url = home.webhook_url.replace(/swml$/, via);
    const call = { ...caller, from, ...(via === "cxml" ? { cxml_url: url } : { url }) };
    const { call_id } = await home.carrier.placeCall(call);
    await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` } });
    calls.push(call_id);
  }
  await home.carrier.wait({ journal: { kind: "recording", contains: { status: "in-progress" } } });
  for (const call_id of calls) await home.carrier.hangUp(call_id);
  return calls;
}

interface Page {
  recordings: Record<string, unknown>[];
  next: string | null;
}

async function listed(home: Fixture, query = ""): Promise<Page> {
  return await (await askApi(`/tenants/${home.tenant}/recordings${query}`)).json();
}

/** The only recording, once it is over. */
async function completed(home: Fixture, timeout = 5_000): Promise<Record<string, unknown>> {
  await expect
    .poll(
      async () => {
        const r = (await listed(home)).recordings;
        return r;
      },
      { timeout },
    )
    .toMatchObject([{ state: "completed" }]);
  return (await listed(home)).recordings[0] ?? {};
}

describe("a rule's recording callback", () => {
  test("tells by SWML, without a list, how the recording ended, with all that SignalWire says", async () => {
    await using home = await openFixture({ rules: rulesWith(), carrier: { speed: 10 } });
    await met(home, "swml");
    await expect.poll(() => told.length).toBe(1);
    expect(JSON.parse(told[0]?.body ?? "")).toMatchObject({
      event_type: "calling.conference",
      event_channel: expect.any(String),
      project_id: home.carrier.project_id,
      space_id: expect.any(String),
      params: {
        status: "record-stop",
        name: `${home.tenant}:board`,
        recording_url: expect.stringContaining("https://"),
        recording_duration: expect.any(Number),
        recording_file_size: expect.any(Number),
      },
    });
  });

  test.each([true, false])(
    "tells by cXML, whatever ids the form has, with every field (ConferenceSid: %s)",
    async (recording_form_has_conference_sid) => {
      const wants = {
        recording_status_callback_event: "in-progress completed",
        recording_status_callback_event_type: "cxml",
      };
      await using home = await openFixture({
        rules: rulesWith(wants),
        carrier: {
          speed: 10,
          switches: { recording_form_has_conference_sid, recording_form_call_sid: "of_no_call" },
        },
      });
      await met(home, "cxml");
      await expect.poll(() => told.length).toBe(2);
      const forms = told.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
      expect(forms.map(({ RecordingStatus }) => RecordingStatus)).toEqual(["in-progress", "completed"]);
      expect(forms[1]).toMatchObject({
        AccountSid: home.carrier.project_id,
        RecordingSid: expect.any(String),
        RecordingUrl: expect.stringContaining("https://"),
        RecordingDuration: expect.any(String),
        RecordingChannels: "1",
        RecordingSource: "Conference",
      });
      const one = await completed(home);
      expect(one).toMatchObject({ sid: forms[1]?.["RecordingSid"], url: forms[1]?.["RecordingUrl"] });
      expect((await listed(home)).recordings).toHaveLength(1);
    },
  );

  test("that is lost, with every event, is made good from SignalWire's lists", async () => {
    const lost = (at: "event" | "callback", match: Record<string, string>) =>
      ({ at, match, do: { kind: "lose" } }) as const;
    await using home = await openFixture({
      rules: rulesWith(),
      carrier: {
        speed: 10,
        faults: [
          ...["record-start", "record-stop", "conference-end"].map((status) => lost("event", { status })),
          lost("callback", { event_type: "recording" }),
          lost("callback", { status: "conference-end" }),
        ],
      },
    });
    await met(home, "swml");
    const one = await completed(home, 20_000);
    expect(one).toMatchObject({ url: expect.stringContaining("/Recordings/"), sid: expect.any(String) });
    await expect.poll(() => told.length).toBe(1);
    expect(JSON.parse(told[0]?.body ?? "")).toMatchObject({
      event_type: "calling.conference",
      params: { status: "record-stop", recording_url: one["url"], name: `${home.tenant}:board` },
    });
  });
});

/** A call in the room, and what posts a recording's form as SignalWire does. */
async function reporting(home: Fixture): Promise<(fields: Record<string, string>) => Promise<number>> {
  const { call_id } = await home.carrier.placeCall({
    ...caller,
    from: "+15550100001",
    url: home.webhook_url,
  });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` } });
  const [join] = await sent(home, "calling.join_conference");
  const url = String(join?.["recording_status_callback"]);
  return async (fields) =>
    (await exports.default.fetch(url, { method: "POST", body: new URLSearchParams(fields) })).status;
}

test("a form that comes twice is told once, and one whose recording found no room is taken when it comes again", async () => {
  const events = { recording_status_callback_event: "in-progress completed" };
  await using home = await openFixture({ rules: rulesWith(events), carrier: { speed: 10 } });
  const post = await reporting(home);
  const report = (RecordingStatus: string) =>
    post({ RecordingSid: "r-1", RecordingStatus, RecordingDuration: "3" });
  expect([await report("in-progress"), await report("in-progress")]).toEqual([204, 204]);
  vi.spyOn(console, "error").mockImplementation(() => {});
  const full = await runInDurableObject(
    session(home),
    (_, { storage }) =>
      new SqlFaults(storage.sql, (statement) => statement.startsWith("UPDATE recordings"), FULL),
  );
  expect(await report("completed")).toBe(503);
  full[Symbol.dispose]();
  expect(await report("completed")).toBe(204);
  expect((await listed(home)).recordings).toMatchObject([{ state: "completed", sid: "r-1", duration_s: 3 }]);
  const statuses = () => told.map(({ body }) => JSON.parse(body).params.status);
  // Where its confirmation found no room either it is told once more.
  await expect.poll(statuses).toContain("recording-completed");
  expect(statuses().filter((status) => status === "recording-in-progress")).toHaveLength(1);
});

test("a form whose reply was lost on its way goes out whole when it comes again, and not again after that", async () => {
  const wants = { recording_status_callback_event_type: "cxml" };
  await using home = await openFixture({ rules: rulesWith(wants), carrier: { speed: 10 } });
  const report = await reporting(home);
  const form = { RecordingSid: "r-1", RecordingStatus: "completed", RecordingDuration: "3", NewField: "1" };
  await loseReply(home);
  expect(await report(form)).toBe(503);
  expect(told).toEqual([]);
  expect(await report(form)).toBe(204);
  await expect.poll(() => told.length).toBe(1);
  expect(Object.fromEntries(new URLSearchParams(told[0]?.body))).toMatchObject(form);
  await expect.poll(() => isConfirmed(home)).toBe(true);
  expect(await report(form)).toBe(204);
  expect(told).toHaveLength(1);
});

test("an event whose reply went with its session is told when its callback comes again", async () => {
  const events = { recording_status_callback_event: "in-progress completed" };
  await using home = await openFixture({ rules: rulesWith(events), carrier: { speed: 10 } });
  const report = await reporting(home);
  const form = { RecordingSid: "r-1", RecordingStatus: "in-progress" };
  await loseReply(home);
  expect(await report(form)).toBe(503);
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
  expect(await report(form)).toBe(204);
  await expect.poll(() => told.length).toBe(1);
});

/** The session takes the next callback, and its reply does not arrive. */
async function loseReply(home: Fixture): Promise<void> {
  vi.spyOn(console, "error").mockImplementation(() => {});
  await runInDurableObject(session(home), (instance) => {
    const class_ = Object.getPrototypeOf(instance) as RelaySession;
    const taken = class_.conferenceEvent;
    vi.spyOn(class_, "conferenceEvent").mockImplementationOnce(function (this: RelaySession, request) {
      taken.call(this, request);
      throw new Error("the session is gone");
    });
  });
}

async function isConfirmed(home: Fixture): Promise<boolean> {
  return await runInDurableObject(
    session(home),
    (_, { storage }) => storage.sql.exec("SELECT told FROM recordings WHERE told = 1").toArray().length === 1,
  );
}

test("a recording is in the list and in its calls' history, until it is deleted, at SignalWire too where that is asked", async () => {
  await using home = await openFixture({ rules: rulesWith(), carrier: { speed: 10 } });
  const before = Date.now() - 1_000;
  const calls = await met(home, "swml");
  const one = await completed(home);
  expect(one).toMatchObject({
    room: `${home.tenant}:board`,
    conference_id: expect.any(String),
    url: expect.stringContaining("https://"),
    duration_s: expect.any(Number),
    size_bytes: expect.any(Number),
    started_at: expect.any(Number),
    ended_at: expect.any(Number),
  });
  for (const call_id of calls) {
    const story = await (await askApi(`/tenants/${home.tenant}/calls/${call_id}`)).json();
    expect(story).toMatchObject({ recordings: [{ id: one["id"] }] });
  }
  const found: [string, number][] = [
    ["?conference=board", 1],
    [`?conference=${home.tenant}:board`, 1],
    ["?conference=other", 0],
    [`?conference_id=${one["conference_id"]}`, 1],
    ["?conference_id=other", 0],
    [`?since=${before}`, 1],
    [`?until=${before}`, 0],
    [`?since=${new Date(before).toISOString()}`, 1],
  ];
  for (const [query, count] of found)
    expect((await listed(home, query)).recordings, query).toHaveLength(count);
  expect((await askApi(`/tenants/${home.tenant}/recordings?nonsense=1`)).status).toBe(400);
  const path = `/tenants/${home.tenant}/recordings/${one["id"]}`;
  expect((await askApi(`${path}?at=elsewhere`, { method: "DELETE" })).status).toBe(400);
  expect((await askApi(`${path}?at=signalwire`, { method: "DELETE" })).status).toBe(204);
  expect((await askApi(path, { method: "DELETE" })).status).toBe(404);
  expect((await listed(home)).recordings).toEqual([]);
  const rest = await home.carrier.journal({ kind: "rest" });
  expect(rest.filter(({ method }) => method === "DELETE")).toHaveLength(1);
});

test("its sound is played by the Worker alone, whole or in part, from SignalWire and then from the copy, until both are deleted", async () => {
  await using home = await openFixture({ rules: rulesWith(), carrier: { speed: 10 } });
  await met(home, "swml");
  const one = await completed(home);
  const path = `/tenants/${home.tenant}/recordings/${one["id"]}`;
  const play = (range?: string) => askApi(`${path}/media`, { headers: range === undefined ? {} : { range } });
  const whole = await play();
  const sound = new Uint8Array(await whole.arrayBuffer());
  expect(whole.status).toBe(200);
  expect(Object.fromEntries(whole.headers)).toMatchObject({
    "content-type": "audio/x-wav",
    "content-disposition": `attachment; filename="${one["id"]}.wav"`,
    "cache-control": "no-store",
  });
  expect(sound).toHaveLength(Number(one["size_bytes"]));
  const parts = async (): Promise<unknown[]> => {
    const asked = ["bytes=100-199", "bytes=-50", "bytes=999999999-"].map(async (range) => {
      const { status, headers, ...response } = await answered(play(range));
      return [status, headers.get("content-range"), status === 206 ? response.bytes : null];
    });
    return await Promise.all(asked);
  };
  const { length } = sound;
  const wanted = [
    [206, `bytes 100-199/${length}`, sound.slice(100, 200)],
    [206, `bytes ${length - 50}-${length - 1}/${length}`, sound.slice(-50)],
    [416, `bytes */${length}`, null],
  ];
  expect(await parts()).toEqual(wanted);
  // It is copied as soon as SignalWire has the file for certain: here at once, by the object that comes after this one.
  await runInDurableObject(session(home), async (_, state) => {
    state.storage.sql.exec("UPDATE recording_copies SET due_at = 1");
    await state.storage.sync();
    state.abort("lost");
  }).catch(() => {});
  await vi.waitFor(() => expectCopy(home), { timeout: 5_000, interval: 50 });
  const asked = async () => (await home.carrier.journal({ kind: "rest" })).length;
  const before = await asked();
  expect(await answered(play())).toMatchObject({ status: 200, bytes: sound });
  expect(await parts()).toEqual(wanted);
  expect(await asked()).toBe(before);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", sound));
  expect((await listed(home)).recordings).toMatchObject([
    { copy: { sha256: toHex(digest), size_bytes: length, copied_at: expect.any(Number) } },
  ]);
  // A token is shown no URL of SignalWire's, and neither is the listener.
  const scopes = ["recordings:read"];
  const made = await askApi(`/tenants/${home.tenant}/tokens`, {
    method: "POST",
    body: JSON.stringify({ name: "listener", scopes }),
  });
  const { token } = await made.json<{ token: string }>();
  const headers = { authorization: `Bearer ${token}` };
  expect(await (await askApi(`/tenants/${home.tenant}/recordings`, { headers })).json()).toMatchObject({
    recordings: [{ url: null }],
  });
  expect((await askApi(`${path}/media`, { headers })).status).toBe(200);
  expect((await askApi(path, { method: "DELETE", headers })).status).toBe(403);
  expect((await askApi(path, { method: "DELETE" })).status).toBe(204);
  expect((await play()).status).toBe(404);
  expect((await env.RECORDINGS?.list())?.objects.filter(({ key }) => key.includes(home.tenant))).toEqual([]);
});

async function answered(asked: Promise<Response>) {
  const response = await asked;
  const { status, headers } = response;
  return { status, headers, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function expectCopy(home: Fixture): Promise<void> {
  expect((await listed(home)).recordings).toMatchObject([{ copy: { size_bytes: expect.any(Number) } }]);
}

test("what is being recorded is not deleted, and has no sound yet", async () => {
  await using home = await openFixture({ rules: rulesWith(), carrier: { speed: 10 } });
  for (const from of ["+15550100001", "+15550100002"]) {
    const { call_id } = await home.carrier.placeCall({ ...caller, from, url: home.webhook_url });
    await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` } });
  }
  await expect
    .poll(async () => (await listed(home)).recordings)
    .toMatchObject([{ state: "in-progress", ended_at: null }]);
  const [one] = (await listed(home)).recordings;
  const path = `/tenants/${home.tenant}/recordings/${one?.["id"]}`;
  expect((await askApi(path, { method: "DELETE" })).status).toBe(409);
  expect((await askApi(`${path}/media`)).status).toBe(409);
});
