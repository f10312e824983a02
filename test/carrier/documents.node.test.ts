import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import { startWebStub, swml, type WebStub } from "./web-stub.ts";

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

async function web(...respond: Parameters<typeof startWebStub>): Promise<WebStub> {
  const stub = await startWebStub(...respond);
  stubs.push(stub);
  return stub;
}

const phone = { from: "+15550100001", to: "+15550100100" };
const bodyOf = (text: string): Record<string, unknown> => JSON.parse(text);

describe("a placed call", () => {
  test("sends the documented webhook, signed twice, and runs what it gets back", async () => {
    const project = await client.createProject({ speed: 50 });
    const stub = await web(() => swml({ answer: {} }, { play: { url: "say:Hello there" } }));
    const { call_id, node_id } = await project.placeCall({
      ...phone,
      url: `${stub.url}/hook?a=1#rt=9000`,
      headers: [{ name: "X-Tier", value: "gold" }],
      params: { room: "x" },
    });
    const { call } = await project.wait({
      call: { call_id, state: "ended", heard: { sound: "say", contains: "Hello there" } },
    });
    expect(call).toMatchObject({ stranded: false, end_reason: "hangup", two_sounds: false });
    const [request] = stub.received;
    expect(request?.path).toBe("/hook?a=1");
    expect(bodyOf(request?.body ?? "")).toMatchObject({
      call: {
        call_id,
        node_id,
        call_state: "created",
        direction: "inbound",
        type: "phone",
        from_number: phone.from,
        to_number: phone.to,
        headers: [{ name: "X-Tier", value: "gold" }],
        project_id: project.project_id,
      },
      vars: {},
      envs: {},
      params: { room: "x" },
    });
    const signed = createHmac("sha256", project.signing_key)
      .update(`${stub.url}/hook?a=1${request?.body}`)
      .digest("hex");
    expect(request?.headers["x-signalwire-sha256-signature"]).toBe(signed);
  });

  test("over SIP has sip_data and no numbers", async () => {
    const project = await client.createProject();
    const stub = await web(() => swml({ hangup: {} }));
    const from = "sip:alice@pbx.example.com";
    const { call_id } = await project.placeCall({
      from,
      to: "sip:room@example.com",
      type: "sip",
      url: stub.url,
    });
    await project.wait({ call: { call_id, state: "ended" } });
    const { call } = bodyOf(stub.received[0]?.body ?? "");
    expect(call).toMatchObject({ sip_data: { sip_from_user: "alice", sip_from_host: "pbx.example.com" } });
    expect(call).not.toHaveProperty("from_number");
  });

  test("hears ringback until it is answered", async () => {
    const project = await client.createProject();
    const { call_id } = await project.placeCall(phone);
    const { heard } = await project.call(call_id);
    expect(heard).toMatchObject([{ sound: "ring", from_ms: expect.closeTo(0, -2), to_ms: null }]);
  });

  test("sends duplicated webhooks at the same instant and uses the first one's answer", async () => {
    const project = await client.createProject({ speed: 50 });
    let asked = 0;
    const together = Promise.withResolvers<void>();
    const stub = await web(async () => {
      asked += 1;
      const mine = asked;
      if (asked === 3) together.resolve();
      await together.promise;
      return swml({ play: { url: `say:Answer ${mine}` } });
    });
    const { call_id } = await project.placeCall({ ...phone, url: stub.url, duplicate_webhooks: 3 });
    await project.wait({ call: { call_id, state: "ended", heard: { contains: "Answer" } } });
    expect(new Set(stub.received.map(({ body }) => body)).size).toBe(1);
    expect((await project.call(call_id)).heard.filter(({ sound }) => sound === "say")).toHaveLength(1);
  });

  test("falls back where the first URL fails, and is stranded where nothing answers", async () => {
    const project = await client.createProject({ speed: 50 });
    const broken = await web(() => ({ status: 503 }));
    const fallback = await web(() => swml({ play: { url: "say:Sorry" } }));
    const saved = await project.placeCall({ ...phone, url: broken.url, fallback_url: fallback.url });
    await project.wait({ call: { call_id: saved.call_id, heard: { contains: "Sorry" } } });
    const lost = await project.placeCall({ ...phone, url: broken.url });
    const { call } = await project.wait({ call: { call_id: lost.call_id, stranded: true, state: "ended" } });
    expect(call?.webhooks).toMatchObject([{ status: 503 }]);
  });

  test("keys digits into a prompt", async () => {
    const project = await client.createProject({ speed: 50 });
    const stub = await web(({ body }) =>
      Object.keys(Object(bodyOf(body)["vars"])).length > 0
        ? swml({ hangup: {} })
        : swml(
            { prompt: { play: "say:Your PIN", max_digits: 4, initial_timeout: 500 } },
            { transfer: { dest: `${stub.url}/next` } },
          ),
    );
    const { call_id } = await project.placeCall({ ...phone, url: stub.url });
    await project.wait({ call: { call_id, heard: { contains: "Your PIN" } } });
    await project.digits(call_id, "1234");
    const { call } = await project.wait({ call: { call_id, state: "ended" } });
    expect(call?.vars).toMatchObject({ prompt_result: "match_digits", prompt_value: "1234" });
  });
});

describe("a document and RELAY on one call", () => {
  const held = () => swml({ answer: {} }, { sleep: -1 });

  async function joinedCall(settings: Parameters<CarrierClient["createProject"]>[0], stub: WebStub) {
    const project = await client.createProject(settings);
    const relay = await BareRelay.open(carrier.relay);
    await relay.connect(project);
    const call = await project.placeCall({ ...phone, url: stub.url });
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    await relay.request("calling.join_conference", { ...call, name: "support" });
    await project.wait({ call: { call_id: call.call_id, in_conference: "support" } });
    return { project, relay, call };
  }

  test("while the document sleeps, the room that RELAY joined is what the caller hears", async () => {
    const { project, call } = await joinedCall({}, await web(held));
    const view = await project.call(call.call_id);
    expect(view).toMatchObject({ joined_by: "relay", two_sounds: false });
    expect(view.heard.at(-1)).toMatchObject({ sound: "music", detail: "support", to_ms: null });
  });

  test.each([
    [false, "support"],
    [true, null],
  ])("transferring to a document takes the call out only by the switch: %s", async (out, conference) => {
    const stub = await web(held);
    const switches = { document_takes_call_out_of_conference: out };
    const { project, relay, call } = await joinedCall({ switches }, stub);
    await relay.request("calling.transfer", { ...call, dest: `${stub.url}/next` });
    await project.wait({ journal: { kind: "document", contains: { fetched: `${stub.url}/next` } } });
    await project.wait({ call: { call_id: call.call_id, in_conference: conference } });
  });

  test("an inline join by a document is joined_by document, and a transfer takes it out of there", async () => {
    const project = await client.createProject();
    const relay = await BareRelay.open(carrier.relay);
    await relay.connect(project);
    const stub = await web(({ path }) =>
      path === "/next" ? held() : swml({ join_conference: { name: "support" } }),
    );
    const call = await project.placeCall({ ...phone, url: stub.url });
    const { call: joined } = await project.wait({
      call: { call_id: call.call_id, in_conference: "support" },
    });
    expect(joined?.joined_by).toBe("document");
    await relay.request("calling.transfer", { ...call, dest: `${stub.url}/next` });
    await project.wait({ call: { call_id: call.call_id, in_conference: null, state: "answered" } });
    expect((await project.call(call.call_id)).joins).toMatchObject([
      { by: "document", left_at: expect.any(Number) },
    ]);
  });

  test("a document's end ends the call, in whatever conference RELAY put it", async () => {
    const stub = await web(() => swml({ answer: {} }, { play: { url: "silence:5" } }));
    const { project, call } = await joinedCall({ speed: 10 }, stub);
    await project.wait({ call: { call_id: call.call_id, state: "ended", in_conference: null } });
  });
});

describe("a tunnel", () => {
  test("carries webhooks to a test without a port", async () => {
    const project = await client.createProject({ speed: 50, via_tunnel: true });
    const asked: string[] = [];
    const close = await project.openTunnel(async (request) => {
      asked.push(`${request.method} ${request.url} ${(await request.text()).includes(phone.from)}`);
      return Response.json(swml({ play: { url: "say:Grüße" } }).json);
    });
    const { call_id } = await project.placeCall({ ...phone, url: "https://edge.example.com/hook" });
    await project.wait({ call: { call_id, state: "ended", heard: { contains: "Grüße" } } });
    expect(asked).toEqual(["POST https://edge.example.com/hook true"]);
    close();
  });

  test("that is not open refuses the connection", async () => {
    const project = await client.createProject({ via_tunnel: true });
    const { call_id } = await project.placeCall({ ...phone, url: "https://edge.example.com/hook" });
    await project.wait({ call: { call_id, stranded: true } });
  });
});
