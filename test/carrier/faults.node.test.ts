import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import { Faults, faultSchema } from "./faults.ts";
import type { ProjectSettings } from "./settings.ts";

let carrier: Carrier;
let client: CarrierClient;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(() => carrier.close());

type FaultScript = NonNullable<ProjectSettings["faults"]>;
const phone = { from: "+15550100001", to: "+15550100100" };

async function scene(...faults: FaultScript) {
  const project = await client.createProject({ faults });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const call = await project.placeCall(phone);
  return { project, relay, call };
}

describe("a script", () => {
  test("skips, fires so often, and then never again", () => {
    const fault = faultSchema.parse({ at: "command", skip: 1, times: 2, do: { kind: "ignore" } });
    const faults = new Faults(1, () => {});
    faults.script([fault]);
    const fired = Array.from({ length: 5 }, () => faults.fire("command", {}) !== null);
    expect(fired).toEqual([false, true, true, false, false]);
  });

  test("fires for what matches alone", () => {
    const match = { method: "calling.join_conference", call_id: "a" };
    const faults = new Faults(1, () => {});
    faults.script([faultSchema.parse({ at: "command", match, do: { kind: "ignore" } })]);
    expect(faults.fire("command", { method: "calling.answer", call_id: "a" })).toBeNull();
    expect(faults.fire("answer", match)).toBeNull();
    expect(faults.fire("command", match)).not.toBeNull();
  });

  test("is the same for one seed, and for another it is another", () => {
    const run = (seed: number) => {
      const faults = new Faults(seed, () => {});
      faults.script([faultSchema.parse({ at: "event", probability: 0.5, do: { kind: "lose" } })]);
      return Array.from({ length: 64 }, () => faults.fire("event", {}) !== null).join();
    };
    expect(run(7)).toBe(run(7));
    expect(run(7)).not.toBe(run(8));
  });
});

describe("a connection", () => {
  test("is refused at connect without an answer, and at authenticate with AUTH_REQUIRED", async () => {
    const project = await client.createProject({
      faults: [
        { at: "connect", times: 1, do: { kind: "refuse" } },
        { at: "authenticate", times: 1, do: { kind: "refuse" } },
      ],
    });
    const first = await BareRelay.open(carrier.relay);
    await expect(first.connect(project)).rejects.toThrow("the socket closed");
    const second = await BareRelay.open(carrier.relay);
    expect((await second.connect(project)).error?.code).toBe(-32401);
    const third = await BareRelay.open(carrier.relay);
    expect((await third.connect(project)).result).toBeDefined();
    expect(await project.journal({ kind: "fault" })).toHaveLength(2);
  });
});

describe("a command", () => {
  test("is answered with a code or an error, and not executed", async () => {
    const { project, relay, call } = await scene(
      { at: "command", match: { method: "calling.answer" }, times: 1, do: { kind: "code", code: "409" } },
      { at: "command", match: { method: "calling.answer" }, times: 1, do: { kind: "error", code: -32000 } },
    );
    expect((await relay.request("calling.answer", call)).result).toMatchObject({ code: "409" });
    expect((await relay.request("calling.answer", call)).error).toMatchObject({ code: -32000 });
    expect((await project.call(call.call_id)).state).toBe("ringing");
  });

  test.each([
    ["swallow", "answered"],
    ["ignore", "ringing"],
  ] as const)("under %s is not answered, and the call is %s", async (kind, state) => {
    const { project, relay, call } = await scene({
      at: "command",
      match: { method: "calling.answer" },
      do: { kind },
    });
    relay.send({
      jsonrpc: "2.0",
      id: "8c4f1b9e-2f0a-4c57-9d4e-0a1b2c3d4e5f",
      method: "calling.answer",
      params: call,
    });
    await project.wait({ journal: { kind: "fault" } });
    await relay.request("signalwire.ping", {});
    expect((await project.call(call.call_id)).state).toBe(state);
    expect(
      relay.frames.some(
        (frame) => "result" in frame && frame["id"] === "8c4f1b9e-2f0a-4c57-9d4e-0a1b2c3d4e5f",
      ),
    ).toBe(false);
  });

  test.each([
    ["close_after", "answered"],
    ["close_before", "ringing"],
    ["drop_socket", "ringing"],
  ] as const)("under %s ends the connection, and the call is %s", async (kind, state) => {
    const { project, relay, call } = await scene({
      at: "command",
      match: { method: "calling.answer" },
      do: { kind },
    });
    await expect(relay.request("calling.answer", call)).rejects.toThrow("the socket closed");
    expect((await project.call(call.call_id)).state).toBe(state);
  });

  test("makes the server silent: nothing is read or answered, pings neither, until it is over", async () => {
    const { project, relay, call } = await scene({
      at: "command",
      match: { method: "calling.answer" },
      do: { kind: "go_silent", ms: 600_000 },
    });
    const [answer, ping] = [randomUUID(), randomUUID()];
    relay.send({ jsonrpc: "2.0", id: answer, method: "calling.answer", params: call });
    await project.wait({ journal: { kind: "fault" } });
    relay.send({ jsonrpc: "2.0", id: ping, method: "signalwire.ping", params: {} });
    await project.sendEvent("calling.error", { code: "1", message: "unsaid" });
    await project.sockets("silence", 0);
    await relay.request("signalwire.ping", {});
    expect(relay.frames.filter(({ id }) => id === answer || id === ping)).toEqual([]);
    expect(relay.events("calling.error")).toEqual([]);
  });
});

describe("a frame to the client", () => {
  test("is sent twice, the copy of an event under an id of its own", async () => {
    const { project, relay } = await scene({
      at: "event",
      match: { event_type: "calling.error" },
      do: { kind: "duplicate" },
    });
    await project.sendEvent("calling.error", { code: "1", message: "twice" });
    await relay.request("signalwire.ping", {});
    expect(relay.events("calling.error")).toHaveLength(2);
    const ids = relay.frames.filter((frame) => JSON.stringify(frame).includes("twice")).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  test("is overtaken by the next one, or lost", async () => {
    const { project, relay } = await scene(
      { at: "event", match: { event_type: "calling.error" }, times: 1, do: { kind: "reorder" } },
      { at: "event", match: { event_type: "calling.error" }, skip: 1, times: 1, do: { kind: "lose" } },
    );
    for (const code of ["1", "2", "3"]) await project.sendEvent("calling.error", { code, message: "m" });
    await relay.event("calling.error", ({ code }) => code === "1");
    expect(relay.events("calling.error").map(({ code }) => code)).toEqual(["2", "1"]);
  });

  test("is late where none comes to overtake it, and not lost, however many are to be overtaken", async () => {
    const { project, relay } = await scene({
      at: "event",
      match: { event_type: "calling.error" },
      do: { kind: "reorder" },
    });
    for (const code of ["1", "2", "3"]) await project.sendEvent("calling.error", { code, message: "m" });
    await relay.event("calling.error", ({ code }) => code === "3");
    expect(relay.events("calling.error").map(({ code }) => code)).toEqual(["2", "1", "3"]);
  });

  test("is held back by the project's latency", async () => {
    const { project, relay } = await scene();
    await project.change({ latency_ms: 60 });
    const began = Date.now();
    await relay.request("signalwire.ping", {});
    expect(Date.now() - began).toBeGreaterThanOrEqual(59);
  });
});

describe("a webhook", () => {
  test("fails, is answered in another's name, or is sent twice", async () => {
    const project = await client.createProject({
      via_tunnel: true,
      faults: [
        { at: "webhook", match: { to: "+15550100101" }, do: { kind: "refuse" } },
        { at: "webhook", match: { to: "+15550100102" }, do: { kind: "code", code: "502" } },
        { at: "webhook", match: { to: "+15550100103" }, do: { kind: "duplicate" } },
      ],
    });
    let arrived = 0;
    const close = await project.openTunnel(async () => {
      arrived += 1;
      return Response.json({ version: "1.0.0", sections: { main: [{ hangup: {} }] } });
    });
    const url = "https://edge.example.com/";
    const { call_id: refused } = await project.placeCall({ from: phone.from, to: "+15550100101", url });
    await project.wait({ call: { call_id: refused, stranded: true } });
    const { call_id: bad } = await project.placeCall({ from: phone.from, to: "+15550100102", url });
    const { call } = await project.wait({ call: { call_id: bad, stranded: true } });
    expect(call?.webhooks).toMatchObject([{ status: 502 }]);
    expect(arrived).toBe(0);
    const { call_id: twice } = await project.placeCall({ from: phone.from, to: "+15550100103", url });
    await project.wait({ call: { call_id: twice, state: "ended", stranded: false } });
    expect(arrived).toBe(2);
    close();
  });
});

describe("what a fault keeps from the client", () => {
  test("is no violation for want of an acknowledgement", async () => {
    const project = await client.createProject({
      ack_limit_ms: 30,
      faults: [
        { at: "event", match: { event_type: "calling.error" }, do: { kind: "reorder" } },
        { at: "answer", match: { method: "signalwire.ping" }, do: { kind: "delay", ms: 100 } },
      ],
    });
    const relay = await BareRelay.open(carrier.relay);
    await relay.connect(project);
    await project.sendEvent("calling.error", { code: "400", message: "held back" });
    await relay.request("signalwire.ping", {});
    expect(await project.journal({ kind: "violation" })).toEqual([]);
  });

  test("may be a status callback for good, in every try", async () => {
    const { project, relay, call } = await scene({
      at: "callback",
      match: { status: "participant-join" },
      do: { kind: "lose" },
    });
    const ids = { call_id: call.call_id, node_id: call.node_id };
    await relay.request("calling.answer", ids);
    await relay.request("calling.join_conference", {
      ...ids,
      name: "told",
      status_callback: "http://127.0.0.1:1/",
    });
    await project.hangUp(call.call_id);
    await project.wait({ journal: { kind: "status_callback", contains: { status: "participant-leave" } } });
    const told = await project.journal({ kind: "status_callback" });
    expect(told.some((entry) => entry["status"] === "participant-join")).toBe(false);
  });
});
