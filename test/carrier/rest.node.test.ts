import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient, type CarrierProject } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";

let carrier: Carrier;
let client: CarrierClient;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(() => carrier.close());

const rest = (project: CarrierProject, path: string, method = "GET", body?: URLSearchParams | string) =>
  new BareRest(carrier.rest, project).send(path, method, body);

const laml = (project: CarrierProject, path: string) => new BareRest(carrier.rest, project).laml(path);

const list = (project: CarrierProject, path: string) => new BareRest(carrier.rest, project).list(path);

async function inConference(count: number, settings: ProjectSettings = {}) {
  const project = await client.createProject(settings);
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const calls = [];
  for (let number = 0; number < count; number += 1) {
    const call = await project.placeCall({ from: `+1555010000${number}`, to: "+15550100100" });
    await relay.request("calling.answer", call);
    await relay.request("calling.join_conference", { ...call, name: "acme:support" });
    await project.wait({ call: { call_id: call.call_id, in_conference: "acme:support" } });
    calls.push(call);
  }
  return { project, relay, calls };
}

async function sidOf(project: CarrierProject): Promise<string> {
  const { conferences } = await list(project, laml(project, "/Conferences.json?FriendlyName=acme:support"));
  return conferences[0]?.sid ?? "";
}

describe("the conferences' REST API", () => {
  test("asks for the project's own credentials", async () => {
    const project = await client.createProject();
    const other = await client.createProject();
    expect((await fetch(carrier.rest + laml(project, "/Conferences.json"))).status).toBe(401);
    expect((await rest(other, laml(project, "/Conferences.json"))).status).toBe(401);
    expect((await rest(project, laml(project, "/Conferences.json"))).status).toBe(200);
  });

  test("lists conferences by name and status, a page at a time", async () => {
    const { project, relay } = await inConference(1);
    const call = await project.placeCall({ from: "+15550100009", to: "+15550100100" });
    await relay.request("calling.answer", call);
    await relay.request("calling.join_conference", { ...call, name: "acme:sales" });
    const first = await list(project, laml(project, "/Conferences.json?PageSize=1"));
    expect(first.conferences).toMatchObject([{ friendly_name: "acme:support", status: "init" }]);
    const second = await list(project, first.next_page_uri ?? "");
    expect(second).toMatchObject({ conferences: [{ friendly_name: "acme:sales" }], next_page_uri: null });
    const long = await rest(project, laml(project, `/Conferences.json?FriendlyName=${"x".repeat(65)}`));
    expect(long.status).toBe(400);
  });

  test("lists participants, mutes, holds and removes them, and RELAY hears of it", async () => {
    const { project, relay, calls } = await inConference(2);
    const sid = await sidOf(project);
    const found = await list(project, laml(project, `/Conferences/${sid}/Participants.json`));
    expect(found.participants).toMatchObject(
      calls.map(({ call_id }) => ({ call_sid: call_id, muted: false })),
    );
    const one = laml(project, `/Conferences/${sid}/Participants/${calls[0]?.call_id}`);
    const changed = await rest(project, one, "POST", new URLSearchParams({ Muted: "true", Hold: "true" }));
    expect(await changed.json()).toMatchObject({ muted: true, hold: true });
    await relay.event("calling.conference", ({ status }) => status === "participant-mute");
    await relay.event("calling.conference", ({ status }) => status === "participant-hold");
    expect((await rest(project, one, "DELETE")).status).toBe(204);
    expect((await rest(project, one)).status).toBe(404);
  });

  test("ends a conference", async () => {
    const { project, relay, calls } = await inConference(2);
    const sid = await sidOf(project);
    await rest(
      project,
      laml(project, `/Conferences/${sid}`),
      "POST",
      new URLSearchParams({ Status: "completed" }),
    );
    await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect((await project.call(calls[0]?.call_id ?? "")).conference).toBeNull();
  });

  test("names conferences and calls by ids of their own where the switches say so", async () => {
    const { project, relay, calls } = await inConference(1, {
      switches: { conference_sid_is_conference_id: false, call_sid_is_call_id: false },
    });
    const sid = await sidOf(project);
    const { conference_id } = await relay.event("calling.conference");
    expect(sid).not.toBe(conference_id);
    const found = await list(project, laml(project, `/Conferences/${sid}/Participants.json`));
    expect(found.participants[0]?.call_sid).not.toBe(calls[0]?.call_id);
  });
});

describe("call commands by id", () => {
  const command = (project: CarrierProject, body: unknown) =>
    rest(project, "/api/calling/calls", "POST", JSON.stringify(body));

  test("work on a call that RELAY may not drive", async () => {
    const project = await client.createProject({ switches: { relay_drives_webhook_calls: "404" } });
    const { call_id } = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
    const ended = await command(project, { command: "calling.end", id: call_id, params: { reason: "busy" } });
    expect(ended.status).toBe(200);
    await project.wait({ call: { call_id, state: "ended" } });
    expect((await command(project, { command: "calling.end", id: call_id })).status).toBe(410);
    expect((await command(project, { command: "calling.end", id: "nobody" })).status).toBe(404);
  });

  test.each(["calling.answer", "calling.play_and_collect", "calling.send_digits", "calling.pass"])(
    "are not all of RELAY's: there is no %s",
    async (name) => {
      const project = await client.createProject();
      const { call_id } = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
      expect((await command(project, { command: name, id: call_id })).status).toBe(422);
    },
  );

  test("transfer to a document that is an object, and play without a control_id", async () => {
    const project = await client.createProject();
    const { call_id } = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
    const dest = { version: "1.0.0", sections: { main: [{ answer: {} }, { sleep: -1 }] } };
    const transfer = { command: "calling.transfer", id: call_id, params: { dest } };
    expect((await command(project, transfer)).status).toBe(200);
    await project.wait({ call: { call_id, state: "answered" } });
    const play = [{ type: "tts", params: { text: "Welcome" } }];
    const played = await command(project, { command: "calling.play", id: call_id, params: { play } });
    expect(played.status).toBe(200);
    await project.wait({ call: { call_id, heard: { sound: "say", contains: "Welcome" } } });
  });

  test("transfer to a document that joins, for there is no join", async () => {
    const project = await client.createProject();
    const { call_id } = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
    const join = await command(project, {
      command: "calling.join_conference",
      id: call_id,
      params: { name: "a" },
    });
    expect(join.status).toBe(422);
    const document = { version: "1.0.0", sections: { main: [{ join_conference: { name: "a" } }] } };
    const dest = JSON.stringify(document);
    await command(project, { command: "calling.transfer", id: call_id, params: { dest } });
    await project.wait({ call: { call_id, in_conference: "a" } });
  });

  test("fail by script", async () => {
    const project = await client.createProject({
      faults: [{ at: "rest", do: { kind: "code", code: "503" } }],
    });
    expect((await command(project, { command: "calling.end", id: "x" })).status).toBe(503);
  });
});

describe("status callbacks", () => {
  async function told(join: Record<string, unknown>, faults: ProjectSettings["faults"] = []) {
    const project = await client.createProject({ via_tunnel: true, speed: 100, faults });
    const requests: { headers: Headers; body: string; url: string }[] = [];
    await project.openTunnel(async (request) => {
      requests.push({ headers: request.headers, url: request.url, body: await request.text() });
      return new Response("");
    });
    const relay = await BareRelay.open(carrier.relay);
    await relay.connect(project);
    const call = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
    await relay.request("calling.answer", call);
    const status_callback = "https://edge.example.com/status?k=v";
    await relay.request("calling.join_conference", { ...call, name: "support", status_callback, ...join });
    return { project, relay, call, requests };
  }

  test("come as signed JSON in the form of the RELAY event, for the events asked for", async () => {
    const { project, call, requests } = await told({ status_callback_event: "join end" });
    await project.hangUp(call.call_id);
    await project.wait({
      journal: { kind: "status_callback", contains: { status: "conference-end", try: 1 } },
    });
    const bodies = requests.map(({ body }) => JSON.parse(body));
    expect(bodies).toMatchObject([
      {
        event_type: "calling.conference",
        project_id: project.project_id,
        params: { status: "participant-join", call_id: call.call_id, name: "support" },
      },
      { params: { status: "conference-end" } },
    ]);
    expect(requests[0]?.headers.get("x-signalwire-signature")).toMatch(/^[0-9a-f]{40}$/);
  });

  test("come as a form where cXML's is asked for", async () => {
    const { project, call, requests } = await told({ status_callback_event_type: "cxml" });
    await project.wait({ journal: { kind: "status_callback", contains: { status: "participant-join" } } });
    const form = Object.fromEntries(new URLSearchParams(requests[0]?.body));
    expect(form).toMatchObject({
      FriendlyName: "support",
      StatusCallbackEvent: "participant-join",
      CallSid: call.call_id,
      AccountSid: project.project_id,
      StartConferenceOnEnter: "true",
    });
  });

  test("are tried three times, and then lost", async () => {
    const refuse = { at: "status_callback" as const, do: { kind: "refuse" as const } };
    const { project, requests } = await told({ status_callback_event: "join" }, [refuse]);
    await project.wait({ journal: { kind: "status_callback", contains: { try: 3 } } });
    expect(await project.journal({ kind: "status_callback" })).toHaveLength(3);
    expect(requests).toEqual([]);
  });
});
