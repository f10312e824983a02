import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { startWebStub, swml, type WebStub } from "./web-stub.ts";

let carrier: Carrier;
let client: CarrierClient;
let stub: WebStub;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
  stub = await startWebStub(({ path }) => documents[path] ?? { status: 404 });
});
afterAll(async () => {
  stub.close();
  await carrier.close();
});

const result = {
  variable: "join_conference_result",
  case: {
    answered: [{ play: { url: "say:You are in." } }, { sleep: -1 }],
    completed: [{ play: { url: "say:Goodbye." } }, { sleep: -1 }],
    failed: [{ play: { url: "say:Sorry." } }, { sleep: -1 }],
  },
};
const documents: Record<string, ReturnType<typeof swml>> = {
  "/held": swml({ answer: {} }, { sleep: -1 }),
  "/join": swml({ join_conference: { name: "board", result } }),
  "/sorry": swml({ play: { url: "say:Sorry." } }),
  "/join-plainly": swml({ join_conference: { name: "board" } }),
};

type Join = Readonly<Record<string, unknown>>;

async function scene(switches: ProjectSettings["switches"]) {
  const project = await client.createProject({ speed: 50, switches });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const caller = async (path: string) => {
    const call = await project.placeCall({
      from: "+15550100001",
      to: "+15550100100",
      url: `${stub.url}${path}`,
    });
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    return call;
  };
  const joinByRelay = async (call: { call_id: string }, more: Join = {}) => {
    const answer = await relay.request("calling.join_conference", { ...call, name: "board", ...more });
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    return answer;
  };
  /** As a client leads a call to a document, which is there at once. */
  const inline = (call: { call_id: string }, ...main: unknown[]) =>
    relay.request("calling.transfer", {
      ...call,
      dest: JSON.stringify({ version: "1.0.0", sections: { main } }),
    });
  const statuses = () => relay.events("calling.conference").map(({ status }) => status);
  return { project, relay, caller, joinByRelay, inline, statuses };
}

describe("a document's join of the conference that RELAY put the call in", () => {
  test("takes the call out and joins it again", async () => {
    const { project, caller, joinByRelay, inline } = await scene({});
    const call = await caller("/held");
    await joinByRelay(call);
    await inline(call, { join_conference: { name: "board", result } });
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    expect((await project.call(call.call_id)).joins).toMatchObject([
      { by: "relay", left_at: expect.any(Number) },
      { by: "document", left_at: null },
    ]);
  });

  test("fails where the switch says so: the apology is heard inside, and the call stays in", async () => {
    const { project, caller, joinByRelay, inline, statuses } = await scene({ join_where_you_are: "fails" });
    const call = await caller("/held");
    await joinByRelay(call);
    await inline(call, { join_conference: { name: "board", result } });
    await project.wait({
      call: { call_id: call.call_id, in_conference: "board", heard: { contains: "Sorry." } },
    });
    expect(statuses()).toEqual(["participant-join"]);
  });

  test("does nothing where the switch says so, and is completed when the call leaves", async () => {
    const switches = { join_where_you_are: "does_nothing" } as const;
    const { project, relay, caller, joinByRelay, inline, statuses } = await scene(switches);
    const call = await caller("/held");
    await joinByRelay(call);
    await inline(call, { join_conference: { name: "board", result } });
    await project.wait({ journal: { kind: "document", contains: { step: "join_conference" } } });
    expect((await project.call(call.call_id)).joins).toMatchObject([{ by: "relay", left_at: null }]);
    expect(statuses()).toEqual(["participant-join"]);
    const { conference_id } = await relay.event("calling.conference");
    await relay.request("calling.leave_conference", { ...call, conference_id });
    await project.wait({
      call: { call_id: call.call_id, in_conference: null, heard: { contains: "Goodbye." } },
    });
  });

  test("is let go by a document that takes over, and the call stays in where its join did nothing", async () => {
    const { project, caller, joinByRelay, inline } = await scene({ join_where_you_are: "does_nothing" });
    const call = await caller("/held");
    await joinByRelay(call);
    await inline(call, { join_conference: { name: "board", result } });
    await inline(call, { play: { url: "say:Something else." } }, { sleep: -1 });
    await project.wait({
      call: { call_id: call.call_id, in_conference: "board", heard: { contains: "Something else." } },
    });
  });

  test("is one of that conference in another spelling, too, where SignalWire normalises names", async () => {
    const switches = { join_where_you_are: "fails", names_normalised: "trimmed_lower_case" } as const;
    const { project, caller, joinByRelay, inline, statuses } = await scene(switches);
    const call = await caller("/held");
    await joinByRelay(call);
    await inline(call, { join_conference: { name: "Board", result } });
    await project.wait({
      call: { call_id: call.call_id, in_conference: "board", heard: { contains: "Sorry." } },
    });
    expect(statuses()).toEqual(["participant-join"]);
  });

  test("of another conference moves the call whatever the switch says", async () => {
    const { project, caller, joinByRelay, inline } = await scene({ join_where_you_are: "fails" });
    const call = await caller("/held");
    await joinByRelay(call);
    await inline(call, { join_conference: { name: "sales", result } });
    await project.wait({ call: { call_id: call.call_id, in_conference: "sales" } });
  });
});

describe("RELAY's join of a call that a document has joined", () => {
  test("gets 409, and the document's join stands", async () => {
    const { project, relay, caller } = await scene({});
    const call = await caller("/join");
    const { result } = await relay.request("calling.join_conference", { ...call, name: "board" });
    expect(result).toMatchObject({ code: "409" });
    expect(await project.call(call.call_id)).toMatchObject({ conference: "board", joined_by: "document" });
  });

  test("takes the call over where the switch says so: the document's step is completed while it is inside", async () => {
    const { project, caller, joinByRelay } = await scene({ late_relay_join: "moves" });
    const call = await caller("/join");
    expect((await joinByRelay(call)).result).toMatchObject({ code: "200" });
    await project.wait({
      call: { call_id: call.call_id, in_conference: "board", heard: { contains: "Goodbye." } },
    });
    expect((await project.call(call.call_id)).joins).toMatchObject([
      { by: "document", left_at: expect.any(Number) },
      { by: "relay", left_at: null },
    ]);
    expect((await joinByRelay(call)).result).toMatchObject({ code: "409" });
  });

  test.each([
    ["known_rooms", undefined],
    ["always", expect.any(String)],
  ] as const)(
    "tells no id of the conference that ends as it takes the call over: %s",
    async (reading, told) => {
      const switches = { late_relay_join: "moves", result_conference_id: reading } as const;
      const { relay, caller, joinByRelay } = await scene(switches);
      const call = await caller("/join");
      const { conference_id } = await relay.event("calling.conference");
      const { result } = await joinByRelay(call);
      expect(result?.["conference_id"]).toEqual(told);
      expect(result?.["conference_id"]).not.toBe(conference_id);
      const isOfAnother = (event: Join) => event["conference_id"] !== conference_id;
      const made = await relay.event("calling.conference", isOfAnother);
      if (reading === "always") expect(made).toMatchObject({ conference_id: result?.["conference_id"] });
    },
  );

  test("takes the call over where the document joined while the command was on its way", async () => {
    const { project, relay, caller, inline } = await scene({ late_relay_join: "moves" });
    const match = { method: "calling.join_conference" };
    await project.change({ faults: [{ at: "command", match, do: { kind: "delay", ms: 300 } }] });
    const call = await caller("/held");
    const late = relay.request("calling.join_conference", { ...call, name: "board" });
    await inline(call, { join_conference: { name: "board", result } });
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    expect((await late).result).toMatchObject({ code: "200" });
    await project.wait({ call: { call_id: call.call_id, heard: { contains: "Goodbye." } } });
    expect(await project.call(call.call_id)).toMatchObject({ conference: "board", joined_by: "relay" });
  });
});

describe("a document's join", () => {
  test("has no result while the call is in the conference", async () => {
    const { project, relay, caller } = await scene({});
    const call = await caller("/join");
    const { conference_id } = await relay.event("calling.conference");
    expect((await project.call(call.call_id)).vars).toEqual({});
    await relay.request("calling.leave_conference", { ...call, conference_id });
    await project.wait({ call: { call_id: call.call_id, heard: { contains: "Goodbye." } } });
  });

  test("is answered at once where the switch says so, and the call stays in while the document sleeps", async () => {
    const { project, caller } = await scene({ join_result_at_join: "answered_at_once" });
    const call = await caller("/join");
    await project.wait({
      call: { call_id: call.call_id, in_conference: "board", heard: { contains: "You are in." } },
    });
    expect(await project.call(call.call_id)).toMatchObject({
      conference: "board",
      vars: { join_conference_result: "answered" },
    });
  });

  test("that is answered at once ends with a hang-up, and goes on inside after a transfer", async () => {
    const { project, caller, inline } = await scene({ join_result_at_join: "answered_at_once" });
    const branch = (...steps: unknown[]) => ({
      case: {},
      default: steps,
      variable: "join_conference_result",
    });
    const call = await caller("/held");
    const transfer = { transfer: { dest: `${stub.url}/held` } };
    await inline(call, { join_conference: { name: "board", result: branch(transfer) } });
    await project.wait({ journal: { kind: "document", contains: { fetched: `${stub.url}/held` } } });
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    await inline(call, { join_conference: { name: "board", result: branch({ hangup: {} }) } });
    await project.wait({ call: { call_id: call.call_id, in_conference: null, state: "ended" } });
  });

  test("without a result lasts until the stay is over whatever the switch says", async () => {
    const { project, relay, caller } = await scene({ join_result_at_join: "answered_at_once" });
    const call = await caller("/join-plainly");
    const { conference_id } = await relay.event("calling.conference");
    await project.wait({ call: { call_id: call.call_id, in_conference: "board", state: "answered" } });
    await relay.request("calling.leave_conference", { ...call, conference_id });
    await project.wait({ call: { call_id: call.call_id, state: "ended" } });
  });

  test("that fails says so whatever the switch says", async () => {
    const { project, caller, inline } = await scene({ join_result_at_join: "answered_at_once" });
    const call = await caller("/held");
    await inline(call, { join_conference: { name: "board", coach: "nobody", result } });
    await project.wait({
      call: { call_id: call.call_id, in_conference: null, heard: { contains: "Sorry." } },
    });
  });
});

describe("a moderator with end_on_exit", () => {
  const joinAgain = { join_conference: { name: "board", end_on_exit: true, result } };

  /** A moderator and a guest in one conference by RELAY. */
  async function meeting(switches: ProjectSettings["switches"]) {
    const there = await scene(switches);
    const moderator = await there.caller("/held");
    await there.joinByRelay(moderator, { end_on_exit: true });
    const guest = await there.caller("/held");
    await there.joinByRelay(guest);
    return { ...there, moderator, guest };
  }

  test("who joins again by a document ends the conference for the guest", async () => {
    const { project, relay, moderator, guest, inline } = await meeting({});
    await inline(moderator, joinAgain);
    await relay.event("calling.conference", ({ status }) => status === "conference-end");
    await project.wait({ call: { call_id: guest.call_id, in_conference: null } });
  });

  test.each([
    ["the document's join", false],
    ["the document's start", true],
  ])("who is taken out by %s and joins again ends nothing where the switch says so", async (_, out) => {
    const switches = {
      document_takes_call_out_of_conference: out,
      end_on_exit_on_rejoin: "does_not",
    } as const;
    const { project, moderator, guest, inline, statuses } = await meeting(switches);
    await inline(moderator, joinAgain);
    await project.wait({
      journal: { kind: "conference", contains: { status: "participant-leave", call_id: moderator.call_id } },
    });
    await project.wait({ call: { call_id: moderator.call_id, in_conference: "board" } });
    expect(await project.call(guest.call_id)).toMatchObject({ conference: "board" });
    expect(statuses()).not.toContain("conference-end");
    await project.hangUp(moderator.call_id);
    await project.wait({ call: { call_id: guest.call_id, in_conference: null } });
  });

  test("whom RELAY takes over from a document ends nothing where the switch says so", async () => {
    const switches = { late_relay_join: "moves", end_on_exit_on_rejoin: "does_not" } as const;
    const { project, moderator, guest, inline, joinByRelay, statuses } = await meeting(switches);
    await inline(moderator, joinAgain);
    await project.wait({ call: { call_id: moderator.call_id, in_conference: "board" } });
    await joinByRelay(moderator, { end_on_exit: true });
    await project.wait({ call: { call_id: moderator.call_id, heard: { contains: "Goodbye." } } });
    expect(await project.call(guest.call_id)).toMatchObject({ conference: "board" });
    expect(statuses()).not.toContain("conference-end");
  });

  test("who leaves for good ends the conference whatever the switch says", async () => {
    const { project, relay, moderator, guest } = await meeting({ end_on_exit_on_rejoin: "does_not" });
    const { conference_id } = await relay.event("calling.conference");
    await relay.request("calling.leave_conference", { ...moderator, conference_id });
    const end = await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect(end).toMatchObject({ reason_ended: "participant-with-end-conference-on-exit-left" });
    await project.wait({ call: { call_id: guest.call_id, in_conference: null, state: "answered" } });
  });

  test("who moves elsewhere is told to have left before the end that this brings", async () => {
    const switches = { end_on_exit_on_rejoin: "does_not", leave_after_join_ms: 200 } as const;
    const { relay, moderator, guest, inline } = await meeting(switches);
    await inline(moderator, { join_conference: { name: "sales", result } });
    await relay.event("calling.conference", ({ status }) => status === "conference-end");
    const of_board = relay.events("calling.conference").filter(({ name }) => name === "board");
    expect(of_board.slice(-3)).toMatchObject([
      { status: "participant-leave", call_id: moderator.call_id },
      { status: "participant-leave", call_id: guest.call_id },
      { status: "conference-end" },
    ]);
  });
});

test("a fallback for the first fetch alone speaks for a number's URL, and not for one that RELAY leads to", async () => {
  const { project, relay } = await scene({ fallback_covers: "first_fetch" });
  const number = { from: "+15550100001", to: "+15550100100", fallback_url: `${stub.url}/sorry` };
  const saved = await project.placeCall({ ...number, url: `${stub.url}/none` });
  await project.wait({ call: { call_id: saved.call_id, heard: { contains: "Sorry." } } });
  const led = await project.placeCall({ ...number, url: `${stub.url}/held` });
  await project.wait({ call: { call_id: led.call_id, state: "answered" } });
  await relay.request("calling.transfer", { ...led, dest: `${stub.url}/none` });
  const { call } = await project.wait({ call: { call_id: led.call_id, stranded: true, state: "ended" } });
  expect(call?.heard.map(({ sound }) => sound)).toEqual(["ring"]);
});

describe("RELAY's events of a conference", () => {
  /** A call joined by one of three sessions, of which another has a context. */
  async function listeners(switches: ProjectSettings["switches"]) {
    const { project, relay: commander, caller, joinByRelay } = await scene(switches);
    const [subscribed, idle] = [await BareRelay.open(carrier.relay), await BareRelay.open(carrier.relay)];
    await subscribed.connect(project, { contexts: ["office"] });
    await idle.connect(project);
    const call = await caller("/held");
    await joinByRelay(call);
    await project.sendEvent("calling.error", { code: "0", message: "last" });
    const all = { commander, subscribed, idle };
    for (const one of Object.values(all)) await one.event("calling.error");
    const told = Object.entries(all).filter(([, one]) => one.events("calling.conference").length > 0);
    return told.map(([name]) => name);
  }

  test.each([
    ["all_sessions", ["commander", "subscribed", "idle"]],
    ["only_with_contexts", ["subscribed"]],
    ["only_commander", ["commander"]],
  ] as const)("go to the sessions that the switch names: %s", async (reading, told) => {
    expect(await listeners({ relay_feed_without_contexts: reading })).toEqual(told);
  });

  test("are told to no session where a document joined and only a commander hears", async () => {
    const { project, relay, caller } = await scene({ relay_feed_without_contexts: "only_commander" });
    const call = await caller("/join");
    await project.wait({ call: { call_id: call.call_id, in_conference: "board" } });
    await project.sendEvent("calling.error", { code: "0", message: "last" });
    await relay.event("calling.error");
    expect(relay.events("calling.conference")).toEqual([]);
  });
});

describe("a recording", () => {
  const record = "record-from-start";

  test("is not begun by one who joins later", async () => {
    const { project, relay, caller, joinByRelay } = await scene({});
    await joinByRelay(await caller("/held"));
    await joinByRelay(await caller("/held"), { record });
    await relay.event("calling.conference", ({ status }) => status === "conference-start");
    expect(await project.journal({ kind: "recording" })).toEqual([]);
  });

  test("is begun by any participant where the switch says so, and the journal tells who was inside", async () => {
    const { project, relay, caller, joinByRelay, statuses } = await scene({
      recording_starts_by: "any_participant",
    });
    const calls = [await caller("/held"), await caller("/held"), await caller("/held")] as const;
    await joinByRelay(calls[0]);
    await joinByRelay(calls[1]);
    await joinByRelay(calls[2], { record });
    await relay.event("calling.conference", ({ status }) => status === "record-start");
    expect(statuses()).toEqual([
      "participant-join",
      "participant-join",
      "conference-start",
      "participant-join",
      "record-start",
    ]);
    expect(await project.journal({ kind: "recording" })).toMatchObject([
      { status: "in-progress", name: "board", inside: calls.map(({ call_id }) => call_id) },
    ]);
    for (const { call_id } of calls) await project.hangUp(call_id);
    const end = await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect(end).toMatchObject({ recording_url: expect.stringContaining("https://") });
  });

  test("waits for the conference to start, and is absent where that never comes", async () => {
    const { project, caller, joinByRelay } = await scene({ recording_starts_by: "any_participant" });
    const [first, second] = [await caller("/held"), await caller("/held")];
    await joinByRelay(first, { start_on_enter: false });
    await joinByRelay(second, { start_on_enter: false, record });
    expect(await project.journal({ kind: "recording" })).toEqual([]);
    await project.hangUp(first.call_id);
    await project.hangUp(second.call_id);
    await project.wait({ journal: { kind: "recording", contains: { status: "absent" } } });
  });
});

describe("a call on offer", () => {
  async function offered(switches: ProjectSettings["switches"]) {
    const { project, relay } = await scene(switches);
    await relay.request("signalwire.receive", { contexts: ["office"] });
    await project.placeCall({ from: "+15550100001", to: "+15550100100", context: "office" });
    const { call_id, node_id } = await relay.event("calling.call.receive");
    return { project, relay, call: { call_id: String(call_id), node_id: String(node_id) } };
  }

  test("is answered by the client that it was offered to", async () => {
    const { relay, call } = await offered({});
    expect((await relay.request("calling.answer", call)).result).toMatchObject({ code: "200" });
  });

  test("is a conflict each time where the switch says so, and REST leads it to a document", async () => {
    const { project, relay, call } = await offered({ conflict_on_offer: "409" });
    for (let times = 0; times < 2; times += 1) {
      expect((await relay.request("calling.answer", call)).result).toMatchObject({ code: "409" });
    }
    expect(await project.call(call.call_id)).toMatchObject({ state: "ringing" });
    const answer = await fetch(`${carrier.rest}/api/calling/calls`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${project.project_id}:${project.token}`)}` },
      body: JSON.stringify({
        command: "calling.transfer",
        id: call.call_id,
        params: { dest: `${stub.url}/held` },
      }),
    });
    expect(answer.status).toBe(200);
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    expect((await relay.request("calling.answer", call)).result).toMatchObject({ code: "200" });
  });
});
