import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { startWebStub } from "./web-stub.ts";

let carrier: Carrier;
let client: CarrierClient;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(() => carrier.close());

const phone = { from: "+15550100001", to: "+15550100100" };

async function scene(settings: ProjectSettings, connect: Record<string, unknown> = {}) {
  const project = await client.createProject(settings);
  const relay = await BareRelay.open(carrier.relay);
  const { result = {} } = await relay.connect(project, connect);
  return { project, relay, protocol: String(result["protocol"]) };
}

test.each([
  [false, "200"],
  [true, "409"],
])("a call of a session without a connection obeys another by the switch: %s", async (owns, code) => {
  const switches = { session_owns_calls_after_reconnect: owns };
  const { project, relay, protocol } = await scene({ switches }, { contexts: ["office"] });
  await project.placeCall({ ...phone, context: "office" });
  const { call_id, node_id } = await relay.event("calling.call.receive");
  const after = (await project.journal({ kind: "session" })).at(-1)?.seq ?? 0;
  relay.close();
  await project.wait({ journal: { kind: "session", contains: { what: "closed" } }, after });
  const fresh = await BareRelay.open(carrier.relay);
  await fresh.connect(project);
  expect((await fresh.request("calling.answer", { call_id, node_id })).result).toMatchObject({ code });
  if (!owns) return;
  const resumed = await BareRelay.open(carrier.relay);
  await resumed.connect(project, { protocol });
  expect((await resumed.request("calling.answer", { call_id, node_id })).result).toMatchObject({
    code: "200",
  });
});

test("a session that was told to start anew gives its calls up", async () => {
  const switches = { session_owns_calls_after_reconnect: true };
  const { project, relay } = await scene({ switches }, { contexts: ["office"] });
  await project.placeCall({ ...phone, context: "office" });
  const { call_id, node_id } = await relay.event("calling.call.receive");
  await project.sockets("disconnect_restart");
  await relay.whenClosed();
  const fresh = await BareRelay.open(carrier.relay);
  await fresh.connect(project);
  expect((await fresh.request("calling.answer", { call_id, node_id })).result).toMatchObject({ code: "200" });
});

/** The timestamp of an event and of a callback, both of one join, and when it was asked for. */
async function timestamps(switches: ProjectSettings["switches"]) {
  const stub = await startWebStub(() => ({}));
  const { project, relay } = await scene({ switches });
  const call = await project.placeCall(phone);
  const before_s = Date.now() / 1000;
  await relay.request("calling.answer", call);
  const name = "board";
  await relay.request("calling.join_conference", { ...call, name, status_callback: stub.url });
  await expect.poll(() => stub.received.length).toBeGreaterThan(0);
  const { params } = await relay.frame(({ params }) => Object(params)["event_type"] === "calling.conference");
  const callback: Record<string, unknown> = JSON.parse(stub.received[0]?.body ?? "");
  stub.close();
  return { before_s, told: [Object(params)["timestamp"], callback["timestamp"]].map(Number) };
}

test("timestamps are whole seconds where the switch says so", async () => {
  const { told } = await timestamps({ timestamps_in_whole_seconds: true });
  expect(told.map(Number.isInteger)).toEqual([true, true]);
});

test.each([5000, -5000] as const)("the server's clock is off by the switch: %d ms", async (skew_ms) => {
  const { told, before_s } = await timestamps({ server_clock_skew_ms: skew_ms });
  for (const timestamp of told) expect(Math.abs(timestamp - skew_ms / 1000 - before_s)).toBeLessThan(3);
});

test.each([
  ["404_410", ["404", "410"]],
  ["422", ["422", "422"]],
] as const)(
  "a call that is not there, and one that is over, get the codes of the switch: %s",
  async (reading, codes) => {
    const { project, relay } = await scene({ switches: { gone_code: reading } });
    const unknown = { call_id: randomUUID(), node_id: randomUUID() };
    const call = await project.placeCall(phone);
    await project.hangUp(call.call_id);
    const answers = [
      await relay.request("calling.answer", unknown),
      await relay.request("calling.answer", call),
    ];
    expect(answers.map(({ result }) => result?.["code"])).toEqual(codes);
  },
);

test.each([true, false])(
  "the end of a conference is told, by RELAY and by callback, by the switch: %s",
  async (told) => {
    const status = "conference-end";
    const { project, relay } = await scene({
      switches: { conference_end_told: told },
      faults: [{ at: "callback", match: { status }, do: { kind: "lose" } }],
    });
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    const status_callback = "http://127.0.0.1:1/s";
    await relay.request("calling.join_conference", { ...call, name: "board", status_callback });
    await project.hangUp(call.call_id);
    await project.wait({ journal: { kind: "conference", contains: { status } } });
    await project.sendEvent("calling.error", { code: "0", message: "last" });
    await relay.event("calling.error");
    expect(relay.events("calling.conference").some((event) => event["status"] === status)).toBe(told);
    // The fault marks the moment at which the callback would have gone out.
    expect(await project.journal({ kind: "fault" })).toHaveLength(told ? 1 : 0);
  },
);
