import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient, type CarrierProject } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { startWebStub } from "./web-stub.ts";

let carrier: Carrier;
let client: CarrierClient;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
});
afterAll(() => carrier.close());

interface Scene {
  project: CarrierProject;
  relay: BareRelay;
  /** An answered call. */
  caller(): Promise<{ call_id: string; node_id: string }>;
  join(call: { call_id: string }, name: string, more?: Record<string, unknown>): Promise<void>;
  statuses(): unknown[];
}

async function scene(settings: ProjectSettings = {}): Promise<Scene> {
  const project = await client.createProject(settings);
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  return {
    project,
    relay,
    caller: async () => {
      const call = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
      await relay.request("calling.answer", call);
      return call;
    },
    join: async (call, name, more = {}) => {
      await relay.request("calling.join_conference", { ...call, name, ...more });
    },
    statuses: () => relay.events("calling.conference").map(({ status }) => status),
  };
}

describe("a conference", () => {
  test("is shared by those who join one name, with its events in order", async () => {
    const { project, relay, caller, join, statuses } = await scene();
    const [a, b] = [await caller(), await caller()];
    await join(a, "support");
    await join(b, "support");
    await project.wait({ call: { call_id: b.call_id, in_conference: "support" } });
    await project.hangUp(a.call_id);
    await project.hangUp(b.call_id);
    await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect(statuses()).toEqual([
      "participant-join",
      "participant-join",
      "conference-start",
      "participant-leave",
      "participant-leave",
      "conference-end",
    ]);
    const [joined] = relay.events("calling.conference");
    expect(joined).toMatchObject({ name: "support", size: 1, call_id: a.call_id, node_id: a.node_id });
  });

  test("of one project is not that of another, whatever its name", async () => {
    const [here, there] = [await scene(), await scene()];
    const [a, b] = [await here.caller(), await there.caller()];
    await here.join(a, "support");
    await there.join(b, "support");
    await there.project.wait({ call: { call_id: b.call_id, in_conference: "support" } });
    expect(await here.project.conferences()).toMatchObject([{ participants: [{ call_id: a.call_id }] }]);
    expect(here.relay.events("calling.conference")).toHaveLength(1);
  });

  test("puts one on hold with music, and takes them off it", async () => {
    const { project, relay, caller, join } = await scene();
    const [a, b] = [await caller(), await caller()];
    await join(a, "support");
    await join(b, "support");
    const { conference_id } = await relay.event("calling.conference");
    const path = `/api/laml/2010-04-01/Accounts/${project.project_id}/Conferences/${conference_id}/Participants/${b.call_id}`;
    for (const Hold of ["true", "false"]) {
      await fetch(carrier.rest + path, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${project.project_id}:${project.token}`)}` },
        body: new URLSearchParams({ Hold }),
      });
    }
    const { heard, two_sounds } = await project.call(b.call_id);
    expect(heard.map(({ sound }) => sound)).toEqual(["ring", "conference", "music", "conference"]);
    expect(two_sounds).toBe(false);
  });

  test("plays music to someone alone, and is heard once there are two", async () => {
    const { project, caller, join } = await scene();
    const [a, b] = [await caller(), await caller()];
    await join(a, "support");
    await project.wait({ call: { call_id: a.call_id, heard: { sound: "music", contains: "support" } } });
    await join(b, "support");
    await project.wait({ call: { call_id: a.call_id, heard: { sound: "conference", contains: "support" } } });
    expect((await project.call(a.call_id)).two_sounds).toBe(false);
  });

  test("starts with one alone where the switch says so", async () => {
    const { project, relay, caller, join } = await scene({ switches: { alone_hears_music: false } });
    const a = await caller();
    await join(a, "support");
    await relay.event("calling.conference", ({ status }) => status === "conference-start");
    await project.wait({ call: { call_id: a.call_id, heard: { sound: "conference" } } });
  });

  test("waits with music until someone joins who starts it", async () => {
    const { project, relay, caller, join, statuses } = await scene();
    const [a, b, moderator] = [await caller(), await caller(), await caller()];
    await join(a, "board", { start_on_enter: false });
    await join(b, "board", { start_on_enter: false });
    await project.wait({ call: { call_id: b.call_id, heard: { sound: "music" } } });
    expect(statuses()).not.toContain("conference-start");
    await join(moderator, "board");
    await relay.event("calling.conference", ({ status }) => status === "conference-start");
    await project.wait({ call: { call_id: a.call_id, heard: { sound: "conference" } } });
  });

  test("drops everyone when one with end_on_exit leaves; their calls live on", async () => {
    const { project, relay, caller, join, statuses } = await scene();
    const [moderator, a] = [await caller(), await caller()];
    await join(moderator, "board", { end_on_exit: true });
    await join(a, "board");
    await project.wait({ call: { call_id: a.call_id, in_conference: "board" } });
    await project.hangUp(moderator.call_id);
    const end = await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect(end).toMatchObject({
      call_id_ending_conf: moderator.call_id,
      call_ending_conference: moderator.call_id,
      reason_ended: "participant-with-end-conference-on-exit-left",
      size: 0,
    });
    const leaves = relay.events("calling.conference").filter(({ status }) => status === "participant-leave");
    expect(leaves).toMatchObject([
      {
        call_id: moderator.call_id,
        start_on_enter: true,
        end_on_exit: true,
        participant_call_status: "completed",
        reason_participant_left: "participant_hung_up",
      },
      {
        call_id: a.call_id,
        end_on_exit: false,
        participant_call_status: "in-progress",
        reason_participant_left: "moderator_ended_conference",
      },
    ]);
    expect(statuses().filter((status) => status === "participant-leave")).toHaveLength(2);
    expect(await project.call(a.call_id)).toMatchObject({ conference: null, state: "answered" });
  });

  test("takes no more than max_participants: the command is accepted, the join is not", async () => {
    const { project, relay, caller, join } = await scene();
    const [a, b, c] = [await caller(), await caller(), await caller()];
    await join(a, "small", { max_participants: 2 });
    await join(b, "small", { max_participants: 2 });
    const answer = await relay.request("calling.join_conference", {
      ...c,
      name: "small",
      max_participants: 2,
    });
    expect(answer.result).toMatchObject({ code: "200" });
    expect(await relay.event("calling.error")).toMatchObject({
      node_id: c.node_id,
      call_id: c.call_id,
      code: "400",
      message: expect.stringContaining("full"),
    });
    expect((await project.call(c.call_id)).conference).toBeNull();
  });

  test("lets a coach in only where the call to be coached is there", async () => {
    const { project, relay, caller, join } = await scene();
    const [agent, coach] = [await caller(), await caller()];
    await join(coach, "support", { coach: agent.call_id });
    await relay.event("calling.error", ({ message }) => String(message).includes(agent.call_id));
    await join(agent, "support");
    await join(coach, "support", { coach: agent.call_id });
    await relay.event("calling.conference", ({ coaching }) => coaching === true);
    expect((await project.call(coach.call_id)).conference).toBe("support");
  });

  test("tells its id to those who join later, and lets them leave by it", async () => {
    const { project, relay, caller, join } = await scene();
    const [a, b] = [await caller(), await caller()];
    await join(a, "support");
    const { conference_id } = await relay.event("calling.conference");
    const joined = await relay.request("calling.join_conference", { ...b, name: "support" });
    expect(joined.result).toMatchObject({ conference_id });
    const left = await relay.request("calling.leave_conference", { ...b, conference_id });
    expect(left.result).toMatchObject({ code: "200", message: "Leaving conference" });
    await project.wait({ call: { call_id: b.call_id, in_conference: null, state: "answered" } });
    const wrong = await relay.request("calling.leave_conference", { ...b, conference_id });
    expect(wrong.result).toMatchObject({ code: "404" });
  });

  test("sends no events over RELAY where there is no status callback and the switch says so", async () => {
    const { project, relay, caller, join, statuses } = await scene({
      switches: { conference_events_without_callback: false },
    });
    const [a, b] = [await caller(), await caller()];
    await join(a, "quiet");
    await project.wait({ call: { call_id: a.call_id, in_conference: "quiet" } });
    await join(b, "told", { status_callback: "http://127.0.0.1:1/", status_callback_event: "end" });
    const first = await relay.event("calling.conference");
    expect(first).toMatchObject({ name: "told" });
    expect(statuses()).toEqual(["participant-join"]);
  });

  test("posts JSON to its status callback, and heeds the method for forms alone", async () => {
    const { project, caller, join } = await scene();
    const stub = await startWebStub(() => ({}));
    const status_callback_method = "GET";
    const told = { status_callback: stub.url, status_callback_event: "join", status_callback_method };
    await join(await caller(), "json", told);
    await join(await caller(), "form", { ...told, status_callback_event_type: "cxml" });
    await expect.poll(() => stub.received.map(({ method }) => method).sort()).toEqual(["GET", "POST"]);
    const [post] = stub.received.filter(({ method }) => method === "POST");
    expect(JSON.parse(post?.body ?? "")).toMatchObject({
      event_type: "calling.conference",
      project_id: project.project_id,
      params: { status: "participant-join", name: "json" },
    });
    stub.close();
  });

  test("is entered by a call that is in one already with 409, and by one not answered not at all", async () => {
    const { project, relay, caller, join } = await scene();
    const a = await caller();
    await join(a, "one");
    const twice = await relay.request("calling.join_conference", { ...a, name: "two" });
    expect(twice.result).toMatchObject({ code: "409" });
    const ringing = await project.placeCall({ from: "+15550100001", to: "+15550100100" });
    const early = await relay.request("calling.join_conference", { ...ringing, name: "one" });
    expect(early.result).toMatchObject({ code: "409", message: expect.stringContaining("not answered") });
    await project.wait({
      journal: { kind: "violation", contains: { method: "calling.join_conference" } },
    });
  });

  test("is recorded from its start to its end where its first participant says so", async () => {
    const { project, relay, caller, join } = await scene();
    const [a, b] = [await caller(), await caller()];
    await join(a, "kept", { record: "record-from-start" });
    await join(b, "kept");
    await relay.event("calling.conference", ({ status }) => status === "record-start");
    await project.hangUp(a.call_id);
    await project.hangUp(b.call_id);
    const end = await relay.event("calling.conference", ({ status }) => status === "conference-end");
    expect(end).toMatchObject({ recording_url: expect.stringContaining("https://") });
  });
});
