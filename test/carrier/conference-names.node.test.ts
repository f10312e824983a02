import { afterAll, beforeAll, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { cxml, startWebStub, swml, type WebStub } from "./web-stub.ts";

const NAME = "acme:support";

let carrier: Carrier;
let client: CarrierClient;
let stub: WebStub;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
  stub = await startWebStub(({ path }) =>
    path === "/cxml"
      ? cxml(`<Dial><Conference>${NAME}</Conference></Dial>`)
      : swml({ join_conference: { name: NAME } }),
  );
});
afterAll(async () => {
  stub.close();
  await carrier.close();
});

async function scene(switches: ProjectSettings["switches"] = {}) {
  const project = await client.createProject({ switches });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const place = async (way: { url?: string; cxml_url?: string } = {}) => {
    const call = await project.placeCall({ from: "+15550100001", to: "+15550100100", ...way });
    if (way.url ?? way.cxml_url) await project.wait({ call: { call_id: call.call_id, in_conference: NAME } });
    return call;
  };
  const join = async (call: { call_id: string }, name: string) => {
    await relay.request("calling.answer", call);
    const { result } = await relay.request("calling.join_conference", { ...call, name });
    await project.wait({ call: { call_id: call.call_id, in_conference: name } });
    return result;
  };
  return { project, relay, rest: new BareRest(carrier.rest, project), place, join };
}

const rosters = async ({ project }: Awaited<ReturnType<typeof scene>>) =>
  (await project.conferences()).map(({ participants }) => participants.map(({ call_id }) => call_id));

test("calls of RELAY, SWML and cXML that join one name share a conference", async () => {
  const here = await scene();
  const [a, b, c] = [
    await here.place({ cxml_url: `${stub.url}/cxml` }),
    await here.place({ url: `${stub.url}/swml` }),
    await here.place(),
  ];
  await here.join(c, NAME);
  expect(await rosters(here)).toEqual([[a.call_id, b.call_id, c.call_id]]);
});

test("with cxml_shares_conferences off, cXML's conference of a name is another than that of RELAY and SWML", async () => {
  const here = await scene({ cxml_shares_conferences: false });
  const [a, b, c] = [
    await here.place({ cxml_url: `${stub.url}/cxml` }),
    await here.place({ url: `${stub.url}/swml` }),
    await here.place(),
  ];
  const joined = await here.join(c, NAME);
  expect(await rosters(here)).toEqual([[a.call_id], [b.call_id, c.call_id]]);
  const [first, second] = await here.project.conferences();
  expect(first?.name).toBe(second?.name);
  expect(first?.conference_id).not.toBe(second?.conference_id);
  expect(joined).toMatchObject({ conference_id: second?.conference_id });
  const listed = await here.rest.conferences(`FriendlyName=${NAME}`);
  expect(listed.map(({ sid }) => sid)).toEqual([first?.conference_id, second?.conference_id]);
});

test("a name comes back as it was sent, and another spelling is another conference", async () => {
  const here = await scene();
  await here.join(await here.place(), "Acme:Support");
  await here.join(await here.place(), "acme:support");
  const listed = await here.rest.conferences();
  expect(listed.map(({ friendly_name }) => friendly_name)).toEqual(["Acme:Support", "acme:support"]);
});

test("with names_normalised, spellings share a conference, which events, callbacks and lists name alike", async () => {
  const told: string[] = [];
  const callbacks = await startWebStub(({ body }) => {
    told.push(JSON.parse(body).params.name);
    return {};
  });
  const here = await scene({ names_normalised: "trimmed_lower_case" });
  const [a, b] = [await here.place(), await here.place()];
  const status_callback = `${callbacks.url}/`;
  await here.relay.request("calling.answer", a);
  await here.relay.request("calling.join_conference", { ...a, name: " Acme:Support", status_callback });
  await here.join(b, "ACME:support");
  expect(await rosters(here)).toEqual([[a.call_id, b.call_id]]);
  const event = await here.relay.event("calling.conference", ({ call_id }) => call_id === b.call_id);
  expect(event["name"]).toBe("acme:support");
  await here.project.wait({ journal: { kind: "status_callback", contains: { status: "conference-start" } } });
  expect(new Set(told)).toEqual(new Set(["acme:support"]));
  expect(await here.rest.conferences()).toMatchObject([{ friendly_name: "acme:support" }]);
  callbacks.close();
});
