import { expect, test } from "vitest";
import type { CallOrigin } from "../carrier/call-facts.ts";
import type { Call } from "../carrier/calls.ts";
import { Project } from "../carrier/project.ts";
import type { ProjectSettings } from "../carrier/settings.ts";
import type { CallRecord } from "./call-record.ts";
import { crimesOf } from "./judge.ts";
import { recordsOf } from "./records.ts";

const room = "acme:team";

interface Scene {
  project: Project;
  calls: Call[];
  /** A call comes, and is answered. */
  call(origin?: CallOrigin): Call;
  /** A status callback was sent, as the carrier notes it. */
  callback(facts: Record<string, unknown>): void;
  records(): CallRecord[];
}

function sceneOf(switches: ProjectSettings["switches"] = {}): Scene {
  const project = new Project({ switches });
  const calls: Call[] = [];
  return {
    project,
    calls,
    call(origin = "webhook") {
      const facts = { from: "+1", to: "+2", type: "phone", direction: "inbound", headers: [] } as const;
      const call = project.addCall({ ...facts, origin });
      call.answer();
      calls.push(call);
      return call;
    },
    callback: (facts) =>
      project.journal.note("status_callback", {
        status: "participant-leave",
        signed: true,
        named_as_by_relay: true,
        http_status: 204,
        ...facts,
      }),
    records: () =>
      recordsOf({
        plan: { calls: calls.map(plannedFor) },
        projects: [project],
        hung_up: new Map(),
        taken_out: new Map(),
        given_up: new Set(),
        operated: [],
        ended_at: Date.now(),
      }),
  };
}

function plannedFor({ call_id }: Call): CallRecord["planned"] {
  const facts = { kind: "team", way: "swml", tenant: "acme", from: "+1", to: "+2" } as const;
  return { ...facts, call_id, at_ms: 0, project: 0, copies: 1, room, hangs_up: null, taken_out: null };
}

function join(scene: Scene, call: Call, more: Record<string, unknown> = {}): string {
  const joined = scene.project.join(call, { name: room, ...more }, "relay", () => {});
  if (!joined.joined) throw new Error(joined.reason);
  return joined.conference.conference_id;
}

test("stays are those that the carrier had, whatever it told of them", () => {
  const scene = sceneOf();
  const call = scene.call();
  scene.project.conferenceEvent = () => {};
  join(scene, call);
  call.conference?.leave(call.call_id);
  join(scene, call);
  const [record] = scene.records();
  expect(record?.stays.map(({ room, to }) => [room, to !== null])).toEqual([
    [room, true],
    [room, false],
  ]);
});

test.each<[string, CallOrigin, ProjectSettings["switches"], Record<string, unknown>, boolean]>([
  ["is told by a signed callback that was answered", "webhook", {}, {}, true],
  ["is told by one that was answered with another 2xx", "webhook", {}, { http_status: 200 }, true],
  ["is not told by one that was not signed", "webhook", {}, { signed: false }, false],
  ["is not told by one that was answered with an error", "webhook", {}, { http_status: 503 }, false],
  [
    "is not told by a form with a sid that the client never saw",
    "webhook",
    { call_sid_is_call_id: false },
    { named_as_by_relay: false },
    false,
  ],
  [
    "is told by a form with the sid that a cXML webhook named",
    "cxml",
    { call_sid_is_call_id: false },
    { named_as_by_relay: false },
    true,
  ],
])("a leave %s", (_, origin, switches, facts, isTold) => {
  const scene = sceneOf(switches);
  const call = scene.call(origin);
  const conference_id = join(scene, call);
  call.conference?.leave(call.call_id);
  scene.callback({ call_id: call.call_id, conference_id, ...facts });
  const stay = scene.records()[0]?.stays[0];
  expect(stay?.told_at !== null).toBe(isTold);
  expect(stay?.untold).toHaveLength(isTold ? 0 : 1);
});

test("a conference's end that a callback told of tells all who were in it", () => {
  const scene = sceneOf();
  const two = [scene.call(), scene.call()];
  const [conference_id] = two.map((call) => join(scene, call));
  two[0]?.conference?.end("ended-via-api");
  scene.callback({ status: "conference-end", conference_id });
  expect(scene.records().map(({ stays: [stay] }) => stay?.told_at)).not.toContain(null);
});

test("a form that tells of a conference's end tells only those who were told of in it", () => {
  const scene = sceneOf();
  const [told, untold] = [scene.call(), scene.call()];
  const [conference_id] = [told, untold].map((call) => join(scene, call));
  scene.callback({ status: "participant-join", call_id: told.call_id, conference_id, form: true });
  told.conference?.end("ended-via-api");
  scene.callback({ status: "conference-end", conference_id, form: true });
  expect(scene.records().map(({ stays: [stay] }) => stay?.told_at !== null)).toEqual([true, false]);
});

test("an event of RELAY's tells of a leave when it was acknowledged", () => {
  const scene = sceneOf();
  const call = scene.call();
  const conference_id = join(scene, call);
  call.conference?.leave(call.call_id);
  const params = { call_id: call.call_id, conference_id, status: "participant-leave" };
  const frame = {
    id: "e1",
    method: "signalwire.event",
    params: { event_type: "calling.conference", params },
  };
  scene.project.journal.note("frame_out", { frame });
  expect(scene.records()[0]?.stays[0]).toMatchObject({ told_at: null, untold: ["event not acknowledged"] });
  scene.project.journal.note("frame_in", { frame: { id: "e1", result: {} } });
  expect(scene.records()[0]?.stays[0]?.told_at).not.toBeNull();
});

test("a call that a document's end hangs up in its conference is ended while in it, one that left before is not", () => {
  const scene = sceneOf();
  const [inside, outside] = [scene.call(), scene.call()];
  for (const call of [inside, outside]) join(scene, call);
  inside.hangUp("error");
  outside.conference?.leave(outside.call_id);
  outside.hangUp("hangup");
  expect(scene.records().map(crimesOf)).toEqual([["ended_while_in_conference"], []]);
});

test("an update by REST that completes a call in its conference ends it there", () => {
  const scene = sceneOf({ call_sid_is_call_id: false });
  const call = scene.call("cxml");
  join(scene, call);
  const path = `/api/laml/2010-04-01/Accounts/p/Calls/${call.sid}.json`;
  scene.project.journal.note("rest", { method: "POST", path, body: "Status=completed" });
  expect(scene.records().map(crimesOf)).toEqual([["ended_while_in_conference"]]);
});

test("a moderator who is joined again ends the conference for the others, and alone for none", () => {
  for (const others of [0, 2]) {
    const scene = sceneOf();
    const chair = scene.call();
    join(scene, chair, { end_on_exit: true });
    for (let other = 0; other < others; other += 1) join(scene, scene.call());
    chair.conference?.leave(chair.call_id);
    join(scene, chair, { end_on_exit: true });
    const [record] = scene.records();
    expect(record?.stays.map(({ ended_for }) => ended_for)).toEqual([others, 0]);
    expect(record && crimesOf(record)).toEqual(others === 0 ? [] : ["ended_by_rejoin"]);
  }
});
