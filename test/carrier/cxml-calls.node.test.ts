import { createHmac } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient, type CarrierProject } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { cxml, type Received, type Reply, startWebStub, swml, type WebStub } from "./web-stub.ts";

let carrier: Carrier;
let client: CarrierClient;
const stubs: WebStub[] = [];
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(async () => {
  for (const stub of stubs) stub.close();
  await carrier.close();
});

const phone = { from: "+15550100001", to: "+15550100100" };
const dial = (name: string, attributes = "") =>
  cxml(`<Dial><Conference ${attributes}>${name}</Conference></Dial>`);

async function scene(respond: (received: Received) => Reply, settings: ProjectSettings = {}) {
  const stub = await startWebStub(respond);
  stubs.push(stub);
  return { stub, project: await client.createProject({ speed: 50, ...settings }) };
}

const rest = (project: CarrierProject, path: string, body: string | URLSearchParams) =>
  new BareRest(carrier.rest, project).send(path, "POST", body);

const command = (project: CarrierProject, name: string, id: string, params: object = {}) =>
  rest(project, "/api/calling/calls", JSON.stringify({ command: name, id, params }));

test("a cXML number's call is asked for by a signed form, again with its digits, and its status follows it", async () => {
  const { stub, project } = await scene(({ path }) =>
    path === "/a?x=1"
      ? cxml(`<Gather numDigits="2" action="${stub.url}/b" timeout="500"><Say>Which?</Say></Gather>`)
      : cxml("<Say>Thanks.</Say>"),
  );
  const { call_id } = await project.placeCall({ ...phone, cxml_url: `${stub.url}/a?x=1` });
  await project.wait({ call: { call_id, heard: { sound: "say", contains: "Which?" } } });
  await project.digits(call_id, "42");
  await project.wait({ call: { call_id, state: "ended", heard: { contains: "Thanks." }, stranded: false } });
  const [first, second] = stub.received.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  const usual = {
    CallSid: call_id,
    AccountSid: project.project_id,
    From: phone.from,
    To: phone.to,
    Direction: "inbound",
  };
  expect(first).toMatchObject({ ...usual, CallStatus: "ringing" });
  expect(second).toMatchObject({ ...usual, CallStatus: "in-progress", Digits: "42" });
  const sorted = Object.entries(first ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const signed = createHmac("sha1", project.signing_key)
    .update(`${stub.url}/a?x=1${sorted.flat().join("")}`)
    .digest("base64");
  expect(stub.received[0]?.headers["x-signalwire-signature"]).toBe(signed);
});

test("by GET its fields join the query, which is signed with the URL", async () => {
  const { stub, project } = await scene(() => cxml("<Reject/>"), {
    switches: { status_callbacks_are_signed: false },
  });
  const { call_id } = await project.placeCall({
    ...phone,
    cxml_url: `${stub.url}/a?x=1`,
    cxml_method: "GET",
  });
  const { call } = await project.wait({ call: { call_id, state: "ended" } });
  expect(call?.end_reason).toBe("noAnswer");
  const [asked] = stub.received;
  const path = asked?.path ?? "";
  expect([asked?.method, new URL(path, stub.url).searchParams.get("CallSid")]).toEqual(["GET", call_id]);
  const signed = createHmac("sha1", project.signing_key)
    .update(stub.url + path)
    .digest("base64");
  expect(asked?.headers["x-signalwire-signature"]).toBe(signed);
});

test("the same call by each way meets the others in one room", async () => {
  const { stub, project } = await scene(({ path }) =>
    path === "/cxml" ? dial("acme:board") : swml({ join_conference: { name: "acme:board" } }),
  );
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project, { contexts: ["office"] });
  const number = { swml: `${stub.url}/swml`, cxml: `${stub.url}/cxml`, relay: "office" };
  await project.placeCallVia("swml", number, phone);
  const by_cxml = await project.placeCallVia("cxml", number, phone);
  await project.placeCallVia("relay", number, phone);
  const { call_id, node_id } = await relay.event("calling.call.receive");
  await relay.request("calling.answer", { call_id, node_id });
  await relay.request("calling.join_conference", { call_id, node_id, name: "acme:board" });
  await relay.event("calling.conference", ({ size, status }) => size === 3 && status === "participant-join");
  expect(await project.conferences()).toMatchObject([{ name: "acme:board", state: "started" }]);
  expect((await project.call(by_cxml.call_id)).joined_by).toBe("document");
  expect((await relay.request("calling.end", by_cxml)).result).toMatchObject({ code: "404" });
});

test("a cXML join's status callbacks are forms, and the room is as its attributes say", async () => {
  const { stub, project } = await scene(({ path }) =>
    path === "/a"
      ? dial(
          "board",
          `statusCallback="${stub.url}/s" statusCallbackEvent="join end" eventCallbackUrl="${stub.url}/e" muted="true" endConferenceOnExit="true" waitUrl="https://example.com/w.mp3"`,
        )
      : {},
  );
  const { call_id } = await project.placeCall({ ...phone, cxml_url: `${stub.url}/a` });
  await project.wait({
    call: { call_id, in_conference: "board", heard: { sound: "music", contains: "w.mp3" } },
  });
  expect((await project.conferences())[0]?.participants).toMatchObject([
    { muted: true, end_on_exit: true, start_on_enter: true },
  ]);
  await project.hangUp(call_id);
  await project.wait({
    journal: {
      kind: "status_callback",
      contains: { status: "conference-end", http_status: 200, url: `${stub.url}/s` },
    },
  });
  await project.wait({
    journal: { kind: "status_callback", contains: { event_type: "conference", http_status: 200 } },
  });
  const told = stub.received
    .filter(({ path }) => path === "/s")
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  expect(told).toMatchObject([
    { StatusCallbackEvent: "participant-join", FriendlyName: "board", CallSid: call_id, Muted: "true" },
    { StatusCallbackEvent: "conference-end" },
  ]);
});

test("a document that is wrong is a violation and leads to the fallback, else the call is stranded", async () => {
  const { stub, project } = await scene(({ path }) =>
    path === "/a" ? cxml("<Dance/>") : cxml("<Say>Sorry.</Say>"),
  );
  const cxml_url = `${stub.url}/a`;
  const saved = await project.placeCall({ ...phone, cxml_url, cxml_fallback_url: `${stub.url}/f` });
  await project.wait({ call: { call_id: saved.call_id, heard: { contains: "Sorry." }, stranded: false } });
  const lost = await project.placeCall({ ...phone, cxml_url });
  await project.wait({
    call: { call_id: lost.call_id, stranded: true, state: "ended" },
    journal: { kind: "violation", contains: { call_id: lost.call_id } },
  });
});

test("webhook faults reach cXML fetches too", async () => {
  const faults = [{ at: "webhook" as const, times: 1, do: { kind: "code" as const, code: "503" } }];
  const { stub, project } = await scene(() => cxml("<Hangup/>"), { faults });
  const { call_id } = await project.placeCall({ ...phone, cxml_url: stub.url });
  const { call } = await project.wait({ call: { call_id, stranded: true } });
  expect(call?.webhooks).toMatchObject([{ status: 503 }]);
});

test("REST ends a cXML call, or leads it to an inline document or to a URL of either language", async () => {
  const { stub, project } = await scene(({ path }) => {
    if (path === "/next-swml") return swml({ join_conference: { name: "by-swml" } });
    return path === "/next-cxml" ? dial("by-cxml") : cxml(`<Play loop="0">https://example.com/m.mp3</Play>`);
  });
  const { call_id } = await project.placeCall({ ...phone, cxml_url: stub.url });
  await project.wait({ call: { call_id, heard: { sound: "audio" } } });
  const inline = { version: "1.0.0", sections: { main: [{ join_conference: { name: "inline" } }] } };
  for (const [dest, conference] of [
    [JSON.stringify(inline), "inline"],
    [`${stub.url}/next-swml`, "by-swml"],
    [`${stub.url}/next-cxml`, "by-cxml"],
  ] as const) {
    expect((await command(project, "calling.transfer", call_id, { dest })).status).toBe(200);
    await project.wait({ call: { call_id, in_conference: conference, state: "answered" } });
  }
  expect(await project.journal({ kind: "violation" })).toEqual([]);
  expect((await command(project, "calling.end", call_id)).status).toBe(200);
  await project.wait({ call: { call_id, state: "ended" } });
});

test("the compatibility API leads a cXML call to another of its documents, by a form as ever, or ends it", async () => {
  const { stub, project } = await scene(({ path }) =>
    path === "/next" ? dial("board") : cxml(`<Play loop="0">https://example.com/m.mp3</Play>`),
  );
  const { call_id } = await project.placeCall({ ...phone, cxml_url: stub.url });
  await project.wait({ call: { call_id, heard: { sound: "audio" } } });
  const update = (fields: Record<string, string>) =>
    rest(
      project,
      `/api/laml/2010-04-01/Accounts/${project.project_id}/Calls/${call_id}.json`,
      new URLSearchParams(fields),
    );
  expect((await update({ Url: `${stub.url}/next` })).status).toBe(200);
  await project.wait({ call: { call_id, in_conference: "board" } });
  expect(new URLSearchParams(stub.received.at(-1)?.body).get("CallStatus")).toBe("in-progress");
  expect((await update({ Status: "completed" })).status).toBe(200);
  await project.wait({ call: { call_id, state: "ended" } });
  expect((await update({ Status: "completed" })).status).toBe(400);
});

test("by the switch REST cannot see a cXML call either", async () => {
  const { stub, project } = await scene(() => cxml(`<Pause length="60"/>`), {
    switches: { rest_drives_cxml_calls: false },
    speed: 1,
  });
  const { call_id } = await project.placeCall({ ...phone, cxml_url: stub.url });
  await project.wait({ call: { call_id, state: "answered" } });
  expect((await command(project, "calling.end", call_id)).status).toBe(404);
});

test("a number is set up in one way only", async () => {
  const project = await client.createProject();
  await expect(
    project.placeCall({ ...phone, cxml_url: "https://example.com/", context: "office" }),
  ).rejects.toThrow("one way");
});
