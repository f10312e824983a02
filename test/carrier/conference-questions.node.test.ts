import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { Switches } from "./switches/index.ts";
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

type Params = Record<string, unknown>;
const phone = { from: "+15550100001", to: "+15550100100" };

async function scene(switches: Partial<Switches>) {
  const project = await client.createProject({ switches });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  /** An answered call. */
  const caller = async () => {
    const call = await project.placeCall(phone);
    await relay.request("calling.answer", call);
    return call;
  };
  const join = async (call: { call_id: string }, name: string, more: Params = {}) =>
    (await relay.request("calling.join_conference", { ...call, name, ...more })).result ?? {};
  const statuses = () => relay.events("calling.conference").map(({ status }) => status);
  return { project, relay, caller, join, statuses };
}

describe("a join by RELAY", () => {
  test.each<[keyof Switches, unknown, Params, "200" | "422"]>([
    ["max_participants_relay", 100_000, { max_participants: 251 }, "200"],
    ["max_participants_relay", 250, { max_participants: 251 }, "422"],
    ["max_participants_relay", 250, { max_participants: 250 }, "200"],
    ["max_participants_relay", 250, {}, "200"],
    ["relay_region_ch", "taken", { region: "ch" }, "200"],
    ["relay_region_ch", "refused", { region: "ch" }, "422"],
    ["relay_region_ch", "refused", { region: "eu" }, "200"],
    ["relay_callback_type_laml", "taken", { status_callback_event_type: "laml" }, "200"],
    ["relay_callback_type_laml", "refused", { status_callback_event_type: "laml" }, "422"],
    ["relay_callback_type_laml", "refused", { recording_status_callback_event_type: "laml" }, "422"],
    ["relay_callback_type_laml", "refused", { status_callback_event_type: "cxml" }, "200"],
  ])("under %s = %s with %o gets %s, and no violation", async (name, reading, params, code) => {
    const { project, caller, join } = await scene({ [name]: reading });
    const call = await caller();
    expect(await join(call, "support", params)).toMatchObject({ code });
    expect((await project.call(call.call_id)).conference).toBe(code === "200" ? "support" : null);
    expect(await project.journal({ kind: "violation" })).toEqual([]);
  });

  describe("of a full conference", () => {
    async function full(join_when_full: Switches["join_when_full"]) {
      const { project, relay, caller, join } = await scene({ join_when_full });
      const most = { max_participants: 2 };
      for (const call of [await caller(), await caller()]) await join(call, "small", most);
      const call = await caller();
      const { code } = await join(call, "small", most);
      await project.sendEvent("calling.error", { code: "0", message: "last" });
      await relay.event("calling.error", ({ message }) => message === "last");
      const { state, conference } = await project.call(call.call_id);
      const errors = relay.events("calling.error").length - 1;
      return { code, errors, state, conference };
    }

    test.each([
      ["calling.error", { code: "200", errors: 1, state: "answered", conference: null }],
      ["code", { code: "422", errors: 0, state: "answered", conference: null }],
      ["silence", { code: "200", errors: 0, state: "answered", conference: null }],
      ["hang_up", { code: "200", errors: 0, state: "ended", conference: null }],
    ] as const)("fails by the switch: %s", async (reading, outcome) => {
      expect(await full(reading)).toEqual(outcome);
    });
  });

  describe("has in its result", () => {
    async function ids(result_conference_id: Switches["result_conference_id"]) {
      const { relay, caller, join } = await scene({ result_conference_id });
      const first = await join(await caller(), "support");
      const second = await join(await caller(), "support");
      const { conference_id } = await relay.event("calling.conference");
      const kindOf = (id: unknown) =>
        id === undefined ? "none" : id === conference_id ? "the events'" : "another";
      return [kindOf(first["conference_id"]), kindOf(second["conference_id"])];
    }

    test.each([
      ["known_rooms", ["none", "the events'"]],
      ["always", ["the events'", "the events'"]],
      ["never", ["none", "none"]],
      ["another_id", ["another", "another"]],
    ] as const)("a `conference_id` by the switch: %s", async (reading, told) => {
      expect(await ids(reading)).toEqual(told);
    });
  });
});

test.each([
  [100_000, null],
  [250, "failed"],
] as const)(
  "a join by SWML for 251 participants fails by the switch: at most %s",
  async (limit, join_conference_result) => {
    const { project } = await scene({ max_participants_relay: limit });
    const result = { variable: "join_conference_result", case: {}, default: [{ sleep: -1 }] };
    const stub = await web(() => swml({ join_conference: { name: "big", max_participants: 251, result } }));
    const { call_id } = await project.placeCall({ ...phone, url: stub.url });
    const is_in = join_conference_result === null;
    await project.wait(
      is_in
        ? { call: { call_id, in_conference: "big" } }
        : { journal: { kind: "document", contains: { step: "sleep" } } },
    );
    const { vars } = await project.call(call_id);
    expect(vars["join_conference_result"] ?? null).toBe(join_conference_result);
  },
);

describe("a call that RELAY joined", () => {
  test.each([
    ["lives", "answered"],
    ["hung_up", "ended"],
  ] as const)("is in this state when its conference has ended, by the switch: %s", async (reading, state) => {
    const { project, relay, caller, join } = await scene({ call_after_relay_conference: reading });
    const [moderator, call] = [await caller(), await caller()];
    await join(moderator, "board", { end_on_exit: true });
    await join(call, "board");
    await project.hangUp(moderator.call_id);
    await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect(await project.call(call.call_id)).toMatchObject({ state, conference: null });
  });

  test("lives on under either reading when it leaves a conference that goes on", async () => {
    const { project, relay, caller, join } = await scene({ call_after_relay_conference: "hung_up" });
    const [other, call] = [await caller(), await caller()];
    await join(other, "support");
    const { conference_id } = await join(call, "support");
    await relay.request("calling.leave_conference", { ...call, conference_id });
    expect(await project.call(call.call_id)).toMatchObject({ state: "answered", conference: null });
  });
});
