import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { CallsPage, Story } from "../../../../functions/session/operator/call-history.ts";
import { answerHmac } from "../../../../shared/secret-answer.ts";
import { askApi } from "../../api/ask.ts";
import { type Fixture, openFixture, warmUp } from "../../fixture.ts";
import { call, key } from "../../pin-caller.ts";

beforeAll(warmUp);

async function placed(
  home: Fixture,
  from: string,
  to = "+15550100100",
  headers: { name: string; value: string }[] = [],
) {
  return (await home.carrier.placeCall({ from, to, headers, url: home.webhook_url })).call_id;
}

async function inRoom(home: Fixture, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 10_000 });
}

/** What the API gives of a call, once there is anything. */
async function storyOf(home: Fixture, call_id: string, query = "") {
  const path = `/tenants/${home.tenant}/calls/${call_id}${query}`;
  await expect.poll(async () => (await askApi(path)).status).toBe(200);
  return (await (await askApi(path)).json()) as Story & {
    kept: { call: Record<string, unknown>; left_out: string[] }[];
    trace: Record<string, unknown>[];
  };
}

async function callsOf(home: Fixture, query = ""): Promise<CallsPage> {
  return await (await askApi(`/tenants/${home.tenant}/calls${query}`)).json();
}

/** Everything that the session has written down of calls. */
async function written(home: Fixture): Promise<string> {
  const id = env.RELAY_SESSION.idFromName(home.carrier.project_id);
  return await runInDurableObject(env.RELAY_SESSION.get(id), (_, state) =>
    JSON.stringify([
      state.storage.sql.exec("SELECT * FROM journal").toArray(),
      state.storage.sql.exec("SELECT trail, reason FROM placements").toArray(),
    ]),
  );
}

describe("why a call is in its room", () => {
  const rules = [
    { id: "vip", match: { from: "+15550100001" }, place: { room: "vip" } },
    { id: "support", match: { to: "+15550100100" }, place: { room: "support" } },
    { id: "closed", match: {}, reject: { say: "Closed." } },
  ];

  test("its story tells webhooks, decision, commands, placement, events and its leaving, in order", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await placed(home, "+15550100007");
    await home.carrier.wait({
      journal: { kind: "document", contains: { call_id, step: "sleep", body: { duration: -1 } } },
    });
    await home.carrier.hangUp(call_id);
    await expect.poll(async () => (await storyOf(home, call_id)).outcome).toBe("left");
    const story = await storyOf(home, call_id);
    expect(story).toMatchObject({ from: "+15550100007", rule: "support", room: `${home.tenant}:support` });
    const told = story.happened.map((one) => {
      switch (one.what) {
        case "webhook":
          return `${one.what} ${one.purpose} ${one.outcome}`;
        case "decision":
          return `${one.what} ${one.rule}: ${one.looked_at.map(({ rule }) => rule).join()}`;
        case "command":
          return `${one.command} ${one.said}`;
        case "placement":
          return `${one.what} ${one.state}`;
        default:
          return one.what;
      }
    });
    const expected = [
      "webhook fresh accepted",
      expect.stringMatching(/^decision support: .*support$/),
      "placement planned",
      "calling.answer accepted",
      "placement sending",
      "calling.join_conference accepted",
      "placement joined",
      "placement left",
    ];
    for (const line of expected) expect(told).toContainEqual(line);
    const at = (line: string) => told.indexOf(line);
    expect(at("placement sending")).toBeLessThan(at("placement joined"));
    expect(at("placement joined")).toBeLessThan(at("placement left"));
    expect(story.happened.filter(({ what }) => what === "event").length).toBeGreaterThan(1);
    expect(story.happened.map((one) => one.at)).toEqual(
      story.happened.map((one) => one.at).sort((a, b) => a - b),
    );
  });

  test("the same decision is computed again from the version of the rules that made it, whatever serves now", async () => {
    // So many that an index tells them apart.
    const others = Array.from({ length: 20 }, (_, index) => ({
      id: `other-${index}`,
      match: { to: `+155501002${String(index).padStart(2, "0")}` },
      place: { room: "other" },
    }));
    await using home = await openFixture({ rules: [...others, ...rules], carrier: { speed: 10 } });
    const call_id = await placed(home, "+15550100001");
    await inRoom(home, call_id, "vip");
    await storyOf(home, call_id);
    await home.putRuleset({ rules: [] });
    await expect
      .poll(async () => (await storyOf(home, call_id, "?trace=full")).trace[0]?.["computed"])
      .toBe(true);
    const { trace, decided } = await storyOf(home, call_id, "?trace=full");
    expect(decided).toBeUndefined();
    expect(trace).toMatchObject([{ step: 0, computed: true, rule: "vip", same: true, left_out: [] }]);
    const ruledOut = { matched: false, findings: [{ field: "to", holds: false }] };
    expect(trace[0]?.["looked_at"]).toMatchObject([
      ...others.map(({ id }) => ({ rule: id, ...ruledOut })),
      { rule: "vip", matched: true },
    ]);
  });

  test("a call that reached no room is told of, too, and a call of another tenant's is not", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    await using other = await openFixture({ rules, carrier: { speed: 10 } });
    const call_id = await placed(home, "+15550100007", "+15550100999");
    const { happened, outcome } = await storyOf(home, call_id);
    expect(outcome).toBe("reject");
    expect(happened).toMatchObject([
      { what: "webhook", purpose: "fresh", outcome: "reject", rule: "closed" },
      { what: "decision", action: "reject", rule: "closed" },
    ]);
    expect((await askApi(`/tenants/${other.tenant}/calls/${call_id}`)).status).toBe(404);
    expect(
      (await askApi(`/tenants/${home.tenant}/calls/${call_id}`, { headers: { authorization: "" } })).status,
    ).toBe(401);
  });

  test("calls are listed newest first, page by page, and found by room, rule, outcome and caller", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 10 } });
    const ids: string[] = [];
    for (const [from, to] of [
      ["+15550100001", "+15550100100"],
      ["+15550100002", "+15550100999"],
      ["+15550100003", "+15550100999"],
    ]) {
      const call_id = await placed(home, from ?? "", to);
      ids.unshift(call_id);
      // It comes back after its announcement, which makes it the newest again.
      if (ids.length === 1) await inRoom(home, call_id, "vip");
      await storyOf(home, call_id);
    }
    const idsOf = ({ calls }: CallsPage) => calls.map(({ call_id }) => call_id);
    await expect.poll(async () => idsOf(await callsOf(home))).toEqual(ids);
    const first = await callsOf(home, "?limit=2");
    expect(idsOf(first)).toEqual([ids[0], ids[1]]);
    expect(idsOf(await callsOf(home, `?limit=2&after=${first.next}`))).toEqual([ids[2]]);
    expect(idsOf(await callsOf(home, "?rule=closed&from=%2B15550100002"))).toEqual([ids[1]]);
    for (const room of ["vip", `${home.tenant}:vip`])
      expect(idsOf(await callsOf(home, `?room=${room}&outcome=joined`))).toEqual([ids[2]]);
    expect(idsOf(await callsOf(home, "?room=vips"))).toEqual([]);
    expect((await askApi(`/tenants/${home.tenant}/calls?limit=0`)).status).toBe(400);
    const unknown = await askApi(`/tenants/${home.tenant}/calls?outcome=join`);
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      {
        error: {
          code: "bad_request",
          message: expect.stringMatching(
            /^outcome: must be one of "accepted", .*"failed", not "join" \(did you mean "joined"\?\)$/,
          ),
        },
      },
    ]);
  });
});

test("no PIN, bearer token, callback token or keyed digit is ever written down", async () => {
  await using home = await openFixture({ rules: [], carrier: { speed: 5 } });
  const hmacOf = (digits: string) => answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, digits);
  const hmac = await hmacOf("47114711");
  const kv = await hmacOf("31415926");
  await env.DIRECTORY.put(`pins/${home.tenant}/${kv}`, JSON.stringify({ room: "team", note: "whose it is" }));
  await home.putRuleset({
    rules: [
      {
        id: "bridge",
        match: { headers: { authorization: { present: true } } },
        ask: { pin: { say: "Enter your PIN.", digits: "8", secret: true } },
        rules: [
          { id: "chair", match: { "answer.pin": { hmac } }, place: { room: "board" } },
          { id: "member", match: { "answer.pin": { pins: true } }, place: { room: "{pin.room}" } },
        ],
      },
    ],
  });
  const call_id = await placed(home, "+15550100001", "+15550100100", [
    { name: "Authorization", value: "Bearer hush-hush-hush" },
  ]);
  for (const digits of ["90817263#", "47114711#"]) {
    const asked = digits === "90817263#" ? "Enter your PIN." : "That is not right.";
    await home.carrier.wait({ call: { call_id, heard: { contains: asked } }, timeout_ms: 10_000 });
    await home.carrier.digits(call_id, digits);
  }
  await inRoom(home, call_id, "board");
  const member = await placed(home, "+15550100002", "+15550100100", [
    { name: "Authorization", value: "Bearer hush-hush-hush" },
  ]);
  await home.carrier.wait({
    call: { call_id: member, heard: { contains: "Enter your PIN." } },
    timeout_ms: 10_000,
  });
  await home.carrier.digits(member, "31415926#");
  await inRoom(home, member, "team");
  expect(JSON.stringify(await storyOf(home, member))).not.toContain(kv);
  const { kept, happened } = await storyOf(home, call_id);
  expect(kept[0]?.left_out).toEqual(["headers.authorization"]);
  expect(happened.filter(({ what }) => what === "decision").length).toBeGreaterThanOrEqual(3);
  expect(JSON.stringify([kept, happened])).not.toContain(hmac);
  const everything = await written(home);
  for (const secret of [
    "hush-hush",
    "90817263",
    "47114711",
    "31415926",
    kv,
    "whose it is",
    "token=",
    home.carrier.token,
  ])
    expect(everything).not.toContain(secret);
  const { trace } = await storyOf(home, call_id, "?trace=full");
  expect(trace.at(-1)).toMatchObject({ rule: null, left_out: ["headers.authorization"] });
});

test("what was keyed is decided on again: an open answer as it was, a PIN of KV by what KV held of it", async () => {
  await using home = await openFixture({ rules: [], tenant: { join_via: "document" } });
  await home.putRuleset({
    rules: [
      {
        id: "rooms",
        match: {},
        ask: {
          room: { say: "Which room?", digits: "2" },
          pin: { say: "Enter your PIN.", digits: "4", secret: true },
        },
        rules: [
          {
            id: "known",
            match: { "answer.room": "17", "answer.pin": { pins: true } },
            place: { room: "{pin.room}-{answer.room}" },
          },
        ],
      },
    ],
  });
  const kv = await answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, "4711");
  await env.DIRECTORY.put(`pins/${home.tenant}/${kv}`, JSON.stringify({ room: "team" }));
  const { asked } = await call(home, { from: "+15550100001", to: "+15550100100" });
  const again = await key(home, (await key(home, asked, "18")).asked, "4711");
  expect(again.document).toContain("Which room?");
  const room = await key(home, again.asked, "17");
  // A wrong answer may be either: both are asked for again.
  expect(room.document).toContain("Enter your PIN.");
  expect((await key(home, room.asked, "4711")).document).toContain(`"name":"${home.tenant}:team-17"`);
  const story = () => storyOf(home, String(asked.body.call["call_id"]), "?trace=full");
  await expect
    .poll(async () => (await story()).trace.map(({ rule, same, left_out }) => ({ rule, same, left_out })))
    .toEqual(
      ["rooms", "rooms", "rooms", "rooms", "known"].map((rule) => ({ rule, same: true, left_out: [] })),
    );
  const { kept, happened } = await story();
  expect(JSON.stringify([kept, happened])).not.toMatch(/"value":|4711/);
});
