import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import type { Switches } from "./switches/index.ts";
import { cxml, startWebStub, swml, type WebStub } from "./web-stub.ts";

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

async function scene(switches: Partial<Switches>, settings: ProjectSettings = {}) {
  const project = await client.createProject({ switches, ...settings });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  return { project, relay };
}

const codeOf = async (relay: BareRelay, method: string, params: Record<string, unknown>) =>
  (await relay.request(method, params)).result?.["code"];

describe("an answer by RELAY", () => {
  test("that takes its time is 200 at once, and a join before the call is answered gets 409 without a violation", async () => {
    const { project, relay } = await scene({ answer_is_async: 400 });
    const call = await project.placeCall(phone);
    expect(await codeOf(relay, "calling.answer", call)).toBe("200");
    expect(await codeOf(relay, "calling.join_conference", { ...call, name: "support" })).toBe("409");
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    expect(await codeOf(relay, "calling.join_conference", { ...call, name: "support" })).toBe("200");
    expect(await project.journal({ kind: "violation" })).toEqual([]);
  });

  test.each(["200", "409"] as const)("of an answered call is %s by the switch", async (code) => {
    const { project, relay } = await scene({ answer_when_answered: code });
    const call = await project.placeCall(phone);
    expect(await codeOf(relay, "calling.answer", call)).toBe("200");
    expect(await codeOf(relay, "calling.answer", call)).toBe(code);
  });

  const day_s = 86_400;
  test.each([
    ["counts", day_s, 10],
    ["ignored", 10, day_s],
    ["resets", day_s, 10],
  ] as const)(
    "of an answered call has its limit counted or ignored by the switch: %s",
    async (max_duration_of_answer_when_answered, first, second) => {
      const { project, relay } = await scene({ max_duration_of_answer_when_answered }, { speed: 50 });
      const call = await project.placeCall(phone);
      await relay.request("calling.answer", { ...call, max_duration: first });
      await relay.request("calling.answer", { ...call, max_duration: second });
      const { call: ended } = await project.wait({ call: { call_id: call.call_id, state: "ended" } });
      expect(ended?.end_reason).toBe("max_duration");
    },
  );
});

describe("an `answer` step on an answered call", () => {
  test.each([
    ["counts", "max_duration"],
    ["ignored", "max_duration"],
    ["resets", "hangup"],
  ] as const)(
    "that names no limit leaves the one before alone, or puts its default in its place, by the switch %s",
    async (max_duration_of_answer_when_answered, end_reason) => {
      const { project } = await scene({ max_duration_of_answer_when_answered }, { speed: 200 });
      const stub = await web(() =>
        swml({ answer: { max_duration: 10 } }, { answer: {} }, { play: { url: "silence:30" } }),
      );
      const { call_id } = await project.placeCall({ ...phone, url: stub.url });
      const { call } = await project.wait({ call: { call_id, state: "ended" } });
      expect(call?.end_reason).toBe(end_reason);
    },
  );
});

describe("RELAY", () => {
  test("refuses every third command of a project with 429 by the switch, and does not execute it", async () => {
    const { project, relay } = await scene({ relay_429: "often" });
    const calls = [];
    for (let one = 0; one < 3; one += 1) calls.push(await project.placeCall(phone));
    const codes = [];
    for (const call of calls) codes.push(await codeOf(relay, "calling.answer", call));
    expect(codes).toEqual(["200", "200", "429"]);
    expect((await project.calls()).map(({ state }) => state)).toEqual(["answered", "answered", "ringing"]);
  });

  test("serves two sessions of one project at once: one has the offer, both the events, and either joins webhook calls", async () => {
    const { project, relay: old } = await scene({});
    const fresh = await BareRelay.open(carrier.relay);
    await fresh.connect(project, { contexts: ["office"] });
    await old.request("signalwire.receive", { contexts: ["office"] });
    const offered = await project.placeCall({ ...phone, context: "office" });
    const [owner, other] = await Promise.race([
      old.event("calling.call.receive").then(() => [old, fresh] as const),
      fresh.event("calling.call.receive").then(() => [fresh, old] as const),
    ]);
    expect(await codeOf(other, "calling.answer", offered)).toBe("409");
    expect(other.events("calling.call.receive")).toEqual([]);
    expect(await codeOf(owner, "calling.answer", offered)).toBe("200");
    const [a, b] = [await project.placeCall(phone), await project.placeCall(phone)];
    for (const [relay, call] of [
      [old, a],
      [fresh, b],
    ] as const) {
      expect(await codeOf(relay, "calling.answer", call)).toBe("200");
      expect(await codeOf(relay, "calling.join_conference", { ...call, name: "support" })).toBe("200");
    }
    for (const relay of [old, fresh]) {
      await relay.event("calling.conference", ({ call_id }) => call_id === b.call_id);
      expect(relay.events("calling.conference").map(({ status }) => status)).toContain("participant-join");
    }
    owner.close();
    await owner.whenClosed();
    await project.wait({ journal: { kind: "session", contains: { what: "closed" } } });
    expect(await codeOf(other, "calling.join_conference", { ...offered, name: "support" })).toBe("200");
  });
});

describe("a webhook", () => {
  test.each([
    ["current", "answered"],
    ["as_created", "created"],
  ] as const)("after the first one has the call's state by the switch: %s", async (reading, state) => {
    const { project } = await scene({ webhook_call_state: reading });
    const stub = await web(({ path }) =>
      path === "/next" ? swml({ hangup: {} }) : swml({ answer: {} }, { transfer: `${stub.url}/next` }),
    );
    const { call_id } = await project.placeCall({ ...phone, url: `${stub.url}/first` });
    await project.wait({ call: { call_id, state: "ended" } });
    expect(stub.received.map(({ body }) => JSON.parse(body).call.call_state)).toEqual(["created", state]);
  });

  test.each([
    ["as_sent", "X-Tier"],
    ["sip_h_prefixed", "sip_h_X-Tier"],
  ] as const)("names SIP headers by the switch: %s", async (sip_header_names, name) => {
    const { project, relay } = await scene({ sip_header_names });
    const stub = await web(() => swml({ hangup: {} }));
    const headers = [{ name: "X-Tier", value: "gold" }];
    const { call_id } = await project.placeCall({ ...phone, headers, url: stub.url });
    await project.wait({ call: { call_id, state: "ended" } });
    expect(JSON.parse(stub.received[0]?.body ?? "").call.headers).toEqual([{ name, value: "gold" }]);
    await relay.request("signalwire.receive", { contexts: ["office"] });
    await project.placeCall({ ...phone, type: "sip", headers, context: "office" });
    expect(await relay.event("calling.call.receive")).toMatchObject({
      device: { params: { headers: [{ name, value: "gold" }] } },
    });
  });
});

describe("a caller's number", () => {
  const forms = [
    ["e164", "+15550100001"],
    ["no_plus", "15550100001"],
    ["sip_e164", "sip:+15550100001@example.signalwire.com"],
    ["fabric", "/private/user-15550100001"],
  ] as const;

  test.each(forms)(
    "is written by the switch %s in webhooks of SWML and cXML, and in RELAY's offers",
    async (caller_forms, from) => {
      const { project, relay } = await scene({ caller_forms });
      const stub = await web(({ path }) => (path === "/cxml" ? cxml("<Hangup/>") : swml({ hangup: {} })));
      const by_swml = await project.placeCall({ ...phone, url: stub.url });
      await project.wait({ call: { call_id: by_swml.call_id, state: "ended" } });
      const by_cxml = await project.placeCall({ ...phone, cxml_url: `${stub.url}/cxml` });
      await project.wait({ call: { call_id: by_cxml.call_id, state: "ended" } });
      const [json, form] = stub.received.map(({ body }) => body);
      expect(JSON.parse(json ?? "").call).toMatchObject({ from, from_number: from, to: phone.to });
      expect(new URLSearchParams(form).get("From")).toBe(from);
      await relay.request("signalwire.receive", { contexts: ["office"] });
      await project.placeCall({ ...phone, context: "office" });
      expect(await relay.event("calling.call.receive")).toMatchObject({
        device: { params: { from_number: from, to_number: phone.to } },
      });
    },
  );

  test("has these forms alone: a SIP URI and our own number on outbound calls stay as they are", async () => {
    const { project, relay } = await scene({ caller_forms: "no_plus" });
    const stub = await web(() => swml({ hangup: {} }));
    const from = "sip:alice@pbx.example.com";
    const { call_id } = await project.placeCall({ ...phone, from, type: "sip", url: stub.url });
    await project.wait({ call: { call_id, state: "ended" } });
    expect(JSON.parse(stub.received[0]?.body ?? "").call).toMatchObject({ from });
    const params = { to_number: phone.from, from_number: phone.to };
    await relay.request("calling.dial", { tag: "t", devices: [[{ type: "phone", params }]] });
    expect(await relay.event("calling.call.state")).toMatchObject({ device: { params } });
  });
});

describe("where documents take a call out of RELAY's conference", () => {
  /** A call that RELAY puts into a conference while its first document waits for the one that `step` fetches. */
  async function joined(taken_out_at: Switches["taken_out_at"], step: (dest: string) => object) {
    const { project, relay } = await scene({ document_takes_call_out_of_conference: true, taken_out_at });
    const in_the_room = Promise.withResolvers<void>();
    const stub: WebStub = await web(async ({ path }) => {
      if (path === "/first") return swml({ answer: {} }, step(`${stub.url}/next`));
      await in_the_room.promise;
      return swml({ sleep: -1 });
    });
    const call = await project.placeCall({ ...phone, url: `${stub.url}/first` });
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    await relay.request("calling.join_conference", { ...call, name: "support" });
    await relay.event("calling.conference");
    in_the_room.resolve();
    await project.wait({ journal: { kind: "document", contains: { step: "sleep" } } });
    return { project, relay, call, conference: (await project.call(call.call_id)).conference };
  }

  test.each([
    ["execute", "any_document", null],
    ["execute", "transfer_only", "support"],
    ["transfer", "any_document", null],
    ["transfer", "transfer_only", null],
  ] as const)("one that the step %s leads to does by the switch: %s", async (step, reading, conference) => {
    expect(await joined(reading, (dest) => ({ [step]: { dest } }))).toMatchObject({ conference });
  });

  test("the first of a call, which is no transfer, does by the switch", async () => {
    for (const [taken_out_at, conference] of [
      ["any_document", null],
      ["transfer_only", "support"],
    ] as const) {
      const { project, relay } = await scene({ document_takes_call_out_of_conference: true, taken_out_at });
      const in_the_room = Promise.withResolvers<void>();
      const stub = await web(async () => {
        await in_the_room.promise;
        return swml({ sleep: -1 });
      });
      const call = await project.placeCall({ ...phone, url: stub.url });
      await relay.request("calling.answer", call);
      await relay.request("calling.join_conference", { ...call, name: "support" });
      in_the_room.resolve();
      await project.wait({ journal: { kind: "document", contains: { step: "sleep" } } });
      expect(await project.call(call.call_id)).toMatchObject({ conference });
    }
  });

  test("a transfer by RELAY does under either reading", async () => {
    for (const reading of ["any_document", "transfer_only"] as const) {
      const { project, relay, call } = await joined(reading, (dest) => ({ execute: { dest } }));
      await relay.request("calling.join_conference", { ...call, name: "support" });
      const dest = JSON.stringify({ version: "1.0.0", sections: { main: [{ sleep: -1 }] } });
      await relay.request("calling.transfer", { ...call, dest });
      await project.wait({ call: { call_id: call.call_id, in_conference: null, state: "answered" } });
    }
  });
});

describe("RELAY's commands while a webhook is in flight", () => {
  test.each([
    [false, ["200", "webhook", "200"]],
    [true, ["webhook", "200", "200"]],
  ] as const)("wait for its answer, in order, by the switch: %s", async (held, order) => {
    const { project, relay } = await scene({ commands_wait_for_webhook: held });
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const seen: unknown[] = [];
    const stub = await web(async () => {
      asked.resolve();
      await answer.promise;
      seen.push("webhook");
      return swml({ sleep: -1 });
    });
    const call = await project.placeCall({ ...phone, url: stub.url });
    await asked.promise;
    const answering = codeOf(relay, "calling.answer", call).then((code) => seen.push(code));
    // What is not about the call is not held, and by then the command was read.
    await relay.request("signalwire.ping", {});
    await relay.request("signalwire.ping", {});
    const joining = codeOf(relay, "calling.join_conference", { ...call, name: "support" });
    answer.resolve();
    await answering;
    seen.push(await joining);
    expect(seen).toEqual(order);
    await project.wait({ call: { call_id: call.call_id, in_conference: "support" } });
  });
});

describe("digits keyed before a prompt", () => {
  /** A prompt takes one digit of "12", "3" is keyed while the next document is fetched, and that asks for two. */
  async function keyed(type_ahead: Switches["type_ahead"]) {
    const { project } = await scene({ type_ahead }, { speed: 50 });
    const three_is_keyed = Promise.withResolvers<void>();
    const stub: WebStub = await web(async ({ path }) => {
      if (path === "/first") {
        const prompt = { play: "say:One", max_digits: 1, initial_timeout: 500 };
        return swml({ answer: {} }, { prompt }, { transfer: `${stub.url}/next` });
      }
      await three_is_keyed.promise;
      return swml({ prompt: { play: "say:Two", max_digits: 2, initial_timeout: 5, digit_timeout: 1 } });
    });
    const { call_id } = await project.placeCall({ ...phone, url: `${stub.url}/first` });
    await project.wait({ call: { call_id, heard: { contains: "One" } } });
    await project.digits(call_id, "12");
    await expect.poll(() => stub.received.length).toBe(2);
    await project.digits(call_id, "3");
    three_is_keyed.resolve();
    const { call } = await project.wait({ call: { call_id, state: "ended" } });
    return call?.vars;
  }

  test.each([
    ["kept", { prompt_result: "match_digits", prompt_value: "23" }],
    ["dropped", { prompt_result: "match_digits", prompt_value: "2" }],
    ["cleared_per_prompt", { prompt_result: "no_input" }],
  ] as const)("count by the switch: %s", async (reading, vars) => {
    expect(await keyed(reading)).toEqual(expect.objectContaining(vars));
  });

  test("in cXML count by the switch as well", async () => {
    const { project } = await scene({ type_ahead: "dropped" });
    const nine_is_keyed = Promise.withResolvers<void>();
    const stub: WebStub = await web(async ({ path }) => {
      if (path === "/first") return cxml(`<Say>Hello</Say><Redirect>${stub.url}/gather</Redirect>`);
      if (path === "/keyed") return cxml("<Hangup/>");
      await nine_is_keyed.promise;
      return cxml(
        `<Gather numDigits="2" timeout="60" action="${stub.url}/keyed"><Say>Your PIN</Say></Gather>`,
      );
    });
    const { call_id } = await project.placeCall({ ...phone, cxml_url: `${stub.url}/first` });
    await expect.poll(() => stub.received.length).toBe(2);
    await project.digits(call_id, "9");
    nine_is_keyed.resolve();
    await project.wait({ call: { call_id, heard: { contains: "Your PIN" } } });
    await project.digits(call_id, "12");
    await project.wait({ call: { call_id, state: "ended" } });
    expect(new URLSearchParams(stub.received[2]?.body).get("Digits")).toBe("12");
  });

  test("by RELAY count by the switch as well, and the keys of the prompt itself always do", async () => {
    const { project, relay } = await scene({ type_ahead: "dropped" });
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    await project.digits(call.call_id, "9");
    const play = [{ type: "silence", params: { duration: 100 } }];
    const collect = { digits: { max: 4 } };
    await relay.request("calling.play_and_collect", { ...call, control_id: "c", play, collect });
    await project.digits(call.call_id, "1234");
    expect(await relay.event("calling.call.collect")).toMatchObject({
      result: { type: "digit", params: { digits: "1234" } },
    });
  });
});
