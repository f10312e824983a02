import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { askApi } from "../api/ask.ts";
import { type Fixture, openFixture, sent, warmUp } from "../fixture.ts";
import { call, openContext } from "../session/calls/context-fixture.ts";
import { callFrom, inWaitingRoom, lose, room, waits } from "../waiting-room-fixture.ts";

const rules = [{ id: "support", match: {}, place: { room: "support" } }];
const caller = { from: "+15550100001", to: "+15550100100" };

beforeAll(warmUp);

/** A call in the room by RELAY, past its hold. */
async function inRoom(home: Fixture): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
  await home.carrier.wait({
    journal: { kind: "document", contains: { call_id, step: "sleep", body: { duration: -1 } } },
  });
  return call_id;
}

async function callbackUrl(home: Fixture): Promise<string> {
  const [join] = await sent(home, "calling.join_conference");
  return String(join?.["status_callback"]);
}

async function report(url: string, body: BodyInit, type = "application/json"): Promise<number> {
  const response = await exports.default.fetch(url, {
    method: "POST",
    headers: { "content-type": type },
    body,
  });
  return response.status;
}

function leave(home: Fixture, call_id: string, changes: Record<string, unknown> = {}): string {
  return JSON.stringify({
    event_type: "calling.conference",
    timestamp: Date.now() / 1000 + 60,
    params: {
      status: "participant-leave",
      conference_id: "conf",
      name: `${home.tenant}:support`,
      call_id,
      ...changes,
    },
  });
}

/** An event of the tenant's conference with lists in one another in one of its fields. */
function deep(field: string): string {
  const lists = `${"[".repeat(20_000)}1${"]".repeat(20_000)}`;
  return `{"event_type":"calling.conference","params":{"status":"record-stop","${field}":{"length":${lists}}}}`;
}

const FOREIGN_CALL = "a-call-of-another-tenant";

/** How many events of that call callbacks have brought to the session. */
async function events(home: Fixture): Promise<number> {
  const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
  const sql = "SELECT COUNT(*) AS count FROM events WHERE call_id = ?";
  return await runInDurableObject(
    session,
    (_, { storage }) => storage.sql.exec<{ count: number }>(sql, FOREIGN_CALL).one().count,
  );
}

/** As an operator does it, by REST. */
async function endRoom({ carrier }: Fixture): Promise<void> {
  const [conference] = await carrier.conferences();
  const path = `/api/laml/2010-04-01/Accounts/${carrier.project_id}/Conferences/${conference?.conference_id}.json`;
  const response = await fetch(new URL(path, inject("carrier")), {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${carrier.project_id}:${carrier.token}`)}` },
    body: new URLSearchParams({ Status: "completed" }),
  });
  expect(response.status).toBe(200);
}

describe("status callbacks, the second feed", () => {
  test("every join asks for them alike, with a token that is the tenant's own", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await using other = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    await inRoom(home);
    await inRoom(other);
    const joins = await sent(home, "calling.join_conference");
    const [first, second] = joins.map(({ call_id: _, node_id: __, ...settings }) => settings);
    expect(first).toEqual(second);
    expect(first).toMatchObject({ status_callback_event_type: "relay", status_callback_method: "POST" });
    const token = new URL(await callbackUrl(home)).searchParams.get("token");
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(new URL(await callbackUrl(other)).searchParams.get("token")).not.toBe(token);
  });

  test("where RELAY sends no events they confirm the join", async () => {
    await using home = await openFixture({
      rules,
      carrier: {
        speed: 10,
        faults: [{ at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } }],
      },
    });
    await inRoom(home);
    // Confirmed by the callback, so nobody had to ask REST.
    expect(await home.carrier.journal({ kind: "rest" })).toEqual([]);
  });

  test("the token is in no row, of callers in rooms or in the queue: a session that was lost derives it anew", async () => {
    await using home = await openContext([room(1)], { carrier: { speed: 10 } });
    const inside = await call(home);
    await inWaitingRoom(home, inside);
    const waiter = await callFrom(home, "+15550100002");
    await waits(home, waiter);
    const token = new URL(await callbackUrl(home)).searchParams.get("token");
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
    const holding = await runInDurableObject(session, (_, { storage: { sql } }) =>
      sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
        )
        .toArray()
        .map(({ name }) => name)
        .filter((name) =>
          JSON.stringify(sql.exec(`SELECT * FROM ${name}`).toArray()).includes(String(token)),
        ),
    );
    expect(holding).toEqual([]);
    await lose(home);
    await home.carrier.hangUp(inside);
    const joined = { status: "participant-join", call_id: waiter, http_status: 204 };
    await home.carrier.wait({
      journal: { kind: "status_callback", contains: joined },
      timeout_ms: 15_000,
    });
  });

  test("a wrong token, another tenant's, or a wrong signature is refused", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await using other = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await inRoom(home);
    await inRoom(other);
    const url = new URL(await callbackUrl(home));
    const wrong = new URL(url);
    wrong.searchParams.set("token", "x".repeat(32));
    expect(await report(String(wrong), leave(home, call_id))).toBe(403);
    wrong.searchParams.set("token", new URL(await callbackUrl(other)).searchParams.get("token") ?? "");
    expect(await report(String(wrong), leave(home, call_id))).toBe(403);
    const signed = await exports.default.fetch(String(url), {
      method: "POST",
      headers: { "x-signalwire-signature": "0".repeat(40) },
      body: leave(home, call_id),
    });
    expect(signed.status).toBe(403);
  });

  test("an unsigned leave that is not true ends no call: REST is asked and contradicts it", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await inRoom(home);
    const url = await callbackUrl(home);
    const [conference] = await home.carrier.conferences();
    const conference_id = conference?.conference_id;
    expect(await report(url, leave(home, call_id, { conference_id }))).toBe(204);
    await home.carrier.wait({ journal: { kind: "rest" } });
    expect(await report(url, leave(home, call_id, { conference_id, status: "conference-end" }))).toBe(204);
    expect(await home.carrier.call(call_id)).toMatchObject({
      conference: `${home.tenant}:support`,
      state: "answered",
    });
    expect(await sent(home, "calling.end")).toEqual([]);
  });

  test("an unsigned leave of which nothing else tells frees the seat, flagged, and ends nobody", async () => {
    await using home = await openFixture({
      rules,
      carrier: {
        speed: 10,
        faults: [{ at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } }],
        switches: { status_callbacks_are_signed: false },
      },
    });
    const call_id = await inRoom(home);
    await expect.poll(() => home.carrier.journal({ kind: "status_callback" })).not.toEqual([]);
    await endRoom(home);
    const roster = async () => {
      const response = await exports.default.fetch(
        `https://partyline.test/api/tenants/${home.tenant}/conferences/support`,
        { headers: { authorization: "Bearer test-admin-token" } },
      );
      return await response.json();
    };
    await expect
      .poll(roster)
      .toMatchObject({ participants: [{ call_id, presumed_gone: true, doubted: true }] });
    await expect.poll(() => home.carrier.journal({ kind: "rest" })).not.toEqual([]);
    expect(await home.carrier.call(call_id)).toMatchObject({ state: "answered" });
    expect(await sent(home, "calling.end")).toEqual([]);
    // What machines may not decide, a person can.
    const end = async () =>
      await exports.default.fetch(`https://partyline.test/api/tenants/${home.tenant}/calls/${call_id}/end`, {
        method: "POST",
        headers: { authorization: "Bearer test-admin-token" },
      });
    expect((await end()).status).toBe(202);
    expect((await end()).status).toBe(202);
    await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 8_000 });
  });

  test("a conference of another tenant's is none of its business", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await inRoom(home);
    expect(
      await report(await callbackUrl(home), leave(home, call_id, { name: "somebody-else:support" })),
    ).toBe(204);
    expect(await home.carrier.journal({ kind: "rest" })).toEqual([]);
  });

  const foreign: [string, Record<string, unknown>][] = [
    ["another tenant's name", { name: "somebody-else:support" }],
    ["a plain name, which is not the tenant's", { name: "support" }],
    ["a name that is no text", { name: ["x"] }],
    ["no name", { name: undefined }],
    ["no name, and the end of it", { name: undefined, status: "conference-end" }],
  ];
  test.each(foreign)(
    "an event with %s gets as far as the log, whichever callback brings it",
    async (_, changes) => {
      await using home = await openFixture({ rules, carrier: { speed: 10 } });
      await inRoom(home);
      const url = await callbackUrl(home);
      for (const kind of ["conference-status", "recording-status"]) {
        const to = url.replace("conference-status", kind);
        expect(await report(to, leave(home, FOREIGN_CALL, changes))).toBe(204);
        const { name = "", status = "participant-leave" } = changes;
        const form = {
          CallSid: FOREIGN_CALL,
          ConferenceSid: "conf",
          FriendlyName: String(name),
          StatusCallbackEvent: String(status),
        };
        const type = "application/x-www-form-urlencoded";
        expect(await report(to, `${new URLSearchParams(form)}`, type)).toBe(204);
        if (name !== "") continue;
        const { FriendlyName: __, ...nameless } = form;
        expect(await report(to, `${new URLSearchParams(nameless)}`, type)).toBe(204);
      }
      expect(await events(home)).toBe(0);
    },
  );

  test("an event of a far future keeps no later leave from freeing the seat", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await inRoom(home);
    const [conference] = await home.carrier.conferences();
    const { timestamp: _, ...event } = JSON.parse(
      leave(home, call_id, { status: "participant-join", conference_id: conference?.conference_id }),
    );
    for (const timestamp of [1e12, 1e308]) {
      expect(await report(await callbackUrl(home), JSON.stringify({ ...event, timestamp }))).toBe(204);
    }
    await home.carrier.hangUp(call_id);
    const room = async () => (await askApi(`/tenants/${home.tenant}/conferences/support`)).status;
    await expect.poll(room).toBe(404);
  });

  test("the token of a tenant brings nothing to the servers of another in its project", async () => {
    const own = (tenant: string) => [
      {
        id: "support",
        match: {},
        place: {
          room: "support",
          join: {
            status_callback: `https://hooks.example.com/${tenant}`,
            recording_status_callback: `https://hooks.example.com/${tenant}`,
          },
        },
      },
    ];
    const told: string[] = [];
    await using home = await openFixture({ rules: own("home"), carrier: { speed: 10 } });
    const other = home.tenant.replace(/^t/, "o");
    await env.DIRECTORY.put(`tenant/${other}`, JSON.stringify({ project_id: home.carrier.project_id }));
    await env.DIRECTORY.put(`ruleset/${other}`, JSON.stringify({ rules: own("other") }));
    const fetched = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      const { host, pathname } = new URL(new Request(input, init).url);
      if (host !== "hooks.example.com") return await fetched(input, init);
      told.push(pathname.slice(1));
      return new Response(null, { status: 204 });
    };
    try {
      await inRoom(home);
      const { call_id } = await home.carrier.placeCall({
        ...caller,
        url: home.webhook_url.replace(home.tenant, other),
      });
      await home.carrier.wait({ call: { call_id, in_conference: `${other}:support` } });
      await expect.poll(() => told.filter((one) => one === "other").length).toBeGreaterThan(0);
      const before = told.filter((one) => one === "other").length;
      const url = await callbackUrl(home);
      for (const kind of ["conference-status", "recording-status"]) {
        const to = url.replace("conference-status", kind);
        const recording = new URLSearchParams({ CallSid: call_id, RecordingStatus: "completed" });
        expect(await report(to, `${recording}`, "application/x-www-form-urlencoded")).toBe(204);
        expect(await report(to, leave(home, call_id, { status: "participant-mute" }))).toBe(204);
      }
      // What the tenant's own room wants told is told.
      await expect.poll(() => told.filter((one) => one === "home").length).toBeGreaterThan(1);
      expect(told.filter((one) => one === "other").length).toBe(before);
    } finally {
      globalThis.fetch = fetched;
    }
  });

  test("each room's recording callback names it, and nobody else can have another room named", async () => {
    await using home = await openFixture({
      rules: [{ id: "own", match: {}, place: { room: "own-{from}" } }],
      carrier: { speed: 10 },
    });
    const place = async (from: string) => {
      const { call_id } = await home.carrier.placeCall({ ...caller, from, url: home.webhook_url });
      await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:own-${from}` } });
    };
    await place("+15550100001");
    await place("+15550100002");
    const joins = await sent(home, "calling.join_conference");
    const [one, other] = joins.map((join) => new URL(String(join["recording_status_callback"])));
    if (!one || !other) throw new Error("nobody joined");
    expect(one.searchParams.get("room")).toBe(`${home.tenant}:own-+15550100001`);
    expect(other.searchParams.get("room")).toBe(`${home.tenant}:own-+15550100002`);
    const form = "RecordingStatus=completed&RecordingSid=r-1";
    const type = "application/x-www-form-urlencoded";
    expect(await report(one.href, form, type)).toBe(204);
    other.searchParams.set("proof", one.searchParams.get("proof") ?? "");
    expect(await report(other.href, form, type)).toBe(403);
    other.searchParams.delete("proof");
    expect(await report(other.href, form, type)).toBe(403);
  });

  test("a form tells of a muted participant, whom the roster shows so", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await inRoom(home);
    const form = {
      StatusCallbackEvent: "participant-join",
      ConferenceSid: "conf",
      FriendlyName: `${home.tenant}:support`,
      CallSid: call_id,
      Muted: "true",
      Hold: "false",
      Timestamp: new Date(Date.now() + 2_000).toUTCString(),
    };
    const type = "application/x-www-form-urlencoded";
    expect(await report(await callbackUrl(home), `${new URLSearchParams(form)}`, type)).toBe(204);
    const roster = await (await askApi(`/tenants/${home.tenant}/conferences/support`)).json();
    expect(roster).toMatchObject({ participants: [{ call_id, muted: true, held: false }] });
  });

  test("an event that is no conference's is not taken from a callback", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    const ended = {
      event_type: "calling.call.state",
      params: { call_id: FOREIGN_CALL, call_state: "ended" },
    };
    expect(await report(await callbackUrl(home), JSON.stringify(ended))).toBe(204);
    expect(await events(home)).toBe(0);
  });

  test("a recording's form, which names no conference, is taken", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    const url = (await callbackUrl(home)).replace("conference-status", "recording-status");
    const form = new URLSearchParams({ CallSid: FOREIGN_CALL, RecordingStatus: "completed" });
    expect(await report(url, `${form}`, "application/x-www-form-urlencoded")).toBe(204);
    expect(await events(home)).toBe(1);
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["no event", "{}"],
    ["null", "null"],
    ["what nests deeper than the stack", deep("status")],
    ["what nests so in an unknown field", deep("new")],
  ])("%s is survived", async (_, body) => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    expect(await report(await callbackUrl(home), body)).toBe(204);
    expect(await report(await callbackUrl(home), body, "application/x-www-form-urlencoded")).toBe(204);
  });

  test.each([
    ["64 KiB", `x=${"x".repeat(65_536)}`],
    ["300 fields", "x=&".repeat(301)],
  ])("a form of over %s is 413, once its token is right", async (_, huge) => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await inRoom(home);
    const url = new URL(await callbackUrl(home));
    expect(await report(`${url}`, huge, "application/x-www-form-urlencoded")).toBe(413);
    url.searchParams.set("token", "x".repeat(32));
    expect(await report(`${url}`, huge, "application/x-www-form-urlencoded")).toBe(403);
  });

  test("what the rule itself asked to be told is forwarded: once for a repeat, in the form and of the events it wanted", async () => {
    const told: { body: string; type: string | null }[] = [];
    await using home = await openFixture({
      rules: [
        {
          id: "support",
          match: {},
          place: {
            room: "support",
            join: {
              status_callback: `${new URL("https://hooks.example.com/told")}`,
              status_callback_event: "join",
              status_callback_event_type: "cxml",
            },
          },
        },
      ],
      carrier: { speed: 10 },
    });
    const fetched = globalThis.fetch;
    globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (new URL(request.url).host !== "hooks.example.com") return await fetched(input, init);
      told.push({ body: await request.text(), type: request.headers.get("content-type") });
      return new Response(null, { status: 204 });
    };
    try {
      const call_id = await inRoom(home);
      await expect.poll(() => told.length).toBe(1);
      expect(told[0]?.type).toContain("application/x-www-form-urlencoded");
      const form = new URLSearchParams(told[0]?.body);
      expect(form.get("CallSid")).toBe(call_id);
      expect(form.get("StatusCallbackEvent")).toBe("participant-join");
    } finally {
      globalThis.fetch = fetched;
    }
  });

  test("what unsigned callbacks alone tell of RELAY is held against their tenant's calls, and nobody else's", async () => {
    const isJoin = { method: "calling.join_conference" };
    await using home = await openFixture({
      rules: [{ id: "own", match: {}, place: { room: "own-{from}" } }],
      carrier: {
        speed: 10,
        faults: [
          { at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } },
          { at: "command", match: isJoin, times: 3, do: { kind: "code", code: "404" } },
        ],
        switches: { status_callbacks_are_signed: false },
      },
    });
    const { project_id } = home.carrier;
    const neighbour = `${home.tenant}-b`;
    await env.DIRECTORY.put(`tenant/${neighbour}`, JSON.stringify({ project_id }));
    await env.DIRECTORY.put(`ruleset/${neighbour}`, JSON.stringify({ rules }));
    const session = env.RELAY_SESSION.getByName(project_id);
    const place = async (from: string, tenant: string) => {
      const url = home.webhook_url.replace(home.tenant, tenant);
      const { call_id } = await home.carrier.placeCall({ ...caller, from, url });
      const room = tenant === neighbour ? "support" : `own-${from}`;
      await home.carrier.wait({ call: { call_id, in_conference: `${tenant}:${room}` } });
      return call_id;
    };
    for (const n of [1, 2, 3]) {
      await place(`+1555010000${n}`, home.tenant);
      await expect
        .poll(async () => (await session.status()).of_tenants?.breaker[home.tenant]?.failures)
        .toBe(n);
    }
    await place("+15550100004", home.tenant);
    expect(await sent(home, "calling.join_conference")).toHaveLength(3);
    const call_id = await place("+15550100005", neighbour);
    expect((await sent(home, "calling.join_conference"))[3]).toMatchObject({ call_id });
  });

  test("where unsigned callbacks alone tell of joins, REST proves one that ends a row of failures", async () => {
    const refused = { at: "command", match: { method: "calling.join_conference" }, times: 1 } as const;
    await using home = await openFixture({
      rules,
      carrier: {
        speed: 10,
        faults: [
          { at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } },
          { ...refused, do: { kind: "code", code: "409" } },
        ],
        switches: { status_callbacks_are_signed: false },
      },
    });
    const { call_id } = await home.carrier.placeCall({ ...caller, url: home.webhook_url });
    await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:support` } });
    const failures = async () =>
      (await env.RELAY_SESSION.getByName(home.carrier.project_id).status()).breaker.failures;
    expect(await failures()).toBe(1);
    await inRoom(home);
    await expect.poll(failures, { timeout: 8_000 }).toBe(0);
  });

  test.each(["1e12", "-1", "null", '"NaN"', "1e999"])(
    "a leave counts whose timestamp is %s",
    async (timestamp) => {
      await using home = await openFixture({ rules, carrier: { speed: 10 } });
      const call_id = await inRoom(home);
      const [conference] = await home.carrier.conferences();
      const { timestamp: _, ...body } = JSON.parse(
        leave(home, call_id, { conference_id: conference?.conference_id }),
      );
      const text = JSON.stringify(body).replace("{", `{"timestamp":${timestamp},`);
      expect(await report(await callbackUrl(home), text)).toBe(204);
      const { counters } = await env.RELAY_SESSION.getByName(home.carrier.project_id).status();
      expect(counters["unsigned_leaves"]).toBe(1);
    },
  );
});
