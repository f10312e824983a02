import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";

let carrier: Carrier;
let client: CarrierClient;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(() => carrier.close());

const authorizationState = (relay: BareRelay) =>
  relay.event("signalwire.authorization.state").then((params) => params["authorization_state"]);

describe("connecting", () => {
  test("gives a protocol, an identity and then an authorization state, and no code", async () => {
    const project = await client.createProject();
    const relay = await BareRelay.open(carrier.relay);
    const { result } = await relay.connect(project);
    expect(result).toMatchObject({
      protocol: expect.stringMatching(/^signalwire_/),
      identity: expect.any(String),
      session_restored: false,
    });
    expect(result).not.toHaveProperty("code");
    expect(await authorizationState(relay)).toEqual(expect.any(String));
  });

  test("with a wrong token is AUTH_REQUIRED, and the socket is closed", async () => {
    const project = await client.createProject();
    const relay = await BareRelay.open(carrier.relay);
    const { error } = await relay.connect({ project_id: project.project_id, token: "wrong" });
    expect(error).toMatchObject({ code: -32401, data: { signalwire_error_code: "AUTH_REQUIRED" } });
    await relay.whenClosed();
  });

  test("after the token was rotated takes the new one alone, and no state that the old one brought", async () => {
    const project = await client.createProject();
    const first = await BareRelay.open(carrier.relay);
    const { result } = await first.connect(project);
    const authorization_state = await authorizationState(first);
    const changed = await project.change({ token: "PT-new" });
    const second = await BareRelay.open(carrier.relay);
    const resume = { protocol: result?.["protocol"], authorization_state };
    expect((await second.connect(project, resume)).error?.code).toBe(-32401);
    const third = await BareRelay.open(carrier.relay);
    expect((await third.connect(changed, resume)).result).toMatchObject({ session_restored: true });
  });

  test("with another version, an unknown parameter or without event_acks is an error and a violation", async () => {
    const project = await client.createProject();
    for (const wrong of [
      { version: { major: 1, minor: 0, revision: 0 } },
      { event_acks: false },
      { surprise: 1 },
    ]) {
      const relay = await BareRelay.open(carrier.relay);
      expect((await relay.connect(project, wrong)).error?.code).toBe(-32602);
    }
    expect(await project.journal({ kind: "violation" })).toHaveLength(3);
  });

  test("is refused to every other frame before it", async () => {
    const relay = await BareRelay.open(carrier.relay);
    const { error } = await relay.request("signalwire.ping", {});
    expect(error?.code).toBe(-32401);
  });

  test("takes the project and token that SignalWire's TypeScript client repeats, and does not go by them", async () => {
    const project = await client.createProject();
    const repeated = { project: project.project_id, token: project.token };
    const relay = await BareRelay.open(carrier.relay);
    expect((await relay.connect(project, repeated)).result).toMatchObject({ session_restored: false });
    const other = await BareRelay.open(carrier.relay);
    const { error } = await other.connect({ project_id: project.project_id, token: "wrong" }, repeated);
    expect(error?.code).toBe(-32401);
    expect(JSON.stringify(await project.journal())).not.toContain(project.token);
  });

  test.each<[string, Record<string, unknown>]>([
    ["an unknown parameter", { params: { surprise: 1 } }],
    ["an id that is no UUID", { id: "1" }],
    ["another method", { method: "signalwire.ping" }],
  ])("with %s is journaled as it came, without the token", async (_, { params, ...more }) => {
    const project = await client.createProject();
    const relay = await BareRelay.open(carrier.relay);
    const authentication = { project: project.project_id, token: project.token };
    const envelope = { jsonrpc: "2.0", id: randomUUID(), method: "signalwire.connect", ...more };
    relay.send({ ...envelope, params: { authentication, ...Object(params) } });
    await relay.whenClosed();
    await project.wait({ journal: { kind: "frame_in", contains: { frame: envelope } } });
    expect(await project.journal({ kind: "violation" })).toHaveLength(1);
    expect(JSON.stringify(await project.journal())).not.toContain(project.token);
  });
});

test("every event names its project and space", async () => {
  const project = await client.createProject();
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  await authorizationState(relay);
  const [frame] = relay.frames.filter(({ method }) => method === "signalwire.event");
  expect(frame?.["params"]).toMatchObject({
    project_id: project.project_id,
    space_id: expect.any(String),
    event_channel: expect.any(String),
    timestamp: expect.any(Number),
  });
});

describe("resuming", () => {
  test("with protocol and state needs no token, and restores the session", async () => {
    const project = await client.createProject();
    const first = await BareRelay.open(carrier.relay);
    const { result } = await first.connect(project);
    const authorization_state = await authorizationState(first);
    await project.sockets("drop");
    await first.whenClosed();
    const second = await BareRelay.open(carrier.relay);
    const answer = await second.request("signalwire.connect", {
      version: { major: 2, minor: 0, revision: 0 },
      agent: "bare",
      event_acks: true,
      protocol: result?.["protocol"],
      authorization_state,
    });
    expect(answer.result).toMatchObject({ session_restored: true, protocol: result?.["protocol"] });
    expect(await authorizationState(second)).not.toBe(authorization_state);
  });

  test("with a stale state falls back to the token", async () => {
    const project = await client.createProject({ switches: { authorization_state_survives: false } });
    const first = await BareRelay.open(carrier.relay);
    const { result } = await first.connect(project);
    const authorization_state = await authorizationState(first);
    const resume = { protocol: result?.["protocol"], authorization_state };
    const second = await BareRelay.open(carrier.relay);
    expect((await second.connect(project, resume)).result).toMatchObject({ session_restored: true });
    const third = await BareRelay.open(carrier.relay);
    const wrong = { project_id: project.project_id, token: "wrong" };
    expect((await third.connect(wrong, resume)).error?.code).toBe(-32401);
  });

  test.each([true, false])("brings missed events only where the switch says so: %s", async (replay) => {
    const project = await client.createProject({ switches: { replay_events_on_resume: replay } });
    const first = await BareRelay.open(carrier.relay);
    const { result } = await first.connect(project);
    first.close();
    await project.wait({ journal: { kind: "session", contains: { what: "closed" } } });
    await project.sendEvent("calling.error", { code: "1", message: "missed" });
    const second = await BareRelay.open(carrier.relay);
    await second.connect(project, { protocol: result?.["protocol"] });
    await project.sendEvent("calling.error", { code: "2", message: "seen" });
    await second.event("calling.error", ({ code }) => code === "2");
    expect(second.events("calling.error").map(({ code }) => code)).toEqual(replay ? ["1", "2"] : ["2"]);
  });

  test("after a disconnect with restart begins a new session", async () => {
    const project = await client.createProject();
    const first = await BareRelay.open(carrier.relay);
    const { result } = await first.connect(project);
    await project.sockets("disconnect_restart");
    const frame = await first.frame(({ method }) => method === "signalwire.disconnect");
    expect(frame["params"]).toEqual({ restart: true });
    await first.whenClosed();
    const second = await BareRelay.open(carrier.relay);
    const again = await second.connect(project, { protocol: result?.["protocol"] });
    expect(again.result).toMatchObject({ session_restored: false });
  });
});

describe("a connection", () => {
  async function connected(settings: Parameters<CarrierClient["createProject"]>[0] = {}) {
    const project = await client.createProject(settings);
    const relay = await BareRelay.open(carrier.relay);
    await relay.connect(project);
    return { project, relay };
  }

  test("answers pings, and sends its own", async () => {
    const { relay, project } = await connected({ ping_interval_ms: 20 });
    expect((await relay.request("signalwire.ping", { timestamp: 5 })).result).toEqual({ timestamp: 5 });
    await relay.frame(({ method }) => method === "signalwire.ping");
    expect(await project.journal({ kind: "violation" })).toEqual([]);
  });

  test("journals an event that is not acknowledged in time", async () => {
    const { relay, project } = await connected({ ack_limit_ms: 30 });
    relay.acks = false;
    await project.sendEvent("calling.error", { code: "1", message: "unheard" });
    await project.wait({ journal: { kind: "violation", contains: { event_type: "calling.error" } } });
  });

  test("that answers a disconnect is closed with 1000", async () => {
    const { relay, project } = await connected();
    await project.sockets("disconnect");
    await relay.whenClosed();
    await project.wait({ journal: { kind: "session", contains: { what: "closed", code: 1000 } } });
    expect(await project.journal({ kind: "violation" })).toEqual([]);
  });

  test.each(["stays", "leaves"])(
    "that %s without answering a disconnect is journaled for it",
    async (does) => {
      const { relay, project } = await connected();
      relay.answers = false;
      await project.sockets("disconnect");
      await relay.frame(({ method }) => method === "signalwire.disconnect");
      if (does === "leaves") relay.close();
      await relay.whenClosed();
      await project.wait({ journal: { kind: "violation", contains: { method: "signalwire.disconnect" } } });
      expect(await project.journal({ kind: "violation" })).toHaveLength(1);
    },
  );

  test("takes no request id twice, a resume in between or not", async () => {
    const { relay, project } = await connected();
    const id = randomUUID();
    await relay.request("signalwire.ping", {}, id);
    relay.frames.length = 0;
    expect((await relay.request("signalwire.ping", {}, id)).error?.code).toBe(-32600);
    await project.wait({ journal: { kind: "violation", contains: { id } } });
  });

  test("refuses an unknown method, and journals it", async () => {
    const { relay, project } = await connected();
    expect((await relay.request("calling.levitate", {})).error?.code).toBe(-32601);
    await project.wait({ journal: { kind: "violation", contains: { method: "calling.levitate" } } });
  });

  test("journals an answer to nothing, and a frame that is no JSON-RPC", async () => {
    const { relay, project } = await connected();
    relay.send({ jsonrpc: "2.0", id: "no-such", result: {} });
    relay.send("not json");
    await project.wait({ journal: { kind: "violation", contains: { id: "no-such" } } });
    await project.wait({
      journal: { kind: "violation", contains: { reason: "not a JSON-RPC 2.0 request" } },
    });
    await project.wait({ journal: { kind: "frame_in", contains: { frame: "not json" } } });
  });

  test("shows no token of a frame that is not JSON in the journal", async () => {
    const { relay, project } = await connected();
    relay.send(`{"method":"signalwire.connect","token":"${project.token}`);
    await project.wait({ journal: { kind: "violation", contains: {} } });
    expect(JSON.stringify(await project.journal({ kind: "frame_in" }))).toContain("[secret]");
    expect(JSON.stringify(await project.journal())).not.toContain(project.token);
  });

  test("shows no token and no authorization state in the journal", async () => {
    const { relay, project } = await connected();
    const state = await authorizationState(relay);
    const journal = JSON.stringify(await project.journal());
    expect(journal).not.toContain(project.token);
    expect(journal).not.toContain(state);
  });

  test("is refused during an outage", async () => {
    await client.outage(false, 60_000);
    await expect(BareRelay.open(carrier.relay)).rejects.toThrow();
    await client.outage(true);
    await BareRelay.open(carrier.relay);
  });

  test("carries injected frames and events as they are", async () => {
    const { relay, project } = await connected();
    await project.sendFrame('{"odd":true}');
    await relay.frame((frame) => frame["odd"] === true);
  });
});
