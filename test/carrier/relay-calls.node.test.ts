import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";

let carrier: Carrier;
let client: CarrierClient;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(() => carrier.close());

const phone = { from: "+15550100001", to: "+15550100100" };

async function scene(
  settings: ProjectSettings = {},
  connect: Record<string, unknown> = { contexts: ["office"] },
) {
  const project = await client.createProject({ speed: 50, ...settings });
  const relay = await BareRelay.open(carrier.relay);
  const { result = {} } = await relay.connect(project, connect);
  return { project, relay, protocol: String(result["protocol"]) };
}

/** A call of the context, as its event names it. */
async function offered(relay: BareRelay) {
  const { call_id, node_id } = await relay.event("calling.call.receive");
  return { call_id: String(call_id), node_id: String(node_id) };
}

describe("a context's call", () => {
  test("rings until its caller hangs up where nobody has subscribed, and nobody hears of it", async () => {
    const { project, relay } = await scene();
    await relay.request("signalwire.unreceive", { contexts: ["office"] });
    const { call_id } = await project.placeCall({ ...phone, context: "office" });
    await project.wait({ call: { call_id, state: "ringing", heard: { sound: "ring" } } });
    await project.hangUp(call_id);
    await project.sendEvent("calling.error", { code: "0", message: "last" });
    await relay.event("calling.error");
    expect([relay.events("calling.call.receive"), relay.events("calling.call.state")]).toEqual([[], []]);
  });

  test("is offered to whoever subscribes while it rings, and to one alone", async () => {
    const { project, relay } = await scene({}, {});
    const other = await BareRelay.open(carrier.relay);
    await other.connect(project);
    const { call_id } = await project.placeCall({ ...phone, context: "office" });
    await relay.request("signalwire.receive", { contexts: ["office"] });
    expect((await offered(relay)).call_id).toBe(call_id);
    await other.request("signalwire.receive", { contexts: ["office"] });
    expect(other.events("calling.call.receive")).toEqual([]);
  });

  test("is offered twice where a fault doubles the event, each under an id of its own", async () => {
    const match = { event_type: "calling.call.receive" };
    const { project, relay } = await scene({ faults: [{ at: "event", match, do: { kind: "duplicate" } }] });
    await project.placeCall({ ...phone, context: "office" });
    await offered(relay);
    await relay.request("signalwire.ping", {});
    expect(relay.events("calling.call.receive")).toHaveLength(2);
  });

  test("hears nothing after its answer until somebody plays something, and the ear counts", async () => {
    const { project, relay } = await scene({ speed: 200 });
    await project.placeCall({ ...phone, context: "office" });
    const call = await offered(relay);
    await relay.request("calling.answer", call);
    const silence = [{ type: "silence", params: { duration: 10 } }];
    await relay.request("calling.play", { ...call, control_id: "1", play: silence });
    await relay.event("calling.call.play", ({ state }) => state === "finished");
    const { longest_silence_ms, heard } = await project.call(call.call_id);
    expect(longest_silence_ms).toBeGreaterThanOrEqual(10_000);
    expect(heard[0]).toMatchObject({ sound: "ring", to_ms: expect.any(Number) });
  });

  test("obeys the session that resumed, and a new one once the old has no connection", async () => {
    const { project, relay, protocol } = await scene();
    await project.placeCall({ ...phone, context: "office" });
    const call = await offered(relay);
    relay.close();
    await relay.whenClosed();
    const resumed = await BareRelay.open(carrier.relay);
    await resumed.connect(project, { protocol });
    expect((await resumed.request("calling.answer", call)).result).toMatchObject({ code: "200" });
    await resumed.event("calling.call.state", ({ call_state }) => call_state === "answered");
    const fresh = await BareRelay.open(carrier.relay);
    await fresh.connect(project);
    const join = { ...call, name: "support" };
    expect((await fresh.request("calling.join_conference", join)).result).toMatchObject({ code: "409" });
    const after = (await project.journal({ kind: "session" })).at(-1)?.seq ?? 0;
    resumed.close();
    await project.wait({ journal: { kind: "session", contains: { what: "closed" } }, after });
    expect((await fresh.request("calling.join_conference", join)).result).toMatchObject({ code: "200" });
    await project.hangUp(call.call_id);
    await fresh.event("calling.call.state", ({ call_state }) => call_state === "ended");
  });

  test("is cut when its max_duration, in seconds from the answer, has passed", async () => {
    const { project, relay } = await scene();
    await project.placeCall({ ...phone, context: "office" });
    const call = await offered(relay);
    await relay.request("calling.answer", { ...call, max_duration: 10 });
    await relay.request("calling.join_conference", { ...call, name: "support" });
    const { end_reason } = await relay.event(
      "calling.call.state",
      ({ call_state }) => call_state === "ended",
    );
    expect(end_reason).toBe("max_duration");
    expect((await project.call(call.call_id)).joins).toMatchObject([{ left_at: expect.any(Number) }]);
  });
});

describe("a dialled phone", () => {
  const device = (to_number: string, timeout = 30) => ({
    type: "phone",
    params: { to_number, from_number: "+15550100100", timeout },
  });
  const phones: ProjectSettings["phones"] = {
    "+15550100011": { does: "answers", after_ms: 5000 },
    "+15550100012": { does: "busy" },
    "+15550100013": { does: "no_answer" },
    "+15550100014": { does: "failed" },
  };

  async function dialled(
    devices: unknown,
    more: Record<string, unknown> = {},
    settings: ProjectSettings = {},
  ) {
    const { project, relay } = await scene({ phones, speed: 200, ...settings });
    const { result } = await relay.request("calling.dial", { tag: "t", devices, ...more });
    expect(result).toEqual({ code: "200", message: "Dialing" });
    const outcome = await relay.event("calling.call.dial", ({ dial_state }) => dial_state !== "dialing");
    const states = relay.events("calling.call.state");
    return { project, relay, outcome, states };
  }

  test("that answers is told of by its states and its outcome, all by the tag", async () => {
    const { outcome, states } = await dialled([[device("+15550100011")]]);
    expect(states.map(({ call_state }) => call_state)).toEqual(["created", "ringing", "answered"]);
    const [{ call_id, node_id } = {}] = states;
    expect(states.every(({ tag, direction }) => tag === "t" && direction === "outbound")).toBe(true);
    expect(states.at(-1)).toMatchObject({
      created_by: "dial",
      start_time: expect.any(Number),
      answer_time: expect.any(Number),
    });
    expect(outcome).toMatchObject({
      tag: "t",
      dial_state: "answered",
      call: {
        call_id,
        node_id,
        tag: "t",
        device: { params: { to_number: "+15550100011" } },
        dial_winner: true,
      },
    });
    expect(outcome).not.toHaveProperty("call_id");
  });

  test.each([
    ["+15550100012", "busy", ["created", "ringing", "ending", "ended"]],
    ["+15550100013", "noAnswer", ["created", "ringing", "ending", "ended"]],
    ["+15550100014", "error", ["created", "ending", "ended"]],
  ])("%s fails: its leg ends for %s before the outcome comes", async (to, reason, expected) => {
    const { outcome, states, relay } = await dialled([[device(to)]]);
    expect(outcome).toMatchObject({ tag: "t", dial_state: "failed" });
    const types = relay.frames.flatMap(({ params }) => Object(params)["event_type"] ?? []);
    expect(types.at(-1)).toBe("calling.call.dial");
    expect(states.map(({ call_state }) => call_state)).toEqual(expected);
    expect(states.at(-1)).toMatchObject({ end_reason: reason });
  });

  test("is tried after the group before it failed; of a group whoever answers first wins", async () => {
    const { outcome, states, project } = await dialled([
      [device("+15550100012"), device("+15550100014")],
      [device("+15550100011"), device("+15550100015"), device("+15550100013")],
    ]);
    expect(outcome).toMatchObject({
      dial_state: "answered",
      call: { device: { params: { to_number: "+15550100015" } } },
    });
    const reasons = states
      .filter(({ call_state }) => call_state === "ended")
      .map(({ end_reason }) => end_reason);
    expect(reasons).toEqual(["error", "busy", "cancel", "cancel"]);
    expect(await project.journal({ kind: "violation" })).toEqual([]);
  });

  test("that its caller no longer wants fails as soon as it is ended", async () => {
    const { relay } = await scene({ phones });
    await relay.request("calling.dial", { tag: "t", devices: [[device("+15550100013", 600)]] });
    const { call_id, node_id } = await relay.event("calling.call.state");
    await relay.request("calling.end", { call_id, node_id, reason: "cancel" });
    await relay.event("calling.call.dial", ({ dial_state }) => dial_state === "failed");
  });

  const { type, params } = device("+15550100015");
  test.each([
    ["dial's max_duration, in minutes,", { type, params }, { max_duration: 1 }],
    ["device's max_duration, in seconds,", { type, params: { ...params, max_duration: 10 } }, {}],
    ["shorter of the two", { type, params: { ...params, max_duration: 7200 } }, { max_duration: 1 }],
  ])("is cut when the %s has passed", async (_, phone, more) => {
    const { relay } = await dialled([[phone]], more);
    const ended = await relay.event("calling.call.state", ({ call_state }) => call_state === "ended");
    expect(ended).toMatchObject({ end_reason: "max_duration" });
  });

  test.each([
    ["minutes", 600_000, 1000],
    ["seconds", 10_000, 50],
  ] as const)(
    "has the dial's max_duration in %s by the switch, and the journal tells both limits and the end",
    async (unit, ms, speed) => {
      const phone = { type, params: { ...params, max_duration: 7200 } };
      const settings: ProjectSettings = { switches: { dial_max_duration_unit: unit }, speed };
      const { project } = await dialled([[phone]], { max_duration: 10 }, settings);
      await project.wait({
        journal: { kind: "call", contains: { device_max_duration_ms: 7_200_000, dial_max_duration_ms: ms } },
      });
      await project.wait({
        journal: { kind: "call", contains: { end_reason: "max_duration", state: "ended" } },
      });
    },
  );
});
