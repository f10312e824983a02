import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { Switches } from "./switches/index.ts";
import { cxml, type Reply, startWebStub, swml, type WebStub } from "./web-stub.ts";

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

describe("a participant's leave", () => {
  test.each([
    ["after", [1, 2, 1]],
    ["before", [1, 2, 2]],
  ] as const)("has a size by the switch: counted %s it", async (size_counts_self, sizes) => {
    const { project, relay, caller, join } = await scene({ size_counts_self });
    const [a, b] = [await caller(), await caller()];
    await join(a, "support");
    await join(b, "support");
    await project.hangUp(b.call_id);
    await relay.event("calling.conference", ({ status }) => status === "participant-leave");
    const told = relay
      .events("calling.conference")
      .filter(({ status }) => String(status).startsWith("participant-"));
    expect(told.map(({ size }) => size)).toEqual(sizes);
  });

  /** What is told of a call that RELAY puts into the room "one", and its document then into `room`. */
  async function moved(leave_after_join_ms: Switches["leave_after_join_ms"], room: string) {
    const { project, relay, caller, join } = await scene({ leave_after_join_ms });
    await join(await caller(), "one");
    const in_the_room = Promise.withResolvers<void>();
    const stub = await web(async () => {
      await in_the_room.promise;
      return swml({ join_conference: { name: room } });
    });
    const call = await project.placeCall({ ...phone, url: stub.url });
    await relay.request("calling.answer", call);
    await join(call, "one");
    in_the_room.resolve();
    const of_the_call = () =>
      relay.events("calling.conference").filter(({ call_id }) => call_id === call.call_id);
    await expect.poll(() => of_the_call().length).toBe(3);
    return of_the_call().map(({ status, name }) => `${status} ${name}`);
  }

  test.each([
    [0, "two", ["participant-join one", "participant-leave one", "participant-join two"]],
    [200, "two", ["participant-join one", "participant-join two", "participant-leave one"]],
    [200, "one", ["participant-join one", "participant-join one", "participant-leave one"]],
  ] as const)("is told %s ms after the join that moves the call to the room %s", async (ms, room, told) => {
    expect(await moved(ms, room)).toEqual(told);
  });

  test("is told at once, before the end that it brings, if the call moves nowhere", async () => {
    const { relay, caller, join, statuses } = await scene({ leave_after_join_ms: 200 });
    const call = await caller();
    await join(call, "one");
    const { conference_id } = await relay.event("calling.conference");
    await relay.request("calling.leave_conference", { ...call, conference_id });
    await relay.request("signalwire.ping", {});
    expect(statuses()).toEqual(["participant-join", "participant-leave", "conference-end"]);
  });
});

describe("a conference that ends for all", () => {
  const leave = "participant-leave";

  test.each([
    ["leaves_and_end", [leave, leave, "conference-end"]],
    ["end_only", [leave, "conference-end"]],
    ["leaves_only", [leave, leave]],
  ] as const)("is told by the switch %s to RELAY and to callbacks alike", async (events_at_end, told) => {
    const { project, relay, caller, join, statuses } = await scene({ events_at_end });
    const stub = await web(() => ({}));
    const status_callback = stub.url;
    const [moderator, other] = [await caller(), await caller()];
    await join(moderator, "board", { end_on_exit: true, status_callback });
    await join(other, "board", { status_callback });
    await project.hangUp(moderator.call_id);
    await project.wait({ call: { call_id: other.call_id, in_conference: null } });
    // Nothing comes after what was told of a later conference.
    await join(other, "next");
    await relay.event("calling.conference", ({ name }) => name === "next");
    expect(
      statuses().filter((status) => status !== "participant-join" && status !== "conference-start"),
    ).toEqual(told);
    const posted = () =>
      stub.received
        .map(({ body }) => JSON.parse(body).params.status)
        .filter((status) => status === leave || status === "conference-end");
    await expect.poll(() => posted().toSorted()).toEqual([...told].toSorted());
  });

  test("by the leave of its last participant is told by that leave and its end, whatever the switch says", async () => {
    for (const events_at_end of ["end_only", "leaves_only"] as const) {
      const { project, relay, caller, join, statuses } = await scene({ events_at_end });
      const call = await caller();
      await join(call, "support");
      await project.hangUp(call.call_id);
      await relay.event("calling.conference", ({ status }) => status === "conference-end");
      expect(statuses()).toEqual(["participant-join", leave, "conference-end"]);
    }
  });
});

describe("a coach", () => {
  test.each([
    ["speaks_to_one", "the agent"],
    ["hears_only", "nobody"],
  ] as const)("is heard by whom the switch says: %s", async (coach_means, heard_by) => {
    const { project, caller, join } = await scene({ coach_means });
    const [agent, customer, coach] = [await caller(), await caller(), await caller()];
    await join(agent, "support");
    await join(customer, "support", { muted: true });
    await join(coach, "support", { coach: agent.call_id });
    const [conference] = await project.conferences();
    const heard = conference?.participants.map((one) =>
      one.heard_by === agent.call_id ? "the agent" : one.heard_by,
    );
    expect(heard).toEqual(["everyone", "nobody", heard_by]);
  });
});

describe("wait_url", () => {
  const music: Reply = { text: "ID3…", content_type: "audio/mpeg" };

  async function waiting(wait_url_is: Switches["wait_url_is"], reply: Reply) {
    const { project, caller, join } = await scene({ wait_url_is });
    const stub = await web(() => reply);
    const call = await caller();
    await join(call, "support", { wait_url: `${stub.url}/wait` });
    return { project, stub, call, caller, join };
  }

  test("is a sound and not fetched, by the switch", async () => {
    const { project, stub, call } = await waiting("sound", music);
    await project.wait({ call: { call_id: call.call_id, heard: { sound: "music", contains: "/wait" } } });
    expect(stub.received).toEqual([]);
  });

  test.each([
    ["swml_by_post", swml({ play: "https://music.example.com/a.mp3" }), "application/json"],
    ["cxml", cxml("<Play>https://music.example.com/a.mp3</Play>"), "application/x-www-form-urlencoded"],
  ] as const)("is fetched by POST for a document, by the switch: %s", async (reading, reply, type) => {
    const { project, stub, call, caller, join } = await waiting(reading, reply);
    await project.wait({ call: { call_id: call.call_id, heard: { sound: "music", contains: "/wait" } } });
    expect(stub.received).toMatchObject([
      { method: "POST", path: "/wait", headers: { "content-type": type } },
    ]);
    await join(await caller(), "support");
    await project.wait({ call: { call_id: call.call_id, heard: { sound: "conference" } } });
    expect((await project.call(call.call_id)).two_sounds).toBe(false);
  });

  test.each(["swml_by_post", "cxml"] as const)(
    "that answers with no document of %s leaves silence and a line in the journal",
    async (reading) => {
      const { project, call } = await waiting(reading, music);
      await project.wait({
        journal: {
          kind: "document",
          contains: { call_id: call.call_id, failed: "no document to wait with" },
        },
      });
      const { heard } = await project.call(call.call_id);
      expect(heard.map(({ sound }) => sound)).toEqual(["ring"]);
      expect(await project.journal({ kind: "violation" })).toEqual([]);
    },
  );

  test("that is not given is hold music under any reading", async () => {
    const { project, caller, join } = await scene({ wait_url_is: "cxml" });
    const call = await caller();
    await join(call, "support");
    await project.wait({ call: { call_id: call.call_id, heard: { sound: "music", contains: "support" } } });
  });
});
