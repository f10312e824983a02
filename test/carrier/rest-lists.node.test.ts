import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
import { cxml, startWebStub, swml, type WebStub } from "./web-stub.ts";

const NAME = "acme:support";

let carrier: Carrier;
let client: CarrierClient;
let stub: WebStub;
beforeAll(async () => {
  carrier = await startCarrier(0);
  client = new CarrierClient(carrier.control);
  stub = await startWebStub(({ path }) =>
    path === "/cxml"
      ? cxml(`<Dial><Conference>${NAME}</Conference></Dial>`)
      : swml({ join_conference: { name: NAME } }),
  );
});
afterAll(async () => {
  stub.close();
  await carrier.close();
});

type Way = "relay" | "swml" | "cxml";

/** A project with calls that joined one conference, in these ways and this order. */
async function scene(
  ways: Way[],
  switches: ProjectSettings["switches"] = {},
  faults: ProjectSettings["faults"] = [],
) {
  const project = await client.createProject({ switches, faults });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project);
  const enter = async (way: Way): Promise<string> => {
    const url = `${stub.url}/${way}`;
    const setup = { relay: {}, swml: { url }, cxml: { cxml_url: url } }[way];
    const call = await project.placeCall({ from: "+15550100001", to: "+15550100100", ...setup });
    if (way === "relay") {
      await relay.request("calling.answer", call);
      await relay.request("calling.join_conference", { ...call, name: NAME });
    }
    await project.wait({ call: { call_id: call.call_id, in_conference: NAME } });
    return call.call_id;
  };
  const calls: string[] = [];
  for (const way of ways) calls.push(await enter(way));
  const sid = (await project.conferences())[0]?.sid ?? "";
  return { project, rest: new BareRest(carrier.rest, project), enter, calls, sid };
}

const callSids = (participants: readonly { call_sid: string }[]) =>
  participants.map(({ call_sid }) => call_sid);

describe("a conference that has not started", () => {
  test("is listed as init, until it starts", async () => {
    const { rest, sid, enter } = await scene(["cxml"]);
    expect(await rest.conferences("Status=init")).toMatchObject([{ sid, status: "init" }]);
    expect(await rest.conferences("Status=in-progress")).toEqual([]);
    await enter("cxml");
    expect(await rest.conferences("Status=init")).toEqual([]);
    expect(await rest.conferences("Status=in-progress")).toMatchObject([{ sid, status: "in-progress" }]);
  });

  test("is listed as in progress where rest_status_while_waiting says so", async () => {
    const { rest, sid } = await scene(["cxml"], { rest_status_while_waiting: "in-progress" });
    expect(await rest.conferences("Status=in-progress")).toMatchObject([{ sid, status: "in-progress" }]);
    expect(await rest.conferences("Status=init")).toEqual([]);
  });
});

describe("lists of participants", () => {
  test("hold calls of RELAY, SWML and cXML, all in progress", async () => {
    const { rest, sid, calls } = await scene(["relay", "swml", "cxml"]);
    const found = await rest.participants(sid);
    expect(callSids(found)).toEqual(calls);
    expect(new Set(found.map(({ status }) => status))).toEqual(new Set(["in-progress"]));
  });

  test.each([
    ["relay", "rest_lists_relay_joins"],
    ["swml", "rest_lists_swml_joins"],
  ] as const)("lack calls that %s joined where %s is off", async (way, name) => {
    const { project, rest, sid, calls } = await scene(["cxml", way], { [name]: false });
    expect(callSids(await rest.participants(sid))).toEqual([calls[0]]);
    expect((await rest.send(rest.laml(`/Conferences/${sid}/Participants/${calls[1]}`))).status).toBe(404);
    await project.hangUp(calls[0] ?? "");
    expect(await rest.conferences("Status=in-progress")).toEqual([]);
    expect((await rest.send(rest.laml(`/Conferences/${sid}/Participants.json`))).status).toBe(404);
    expect((await project.conferences())[0]?.participants).toHaveLength(1);
  });

  test.each(["404", "empty"] as const)(
    "of a listed conference are %s where participants_of_listed_conference says so",
    async (reading) => {
      const { rest, sid } = await scene(["relay", "cxml"], { participants_of_listed_conference: reading });
      expect(await rest.conferences("Status=in-progress")).toMatchObject([{ sid }]);
      const answer = await rest.send(rest.laml(`/Conferences/${sid}/Participants.json`));
      expect(answer.status).toBe(reading === "404" ? 404 : 200);
      if (reading === "empty") expect(await answer.json()).toMatchObject({ participants: [] });
    },
  );

  test("of a listed conference hold cXML's alone where participants_of_listed_conference says so", async () => {
    const ways: Way[] = ["relay", "swml", "cxml"];
    const { rest, sid, calls } = await scene(ways, { participants_of_listed_conference: "cxml_only" });
    expect(callSids(await rest.participants(sid))).toEqual([calls[2]]);
  });

  test("forget who left", async () => {
    const { project, rest, sid, calls } = await scene(["cxml", "relay"]);
    await project.hangUp(calls[0] ?? "");
    expect(callSids(await rest.participants(sid))).toEqual([calls[1]]);
  });

  test("keep who left, as completed, where completed_participants_listed is on", async () => {
    const { project, rest, sid, calls } = await scene(["cxml", "relay"], {
      completed_participants_listed: true,
    });
    await project.hangUp(calls[0] ?? "");
    expect(await rest.participants(sid)).toMatchObject([
      { call_sid: calls[0], status: "completed" },
      { call_sid: calls[1], status: "in-progress" },
    ]);
    const one = rest.laml(`/Conferences/${sid}/Participants/${calls[0]}`);
    expect(await (await rest.send(one)).json()).toMatchObject({ status: "completed" });
    expect((await rest.send(one, "DELETE")).status).toBe(404);
  });
});

test("lists show what was rest_list_lag_ms ago, on the project's clock, and a call's status is never late", async () => {
  const { project, rest, sid, calls } = await scene(["cxml", "relay"], { rest_list_lag_ms: 20_000 });
  const [leaving = "", staying = ""] = calls;
  const participants = rest.laml(`/Conferences/${sid}/Participants.json`);
  expect(await rest.conferences()).toEqual([]);
  expect((await rest.send(participants)).status).toBe(404);

  await project.change({ speed: 10_000 });
  await expect.poll(async () => callSids((await rest.list(participants)).participants ?? [])).toEqual(calls);
  await project.change({ speed: 1 });
  await project.hangUp(leaving);
  expect(callSids(await rest.participants(sid))).toEqual(calls);
  const status = await (await rest.send(rest.laml(`/Calls/${leaving}.json`))).json();
  expect(status).toMatchObject({ status: "completed" });

  await project.change({ speed: 10_000 });
  await expect.poll(async () => callSids(await rest.participants(sid))).toEqual([staying]);
  await project.change({ speed: 1 });
  await project.hangUp(staying);
  expect(await rest.conferences("Status=in-progress")).toMatchObject([{ sid }]);
  expect(await rest.conferences("Status=completed")).toEqual([]);
  expect(callSids(await rest.participants(sid))).toEqual([staying]);

  await project.change({ speed: 10_000 });
  await expect.poll(async () => rest.conferences("Status=completed")).toMatchObject([{ sid }]);
});

describe("a list", () => {
  test("of conferences is empty where rest_list_pages says so, and one of participants is not", async () => {
    const { rest, sid, calls } = await scene(["cxml"], { rest_list_pages: "empty" });
    expect(await rest.conferences()).toEqual([]);
    expect(callSids(await rest.participants(sid))).toEqual(calls);
  });

  test.each(["/Conferences.json", "/Conferences/{sid}/Participants.json"])(
    "breaks off in the middle of %s where rest_list_pages says so",
    async (path) => {
      const { rest, sid } = await scene(["cxml"], { rest_list_pages: "cut" });
      const answer = await rest.send(rest.laml(path.replace("{sid}", sid)));
      expect(answer.status).toBe(200);
      const text = await answer.text();
      expect(text).toContain("{");
      expect(() => JSON.parse(text)).toThrow();
    },
  );

  test.each(["/Conferences.json", "/Conferences/{sid}/Participants.json"])(
    "leads to one page of %s again and again where rest_list_pages says so",
    async (path) => {
      const { rest, sid } = await scene(["cxml", "cxml"], { rest_list_pages: "repeated" });
      const first = await rest.list(rest.laml(`${path.replace("{sid}", sid)}?PageSize=1`));
      expect(first.next_page_uri).toBe(first.uri);
      expect(await rest.list(first.next_page_uri ?? "")).toEqual(first);
    },
  );

  test("is spoilt once by script, and what is no list spends nothing of it", async () => {
    const match = { resource: "participants" as const };
    const { rest, sid, calls } = await scene(["cxml"], {}, [
      { at: "rest", match, times: 1, do: { kind: "list", as: "empty" } },
      { at: "rest", times: 1, do: { kind: "list", as: "cut" } },
    ]);
    await rest.send(rest.laml(`/Conferences/${sid}/Participants/${calls[0]}`));
    await rest.send(rest.laml(`/Calls/${calls[0]}.json`));
    const cut = await (await rest.send(rest.laml("/Conferences.json"))).text();
    expect(() => JSON.parse(cut)).toThrow();
    expect(await rest.participants(sid)).toEqual([]);
    expect(callSids(await rest.participants(sid))).toEqual(calls);
    expect(await rest.conferences()).toMatchObject([{ sid }]);
  });

  test("cannot be spoilt by a fault of another point than REST", async () => {
    const wrong = { at: "webhook" as const, do: { kind: "list" as const, as: "empty" as const } };
    await expect(client.createProject({ faults: [wrong] })).rejects.toThrow("422");
  });
});

test("the status of a call is known for every kind of call, or for cXML's alone where call_status_known says so", async () => {
  const { project, rest, calls } = await scene(["relay", "swml", "cxml"]);
  const statuses = () =>
    Promise.all(calls.map(async (sid) => (await rest.send(rest.laml(`/Calls/${sid}.json`))).status));
  expect(await statuses()).toEqual([200, 200, 200]);
  await project.change({ switches: { call_status_known: "cxml_only" } });
  expect(await statuses()).toEqual([404, 404, 200]);
});

test("every third request is refused as too many, and not executed, where rest_429 says so", async () => {
  const { project, rest, calls } = await scene(["relay"], { rest_429: "often" });
  const end = () =>
    rest.send("/api/calling/calls", "POST", JSON.stringify({ command: "calling.end", id: calls[0] }));
  expect((await rest.send(rest.laml("/Conferences.json"))).status).toBe(200);
  expect((await rest.send(rest.laml(`/Calls/${calls[0]}.json`))).status).toBe(200);
  const refused = await end();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await project.call(calls[0] ?? "")).toMatchObject({ state: "answered" });
  expect((await end()).status).toBe(200);
});

test("a cXML call is ended by the status of its update", async () => {
  const { project, rest, calls } = await scene(["cxml"], { call_status_known: "cxml_only" });
  const ended = await rest.send(
    rest.laml(`/Calls/${calls[0]}.json`),
    "POST",
    new URLSearchParams({ Status: "completed" }),
  );
  expect(await ended.json()).toMatchObject({ status: "completed" });
  expect(await project.call(calls[0] ?? "")).toMatchObject({ state: "ended" });
});
