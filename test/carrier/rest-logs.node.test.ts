import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BareRelay } from "./bare-relay.ts";
import { BareRest } from "./bare-rest.ts";
import { type Carrier, startCarrier } from "./carrier.ts";
import { CarrierClient } from "./client.ts";
import type { ProjectSettings } from "./settings.ts";
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

const phone = { from: "+15550100001", to: "+15550100100" };

/** A project, and a web server whose documents wait, but for `/join` and `/cxml`, which join. */
async function scene(switches: ProjectSettings["switches"] = {}) {
  const stub = await startWebStub(({ path }) => {
    if (path === "/cxml") return cxml("<Dial><Conference>board</Conference></Dial>");
    if (path === "/join") return swml({ join_conference: { name: "support" } });
    return swml({ answer: {} }, { sleep: -1 });
  });
  stubs.push(stub);
  const project = await client.createProject({ switches });
  const relay = await BareRelay.open(carrier.relay);
  await relay.connect(project, { contexts: ["office"] });
  const rest = new BareRest(carrier.rest, project);
  const log = async (segment_id: string) => {
    const answer = await rest.send(`/api/voice/logs/${segment_id}`);
    // The shape is asserted by the tests that read it.
    return { http_status: answer.status, ...((await answer.json()) as object) };
  };
  /** The segments that webhooks told, in order. */
  const segments = (): string[] => stub.received.map(({ body }) => JSON.parse(body).call.segment_id);
  const place = async (url: string) => {
    const call = await project.placeCall({ ...phone, url });
    await project.wait({ call: { call_id: call.call_id, state: "answered" } });
    return call;
  };
  return { stub, project, relay, rest, log, segments, place };
}

describe("the voice log", () => {
  test("of a SWML call is found by its segment, and tells its status while it lives and after", async () => {
    const { stub, project, log, segments, place } = await scene();
    const { call_id } = await place(`${stub.url}/wait`);
    const [segment_id = ""] = segments();
    const facts = { id: segment_id, ...phone, direction: "inbound", type: "relay_pstn_call" };
    expect(await log(segment_id)).toMatchObject({ http_status: 200, ...facts, status: "in-progress" });
    await project.hangUp(call_id);
    expect(await log(segment_id)).toMatchObject({ ...facts, status: "completed" });
    expect(await log("nobody")).toMatchObject({ http_status: 404 });
  });

  test("of a RELAY call is found by the segment of its offer, and a call that nobody answered is told as such", async () => {
    const { project, relay, log } = await scene();
    const { call_id } = await project.placeCall({ ...phone, context: "office" });
    const { segment_id } = await relay.event("calling.call.receive");
    expect(await log(String(segment_id))).toMatchObject({ status: "ringing" });
    await project.hangUp(call_id, "noAnswer");
    expect(await log(String(segment_id))).toMatchObject({ status: "no-answer" });
  });

  test("has RELAY's words where voice_logs says so", async () => {
    const { stub, project, log, segments, place } = await scene({ voice_logs: "present_in_relay_words" });
    const { call_id } = await place(`${stub.url}/wait`);
    const [segment_id = ""] = segments();
    expect(await log(segment_id)).toMatchObject({ status: "answered" });
    await project.hangUp(call_id);
    expect(await log(segment_id)).toMatchObject({ status: "ended" });
  });

  test("is missing where voice_logs says so", async () => {
    const { stub, log, segments, place } = await scene({ voice_logs: "absent" });
    await place(`${stub.url}/wait`);
    const [segment_id = ""] = segments();
    expect(await log(segment_id)).toMatchObject({ http_status: 404 });
  });
});

describe("a call's segment", () => {
  const transferTo = (url: string, call_id: string) =>
    JSON.stringify({ command: "calling.transfer", id: call_id, params: { dest: url } });

  test("stays the same from document to document", async () => {
    const { stub, project, rest, segments, place } = await scene();
    const { call_id } = await place(`${stub.url}/wait`);
    await rest.send("/api/calling/calls", "POST", transferTo(`${stub.url}/join`, call_id));
    await project.wait({ call: { call_id, in_conference: "support" } });
    const [first, second] = segments();
    expect(second).toBe(first);
  });

  test("ends when another document is fetched, where segments says so, while the call lives", async () => {
    const { stub, project, relay, rest, log, segments, place } = await scene({
      segments: "one_per_document",
      call_state_events_of_webhook_calls: true,
    });
    const { call_id } = await place(`${stub.url}/wait`);
    await rest.send("/api/calling/calls", "POST", transferTo(`${stub.url}/join`, call_id));
    await project.wait({ call: { call_id, in_conference: "support" } });
    const [first = "", second = ""] = segments();
    expect(second).not.toBe(first);
    expect(await log(first)).toMatchObject({ http_status: 200, status: "completed" });
    expect(await log(second)).toMatchObject({ status: "in-progress" });
    const told = (state: string) =>
      relay.event("calling.call.state", ({ call_state }) => call_state === state);
    expect(await told("answered")).toMatchObject({ segment_id: first });
    await project.hangUp(call_id);
    expect(await told("ended")).toMatchObject({ segment_id: second });
  });
});

interface ConferenceLogs {
  readonly links: { readonly next?: string };
  readonly data: readonly { readonly name: string; readonly status: string | null }[];
}

describe("the conferences' log", () => {
  async function rooms(switches: ProjectSettings["switches"] = {}) {
    const here = await scene(switches);
    const { stub, project, rest } = here;
    for (const way of [{ cxml_url: `${stub.url}/cxml` }, { url: `${stub.url}/join` }]) {
      const { call_id } = await project.placeCall({ ...phone, ...way });
      const in_conference = "url" in way ? "support" : "board";
      await project.wait({ call: { call_id, in_conference } });
    }
    // The shape is asserted by the tests that read it.
    const logs = async (path = "/api/logs/conferences") =>
      (await (await rest.send(path)).json()) as ConferenceLogs;
    return { ...here, logs };
  }

  test("has conferences of cXML and RELAY, with their size, whatever the compatibility lists hold", async () => {
    const { project, logs } = await rooms({ rest_lists_swml_joins: false });
    const [board, support] = await project.conferences();
    expect((await logs()).data).toMatchObject([
      {
        id: board?.sid,
        name: "board",
        type: "cxml_conference",
        current_participants: 1,
        status: "init",
      },
      {
        id: support?.conference_id,
        name: "support",
        type: "relay_conference",
        current_participants: 1,
        max_size: 100_000,
      },
    ]);
  });

  test("is paged by links", async () => {
    const { logs } = await rooms();
    const first = await logs("/api/logs/conferences?page_size=1");
    expect(first.data.map(({ name }) => name)).toEqual(["board"]);
    const next = new URL(first.links.next ?? "");
    expect(next.origin).toBe(carrier.rest);
    const second = await logs(next.pathname + next.search);
    expect(second.data.map(({ name }) => name)).toEqual(["support"]);
    expect(second.links).not.toHaveProperty("next");
  });

  test.each([
    ["as_callbacks", [null, "conference-start", "conference-end"]],
    ["created_active_ended", ["created", "active", "ended"]],
  ] as const)(
    "tells a RELAY conference's status %s where the switch says so",
    async (reading, [waiting, started, ended]) => {
      const { stub, project, logs } = await rooms({ relay_conference_status_words: reading });
      const status = async () => (await logs()).data.find(({ name }) => name === "support")?.status;
      expect(await status()).toBe(waiting);
      const { call_id } = await project.placeCall({ ...phone, url: `${stub.url}/join` });
      await project.wait({ call: { call_id, in_conference: "support" } });
      expect(await status()).toBe(started);
      for (const call of await project.calls()) await project.hangUp(call.call_id);
      expect(await status()).toBe(ended);
    },
  );

  test("is late as the lists are, and spoilt as they are", async () => {
    const { project, rest, logs } = await rooms({ rest_list_lag_ms: 20_000 });
    expect((await logs()).data).toEqual([]);
    await project.change({ switches: { rest_list_lag_ms: 0, rest_list_pages: "empty" } });
    expect((await logs()).data).toEqual([]);
    await project.change({ switches: { rest_list_pages: "repeated" } });
    const { links } = await logs();
    expect(links).toMatchObject({ next: `${carrier.rest}/api/logs/conferences` });
    await project.change({ switches: { rest_list_pages: "cut" } });
    const cut = await (await rest.send("/api/logs/conferences")).text();
    expect(() => JSON.parse(cut)).toThrow();
  });
});
