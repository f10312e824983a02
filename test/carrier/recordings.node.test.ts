import { afterAll, beforeAll, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { startWebStub, swml, type WebStub } from "./web-stub.ts";

let carrier: Carrier;
let stub: WebStub;
beforeAll(async () => {
  carrier = await startCarrier(0);
  stub = await startWebStub(({ path }) => (path === "/held" ? swml({ answer: {} }, { sleep: -1 }) : {}));
});
afterAll(async () => {
  stub.close();
  await carrier.close();
});

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

let scenes = 0;

/** Two calls in a recorded conference, which has ended. */
async function recorded(
  switches: ProjectSettings["switches"],
  type: "relay" | "cxml",
  whileRecorded: (ask: Ask, project_id: string) => Promise<void> = async () => {},
) {
  const project = await new CarrierClient(carrier.control).createProject({ speed: 50, switches });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  scenes += 1;
  const path = `/told/${scenes}`;
  const authorization = `Basic ${btoa(`${project.project_id}:${project.token}`)}`;
  const ask = (at: string, init: RequestInit = {}) =>
    fetch(`${carrier.rest}${at}`, { ...init, headers: { authorization } });
  const calls: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const call = await project.placeCall({
      from: "+15550100001",
      to: "+15550100100",
      url: `${stub.url}/held`,
    });
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    await relay.request("calling.join_conference", {
      ...call,
      name: "board",
      record: "record-from-start",
      recording_status_callback: `${stub.url}${path}`,
      recording_status_callback_event: "in-progress completed absent",
      recording_status_callback_event_type: type,
    });
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    calls.push(call.call_id);
  }
  const started = await relay.event("calling.conference", ({ status }) => status === "record-start");
  await whileRecorded(ask, project.project_id);
  for (const call_id of calls) await project.hangUp(call_id);
  await project.wait({ journal: { kind: "status_callback", contains: { status: "completed" } } });
  const told = stub.received.filter((one) => one.path === path).map(({ body }) => body);
  return { project, ask, told, started, conference_id: String(started["conference_id"]) };
}

const account = "/api/laml/2010-04-01/Accounts";

test("a recording is told of in JSON as the conference's events are", async () => {
  const { told, started, project } = await recorded({}, "relay", async (ask, project_id) => {
    const { data } = (await (await ask("/api/relay/rest/recordings")).json()) as {
      data: { id: string; relay_conference_id: string }[];
    };
    const [one] = data;
    for (const Status of ["paused", "in-progress"]) {
      const path = `${account}/${project_id}/Conferences/${one?.relay_conference_id}/Recordings/${one?.id}.json`;
      await ask(path, { method: "POST", body: new URLSearchParams({ Status }) });
    }
  });
  const bodies = told.map((body) => JSON.parse(body) as { event_type: string; params: { status: string } });
  expect(bodies.map(({ event_type, params }) => [event_type, params.status])).toEqual(
    ["record-start", "record-pause", "record-resume", "record-stop"].map((status) => [
      "calling.conference",
      status,
    ]),
  );
  expect(bodies[0]?.params).toEqual(started);
  expect(bodies.at(-1)).toMatchObject({
    event_channel: expect.any(String),
    project_id: project.project_id,
    space_id: expect.any(String),
    params: {
      recording_url: expect.stringContaining("https://"),
      recording_duration: expect.any(Number),
      recording_file_size: expect.any(Number),
    },
  });
});

test.each([
  ["missing", true],
  ["empty", false],
  ["of_no_call", true],
] as const)(
  "a recording's form has a CallSid that is %s, and ConferenceSid: %s",
  async (recording_form_call_sid, recording_form_has_conference_sid) => {
    const switches = { recording_form_call_sid, recording_form_has_conference_sid };
    const { told, project, conference_id } = await recorded(switches, "cxml");
    const forms = told.map((body) => Object.fromEntries(new URLSearchParams(body)));
    expect(forms.map(({ RecordingStatus }) => RecordingStatus)).toEqual(["in-progress", "completed"]);
    const form = forms.at(-1) ?? {};
    expect(form).toMatchObject({
      AccountSid: project.project_id,
      RecordingSid: expect.stringMatching(/./),
      RecordingUrl: expect.stringContaining("https://"),
      RecordingDuration: expect.stringMatching(/^\d+$/),
      RecordingChannels: "1",
      RecordingSource: "Conference",
    });
    expect(form["ConferenceSid"]).toBe(recording_form_has_conference_sid ? conference_id : undefined);
    const calls = (await project.calls()).map(({ call_id }) => call_id);
    expect(calls).not.toContain(form["CallSid"]);
    expect("CallSid" in form).toBe(recording_form_call_sid !== "missing");
  },
);

test("a recording is in both lists until it is deleted", async () => {
  const { ask, conference_id, project } = await recorded({}, "relay");
  const listed = async () => {
    const relay = (await (await ask("/api/relay/rest/recordings")).json()) as { data: object[] };
    const path = `${account}/${project.project_id}/Conferences/${conference_id}/Recordings.json`;
    const compatibility = (await (await ask(path)).json()) as { recordings: object[] };
    return [...relay.data, ...compatibility.recordings] as { id?: string; sid?: string }[];
  };
  const [one, other] = await listed();
  expect(one).toMatchObject({
    relay_conference_id: conference_id,
    status: "finished",
    url: expect.stringContaining("https://"),
    duration_in_seconds: expect.any(Number),
    byte_size: expect.any(Number),
  });
  expect(other).toMatchObject({
    sid: one?.id,
    conference_sid: conference_id,
    call_sid: null,
    status: "completed",
  });
  const path = `${account}/${project.project_id}/Recordings/${other?.sid}`;
  expect((await ask(path, { method: "DELETE" })).status).toBe(204);
  expect((await ask(path, { method: "DELETE" })).status).toBe(404);
  expect(await listed()).toEqual([]);
});
