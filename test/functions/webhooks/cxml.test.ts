import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { answerHmac } from "../../../shared/secret-answer.ts";
import { type Fixture, openFixture, sent, warmUp } from "../fixture.ts";

beforeAll(warmUp);

/** What is pasted at SignalWire for a number that is set up with cXML. */
function cxmlUrl(home: Fixture): string {
  return home.webhook_url.replace(/swml$/, "cxml");
}

async function call(home: Fixture, more: Record<string, unknown> = {}): Promise<string> {
  const caller = { from: "+15550100001", to: "+15550100100", ...more };
  return (await home.carrier.placeCall({ ...caller, cxml_url: cxmlUrl(home) })).call_id;
}

async function inRoom(home: Fixture, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 10_000 });
}

async function heard(home: Fixture, call_id: string, contains: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, heard: { sound: "say", contains } }, timeout_ms: 10_000 });
}

const seats = (capacity: number) => ({
  capacity,
  // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
  overflow: { then: "reject", say: "Full." },
});

/** The ledger's answer to who is there. */
async function participants(home: Fixture, room: string): Promise<unknown[]> {
  const response = await exports.default.fetch(
    `https://partyline.test/api/tenants/${home.tenant}/conferences/${room}`,
    { headers: { authorization: "Bearer test-admin-token" } },
  );
  if (response.status === 404) return [];
  const { participants: present } = (await response.json()) as { participants: unknown[] };
  return present;
}

describe("a number set up with cXML", () => {
  test("its callers share rooms and seats with those of SWML, and free them when they leave", async () => {
    await using home = await openFixture({
      rules: [{ id: "pair", match: {}, place: { room: "pair", ...seats(2) } }],
      carrier: { speed: 5 },
    });
    const first = await call(home);
    await inRoom(home, first, "pair");
    const caller = { from: "+15550100002", to: "+15550100100", url: home.webhook_url };
    const { call_id: second } = await home.carrier.placeCall(caller);
    await inRoom(home, second, "pair");
    const third = await call(home, { from: "+15550100003", cxml_method: "GET" });
    await heard(home, third, "Full.");
    expect((await home.carrier.conferences()).map((room) => room.participants.length)).toEqual([2]);
    // RELAY joins the one that it can address.
    expect(await sent(home, "calling.join_conference")).toHaveLength(1);
    await home.carrier.hangUp(first);
    await home.carrier.wait({ journal: { kind: "conference", contains: { status: "participant-leave" } } });
    await expect.poll(() => participants(home, "pair"), { timeout: 10_000 }).toHaveLength(1);
    const fourth = await call(home, { from: "+15550100004" });
    await inRoom(home, fourth, "pair");
    expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
  });

  test("a caller who is one too many by SignalWire's count alone hears what the rule says of a full room", async () => {
    await using home = await openFixture({
      rules: [{ id: "pair", match: {}, place: { room: "pair", ...seats(2) } }],
      carrier: { speed: 5 },
    });
    const first = await call(home);
    const second = await call(home, { from: "+15550100002" });
    for (const call_id of [first, second]) await inRoom(home, call_id, "pair");
    const released = await exports.default.fetch(
      `https://partyline.test/api/tenants/${home.tenant}/calls/${first}/release-seat`,
      { method: "POST", headers: { authorization: "Bearer test-admin-token" } },
    );
    expect(released.status).toBe(200);
    const third = await call(home, { from: "+15550100003" });
    await heard(home, third, "Full.");
    await home.carrier.wait({ call: { call_id: third, state: "ended" } });
    expect((await home.carrier.call(third)).joins).toEqual([]);
  });

  test("a PIN is asked by Gather, wrong answers and none are told, and the digits are in no URL", async () => {
    await using home = await openFixture({ rules: [], carrier: { speed: 5 } });
    const hmac = await answerHmac(env.CREDENTIALS_KEY ?? "", home.tenant, "47110815");
    await home.putRuleset({
      rules: [
        {
          id: "bridge",
          match: {},
          ask: { pin: { say: "Enter your PIN.", digits: "4-8", secret: true, tries: 3 } },
          rules: [
            {
              id: "chair",
              match: { "answer.pin": { hmac } },
              place: { room: "board", announce: "Welcome." },
            },
          ],
        },
      ],
    });
    const call_id = await call(home);
    await heard(home, call_id, "Enter your PIN.");
    await home.carrier.digits(call_id, "1111#");
    await heard(home, call_id, "That is not right.");
    await home.carrier.digits(call_id, "47110815#");
    await inRoom(home, call_id, "board");
    const told = (await home.carrier.call(call_id)).heard.map(({ detail }) => detail);
    expect(told.join("\n")).toMatch(/Enter your PIN\..*That is not right\..*Welcome\./s);
    expect(JSON.stringify(await home.carrier.journal({ kind: "document" }))).not.toContain("47110815");
    expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
  });

  test("a call is rejected unanswered, or handed over to the tenant's cXML", async () => {
    const cxml = "https://partyline.test/voicemail.xml";
    await using home = await openFixture({
      rules: [
        { id: "busy", match: { to: "+15550100101" }, reject: { reason: "busy" } },
        {
          id: "voicemail",
          match: { to: "+15550100102" },
          hand_over: { swml: "https://x.example.com", cxml },
        },
      ],
      carrier: { speed: 5 },
      intercept: async (request) =>
        request.url === cxml
          ? new Response("<Response><Say>Leave a message.</Say></Response>", {
              headers: { "content-type": "text/xml" },
            })
          : null,
    });
    const busy = await call(home, { to: "+15550100101" });
    await home.carrier.wait({ call: { call_id: busy, state: "ended" }, timeout_ms: 10_000 });
    expect((await home.carrier.call(busy)).heard.map(({ sound }) => sound)).toEqual(["ring"]);
    await heard(home, await call(home, { to: "+15550100102" }), "Leave a message.");
    expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
  });

  test("when its conference is over the call goes where the rule says, and its seat is free though no event said so", async () => {
    const cxml = "https://partyline.test/survey.xml";
    let told = 0;
    await using home = await openFixture({
      rules: [
        { id: "chair", match: { to: "+15550100101" }, place: { room: "board", join: { end_on_exit: true } } },
        { id: "any", match: {}, place: { room: "board", after: { hand_over: { cxml } } } },
      ],
      tenant: { join_via: "document" },
      carrier: { speed: 5 },
      intercept: async (request) => {
        if (request.url.includes("/conference-status")) {
          told += 1;
          const isLeave = /participant-leave|conference-end/.test(await request.clone().text());
          return isLeave ? new Response(null, { status: 204 }) : null;
        }
        if (request.url !== cxml) return null;
        const headers = { "content-type": "text/xml" };
        return new Response("<Response><Say>How was it?</Say></Response>", { headers });
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "board");
    const chair = await call(home, { to: "+15550100101" });
    await inRoom(home, chair, "board");
    await home.carrier.hangUp(chair);
    await heard(home, call_id, "How was it?");
    expect(told).toBeGreaterThan(0);
    await expect
      .poll(async () => JSON.stringify(await participants(home, "board")), { timeout: 10_000 })
      .not.toContain(call_id);
  });
});

/** One seat, and a line for it. */
const line = {
  id: "desk",
  match: {},
  place: {
    room: "desk",
    capacity: 1,
    // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits a ruleset.
    overflow: { then: "wait", say: "Nobody could take your call." },
    wait: { position: true, announce: "All seats are taken." },
  },
};

test("a caller waits with words and never over three quiet seconds, and comes in by turns", async () => {
  await using home = await openFixture({
    rules: [line],
    carrier: { speed: 8 },
  });
  const first = await call(home);
  await inRoom(home, first, "desk");
  const second = await call(home, { from: "+15550100002" });
  await heard(home, second, "All seats are taken.");
  await heard(home, second, "Please hold the line.");
  const third = await call(home, { from: "+15550100003" });
  await heard(home, third, "You are number 2 in line.");
  await home.carrier.hangUp(first);
  await inRoom(home, second, "desk");
  await home.carrier.hangUp(second);
  await inRoom(home, third, "desk");
  const { heard: sounds } = await home.carrier.call(third);
  expect(sounds.filter(({ detail }) => detail.includes("All seats are taken."))).toHaveLength(1);
  const quiet = sounds.filter(({ sound }) => sound === "silence");
  for (const { from_ms, to_ms } of quiet) expect((to_ms ?? from_ms) - from_ms).toBeLessThan(3_000);
  expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
});
