import { randomUUID } from "node:crypto";
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

async function scene(settings: ProjectSettings = {}) {
  const project = await client.createProject({ speed: 50, ...settings });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  return { project, relay };
}

describe("a command's params", () => {
  const join = { name: "support" };
  const ringtone = (name: string) => ({ type: "ringtone", params: { name } });
  const collecting = (initial_timeout: number) => ({
    control_id: "1",
    play: [ringtone("us")],
    collect: { initial_timeout, digits: { max: 4 } },
  });
  test.each<[string, string, Record<string, unknown>, string]>([
    ["a missing name", "calling.join_conference", {}, "name"],
    ["a boolean beep", "calling.join_conference", { ...join, beep: true }, "beep"],
    ["a mistyped muted", "calling.join_conference", { ...join, muted: "yes" }, "muted"],
    ["an undocumented parameter", "calling.join_conference", { ...join, acl: "x" }, "acl"],
    ["an unknown region", "calling.join_conference", { ...join, region: "mars" }, "region"],
    ["too few participants", "calling.join_conference", { ...join, max_participants: 1 }, "max_participants"],
    [
      "a stream without TLS",
      "calling.join_conference",
      { ...join, stream: { url: "ws://a.example.com" } },
      "url",
    ],
    [
      "an unknown callback word",
      "calling.join_conference",
      { ...join, status_callback_event: "start,end" },
      "spaces",
    ],
    ["an unknown reason", "calling.end", { reason: "bored" }, "reason"],
    ["a play without media", "calling.play", { control_id: "1", play: [] }, "play"],
    ["a ringtone of nowhere", "calling.play", { control_id: "1", play: [ringtone("xx")] }, "name"],
    ["no time for a first key", "calling.play_and_collect", collecting(0), "initial_timeout"],
    ["an inline document that is no string", "calling.transfer", { dest: { version: "1.0.0" } }, "dest"],
  ])("with %s are refused and journaled", async (_, method, params, told) => {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    const { error } = await relay.request(method, { ...call, ...params });
    expect(error).toMatchObject({ code: -32602, message: expect.stringContaining(told) });
    await project.wait({ journal: { kind: "violation", contains: { method } } });
  });

  test("of a dial are refused where a device lacks its number or address", async () => {
    const { relay } = await scene();
    for (const device of [
      { type: "phone", params: { from_number: "+15550100100" } },
      { type: "sip", params: { to: "sip:desk@example.com" } },
    ]) {
      const { error } = await relay.request("calling.dial", { tag: "t", devices: [[device]] });
      expect(error).toMatchObject({ code: -32602, message: expect.stringContaining("devices.0.0.params") });
    }
  });

  test("of a play may be all that SignalWire's schema has, and it loops", async () => {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    const { result } = await relay.request("calling.play", {
      ...call,
      control_id: "1",
      play: [{ type: "tts", params: { text: "Again", language: "en-US", gender: "male", voice: "man" } }],
      volume: 3,
      direction: "listen",
      loop: 2,
      status_url: "http://127.0.0.1:1/s",
    });
    expect(result).toMatchObject({ code: "200" });
    await relay.event("calling.call.play", ({ state }) => state === "finished");
    const { heard } = await project.call(call.call_id);
    expect(heard.map(({ detail }) => detail)).toEqual(["ringback", "Again", "Again"]);
  });

  test("of a play may have it heard on the far side", async () => {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    const command = { ...call, control_id: "1", play: [ringtone("us")], direction: "hear" };
    expect((await relay.request("calling.play", command)).result).toMatchObject({ code: "200" });
  });

  test("of a collect that asks for neither digits nor speech are refused", async () => {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    const command = { ...call, control_id: "1", play: [ringtone("us")], collect: { initial_timeout: 1 } };
    expect((await relay.request("calling.play_and_collect", command)).error?.code).toBe(-32602);
  });

  test.each([
    {
      type: "phone",
      params: {
        to_number: "+15550100011",
        from_number: "+15550100100",
        codecs: "PCMU,PCMA",
        headers: [{ name: "X-Tier", value: "gold" }],
        confirm: "https://partyline.test/confirm",
      },
    },
    {
      type: "phone",
      params: { to_number: "+15550100011", codecs: ["PCMU"], confirm: [{ play: { url: "say:Press 1" } }] },
    },
    { type: "webrtc", params: { to: "/private/user-1", from: "+15550100100", codecs: ["OPUS"] } },
  ])("of a dial may have $type devices as SignalWire's clients write them (%#)", async (device) => {
    const { relay } = await scene();
    const { result } = await relay.request("calling.dial", { tag: "t", devices: [[device]] });
    expect(result).toMatchObject({ code: "200" });
    const answered = await relay.event("calling.call.dial", ({ dial_state }) => dial_state === "answered");
    expect(answered).toMatchObject({ call: { device: { type: device.type } } });
  });

  test("may be all that the protocol's table has", async () => {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", { ...call, max_duration: 3600, codecs: "PCMU" });
    const { result } = await relay.request("calling.join_conference", {
      ...call,
      name: "full",
      muted: true,
      beep: "onEnter",
      start_on_enter: true,
      end_on_exit: true,
      wait_url: "https://music.example.com/a.mp3",
      max_participants: 300,
      record: "record-from-start",
      region: "us",
      trim: "do-not-trim",
      status_callback: "http://127.0.0.1:1/s",
      status_callback_event: "start end join leave mute hold modify speaker announcement",
      status_callback_event_type: "laml",
      status_callback_method: "GET",
      recording_status_callback: "http://127.0.0.1:1/r",
      recording_status_callback_event: "in-progress completed absent",
      recording_status_callback_event_type: "cxml",
      recording_status_callback_method: "POST",
      stream: {
        url: "wss://stream.example.com/",
        codec: "L16@24000h@40i",
        realtime: true,
        authorization_bearer_token: "very-secret",
        custom_parameters: { a: "b" },
      },
    });
    expect(result).toMatchObject({ code: "200", message: "Joining conference" });
    await project.wait({ call: { call_id: call.call_id, heard: { sound: "music", contains: "a.mp3" } } });
    expect(JSON.stringify(await project.journal())).not.toContain("very-secret");
  });
});

describe("a call", () => {
  test("that nobody has is 404, one at another node too, and one that has ended is 410", async () => {
    const { project, relay } = await scene();
    const nobody = { call_id: randomUUID(), node_id: randomUUID() };
    expect((await relay.request("calling.answer", nobody)).result).toMatchObject({ code: "404" });
    const call = await project.placeCall(phone);
    const elsewhere = { ...call, node_id: randomUUID() };
    expect((await relay.request("calling.answer", elsewhere)).result).toMatchObject({ code: "404" });
    await project.hangUp(call.call_id);
    expect((await relay.request("calling.answer", call)).result).toMatchObject({ code: "410" });
  });

  test.each(["404", "409"] as const)(
    "that came by webhook is %s to RELAY where the switch says so",
    async (code) => {
      const { project, relay } = await scene({ switches: { relay_drives_webhook_calls: code } });
      const call = await project.placeCall(phone);
      expect((await relay.request("calling.answer", call)).result).toMatchObject({ code });
    },
  );

  test("of a context is offered to one of its clients, whose it then is, with its states in order", async () => {
    const { project, relay } = await scene();
    const other = await BareRelay.open(carrier.relay);
    await other.connect(project);
    await relay.request("signalwire.receive", { contexts: ["office"] });
    await project.placeCall({ ...phone, context: "office" });
    const received = await relay.event("calling.call.receive");
    expect(received).toMatchObject({
      context: "office",
      direction: "inbound",
      call_state: "created",
      device: { type: "phone", params: { from_number: phone.from, to_number: phone.to } },
    });
    const call = { call_id: received["call_id"], node_id: received["node_id"] };
    expect((await other.request("calling.answer", call)).result).toMatchObject({ code: "409" });
    expect((await relay.request("calling.answer", call)).result).toMatchObject({ message: "Answered" });
    expect((await relay.request("calling.end", { ...call, reason: "busy" })).result).toMatchObject({
      message: "Disconnecting call",
    });
    await relay.event("calling.call.state", ({ end_reason }) => end_reason === "busy");
    expect(relay.events("calling.call.state").map((state) => state["call_state"])).toEqual([
      "ringing",
      "answered",
      "ending",
      "ended",
    ]);
    expect(other.events("calling.call.state")).toEqual([]);
  });

  test("that was passed on is offered to the next client, and waits where there is none", async () => {
    const { project, relay } = await scene();
    await relay.request("signalwire.receive", { contexts: ["office"] });
    const call = await project.placeCall({ ...phone, context: "office" });
    await relay.event("calling.call.receive");
    expect((await relay.request("calling.pass", call)).result).toMatchObject({ message: "Passing call" });
    const other = await BareRelay.open(carrier.relay);
    await other.connect(project, { contexts: ["office"] });
    expect(await other.event("calling.call.receive")).toMatchObject({ call_id: call.call_id });
  });

  test.each([true, false])(
    "that came by webhook tells RELAY its states only by the switch: %s",
    async (told) => {
      const { project, relay } = await scene({ switches: { call_state_events_of_webhook_calls: told } });
      const call = await project.placeCall(phone);
      await project.hangUp(call.call_id);
      await project.sendEvent("calling.error", { code: "0", message: "last" });
      await relay.event("calling.error");
      expect(relay.events("calling.call.state").length > 0).toBe(told);
    },
  );
});

describe("what RELAY does on a call", () => {
  async function answered() {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    return { project, relay, call };
  }
  const say = [{ type: "tts", params: { text: "Welcome" } }];

  test("a play is heard, and its events say playing and finished", async () => {
    const { project, relay, call } = await answered();
    const { result } = await relay.request("calling.play", { ...call, control_id: "p", play: say });
    expect(result).toMatchObject({ code: "200", message: "Playing" });
    await relay.event("calling.call.play", ({ state }) => state === "finished");
    expect(relay.events("calling.call.play").map(({ state }) => state)).toEqual(["playing", "finished"]);
    await project.wait({ call: { call_id: call.call_id, heard: { sound: "say", contains: "Welcome" } } });
  });

  test("a play of a sound file that is missing is not heard, and its event says error", async () => {
    const { relay, call } = await answered();
    const play = [{ type: "audio", params: { url: "https://example.com/a.mp3#missing" } }];
    await relay.request("calling.play", { ...call, control_id: "p", play });
    await relay.event("calling.call.play", ({ state }) => state === "error");
    expect(relay.events("calling.call.play").map(({ state }) => state)).toEqual(["error"]);
  });

  test("a play is stopped by its control_id", async () => {
    const { relay, call } = await answered();
    const silence = [{ type: "silence", params: { duration: 100_000 } }];
    await relay.request("calling.play", { ...call, control_id: "p", play: silence });
    await relay.request("calling.play.stop", { ...call, control_id: "p" });
    await relay.event("calling.call.play", ({ state }) => state === "finished");
    const again = await relay.request("calling.play.stop", { ...call, control_id: "none" });
    expect(again.result).toMatchObject({ code: "404" });
  });

  test("play_and_collect brings the keyed digits and what ended them", async () => {
    const { project, relay, call } = await answered();
    const collect = { initial_timeout: 1000, digits: { max: 6, terminators: "#" } };
    await relay.request("calling.play_and_collect", { ...call, control_id: "c", play: say, collect });
    await project.digits(call.call_id, "1234#");
    const collected = await relay.event("calling.call.collect");
    expect(collected).toMatchObject({
      ...call,
      control_id: "c",
      state: "finished",
      final: true,
      result: { type: "digit", params: { digits: "1234", terminator: "#" } },
    });
  });

  test("play_and_collect without a key is no_input", async () => {
    const { relay, call } = await answered();
    const collect = { initial_timeout: 1, digits: { max: 1 } };
    await relay.request("calling.play_and_collect", { ...call, control_id: "c", play: say, collect });
    expect(await relay.event("calling.call.collect")).toMatchObject({ result: { type: "no_input" } });
  });

  test.each(["context:sales", "sales"])("a transfer to the context %s offers it there", async (dest) => {
    const { relay, call } = await answered();
    await relay.request("signalwire.receive", { contexts: ["sales"] });
    expect((await relay.request("calling.transfer", { ...call, dest })).result).toMatchObject({
      message: "Transferring",
    });
    expect(await relay.event("calling.call.receive")).toMatchObject({
      context: "sales",
      call_id: call.call_id,
    });
  });

  test("a transfer to an inline document runs it, and the call ends with it", async () => {
    const { project, relay, call } = await answered();
    const dest = JSON.stringify({ version: "1.0.0", sections: { main: [{ play: { url: "say:Goodbye" } }] } });
    await relay.request("calling.transfer", { ...call, dest });
    await project.wait({
      call: { call_id: call.call_id, state: "ended", heard: { sound: "say", contains: "Goodbye" } },
    });
  });

  test("a dial answers without a call; its leg and its outcome come as events with the tag", async () => {
    const { relay } = await scene();
    const device = (timeout: number) => ({
      type: "phone",
      params: { to_number: "+15550100002", from_number: "+15550100100", timeout },
    });
    const { result } = await relay.request("calling.dial", { tag: "t1", devices: [[device(30)]] });
    expect(result).toEqual({ code: "200", message: "Dialing" });
    const outcome = await relay.event("calling.call.dial", (event) => event["dial_state"] === "answered");
    expect(outcome).toMatchObject({ tag: "t1", call: { dial_winner: true } });
    await relay.event(
      "calling.call.state",
      (state) => state["tag"] === "t1" && state["call_state"] === "answered",
    );
    await relay.request("calling.dial", { tag: "t2", devices: [[device(1)]] });
    await relay.event(
      "calling.call.dial",
      (event) => event["tag"] === "t2" && event["dial_state"] === "failed",
    );
  });

  test("the older signalwire.execute wraps a command and its answer", async () => {
    const { project, relay } = await scene();
    const call = await project.placeCall(phone);
    const { result } = await relay.request("signalwire.execute", {
      protocol: "signalwire_calling",
      method: "calling.answer",
      params: call,
    });
    expect(result).toMatchObject({ result: { code: "200", message: "Answered" } });
  });
});
