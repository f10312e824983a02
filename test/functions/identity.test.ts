import { beforeAll, describe, expect, test } from "vitest";
import { placingOf } from "../../functions/call-flow/join-steps.ts";
import type { Story } from "../../functions/session/operator/call-history.ts";
import type { Decision, Place } from "../../shared/rules/decision.ts";
import { askApi } from "./api/ask.ts";
import { type Fixture, openFixture, warmUp } from "./fixture.ts";
import { byDocument, desk, inWaitingRoom, wordsTo } from "./waiting-room-fixture.ts";

beforeAll(warmUp);

async function call(home: Fixture, from: string, to = "+15550100100"): Promise<string> {
  return (await home.carrier.placeCall({ from, to, url: home.webhook_url })).call_id;
}

async function inRoom(home: Fixture, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 10_000 });
}

async function historyOf(home: Fixture, call_id: string): Promise<Story & { kept: { call: object }[] }> {
  let response = new Response();
  await expect
    .poll(async () => {
      response = await askApi(`/tenants/${home.tenant}/calls/${call_id}`);
      return response.status;
    })
    .toBe(200);
  return await response.json();
}

describe("a caller who drops", () => {
  const rule = {
    id: "desk",
    match: {},
    place: { room: "desk", capacity: 2, rejoin_s: 600, announce: "Welcome." },
  };

  async function welcomed(home: Fixture, from: string): Promise<boolean> {
    const call_id = await call(home, from);
    await inWaitingRoom(home, call_id);
    return (await wordsTo(home, call_id)).length > 0;
  }

  async function drop(home: Fixture, from: string): Promise<void> {
    const call_id = await call(home, from);
    await inWaitingRoom(home, call_id);
    await home.carrier.hangUp(call_id);
    await expect.poll(async () => (await desk(home)).participants.length).toBe(1);
  }

  test("by SIP is back at the same seat from another port and by another transport", async () => {
    await using home = await openFixture({ rules: [rule], ...byDocument });
    await inWaitingRoom(home, await call(home, "+15550100201"));
    await drop(home, "sip:emil1@example.com:5060");
    expect(await welcomed(home, "sip:emil1@EXAMPLE.com:41234;transport=tcp")).toBe(false);
  });

  test.each(["sip:restricted@203.0.113.7", "Private Number", "Payphone"])(
    "and shows %j, as many do, leaves the seat to nobody",
    async (from) => {
      await using home = await openFixture({ rules: [rule], ...byDocument });
      await inWaitingRoom(home, await call(home, "+15550100201"));
      await drop(home, from);
      expect(await welcomed(home, from)).toBe(true);
    },
  );

  test("and was asked for a secret is marked so that the port counts, too", () => {
    const decision = { rejoin_s: 60 } as unknown as Decision & Place; // All of it that is looked at here.
    expect(placingOf(decision, { pin: { hmac: "a".repeat(64) } })).toMatchObject({ secret: true });
    expect(placingOf(decision, { menu: { value: "1" } })).not.toHaveProperty("secret");
  });
});

describe("a sticky room", () => {
  const spreads = ["then", "spread"];
  const overflow = Object.fromEntries([spreads, ["rooms", 3]]);
  const rules = [{ id: "team", match: {}, place: { room: "team", sticky: "from", capacity: 9, overflow } }];

  test("is that of a SIP caller without a digit, and of no withheld number", async () => {
    await using home = await openFixture({ rules, ...byDocument });
    await inRoom(home, await call(home, "+15550100201"), "team");
    await inRoom(home, await call(home, "sip:dora@example.com"), "team-2");
    await inRoom(home, await call(home, "sip:dora@EXAMPLE.com:5070"), "team-2");
    await inRoom(home, await call(home, "sip:anonymous1@anonymous.invalid"), "team-3");
    await inRoom(home, await call(home, "sip:anonymous1@anonymous.invalid"), "team");
  });
});

test("a live room keeps the name that the version before gave it, and the next one has the canonical name", async () => {
  const rules = [
    // As the version before named it.
    { id: "before", match: { to: "+15550100100" }, place: { room: "r-sip:emil@EXAMPLE.com" } },
    { id: "now", match: { to: "+15550100101" }, place: { room: "r-{from}" } },
  ];
  await using home = await openFixture({ rules, ...byDocument });
  const first = await call(home, "+15550100201", "+15550100100");
  await inRoom(home, first, "r-sip:emil@EXAMPLE.com");
  const second = await call(home, "sip:emil@EXAMPLE.com", "+15550100101");
  await inRoom(home, second, "r-sip:emil@EXAMPLE.com");
  for (const call_id of [first, second]) await home.carrier.hangUp(call_id);
  await expect
    .poll(async () => (await askApi(`/tenants/${home.tenant}/conferences/r-sip:emil@EXAMPLE.com`)).status)
    .toBe(404);
  await inRoom(home, await call(home, "sip:emil@EXAMPLE.com", "+15550100101"), "r-sip:emil@example.com");
});

test("a tenant's country and gateways say what an address is, and the call's history and its roster show that", async () => {
  const rules = [{ id: "berlin", match: { from: "+4930123456" }, place: { room: "berlin" } }];
  await using home = await openFixture({
    rules,
    ...byDocument,
    tenant: { join_via: "document", country: "DE", sip_gateways: ["gw.example.net"] },
  });
  const national = await call(home, "030 123456");
  const by_gateway = await call(home, "sip:4930123456@gw.example.net");
  for (const call_id of [national, by_gateway]) await inRoom(home, call_id, "berlin");
  const { happened, kept } = await historyOf(home, national);
  expect(kept).toMatchObject([{ call: { from: "030 123456", canonical: { from: "+4930123456" } } }]);
  expect(JSON.stringify(happened)).toContain('\\"030 123456\\", read as \\"+4930123456\\", is');
  const listed = await askApi(`/tenants/${home.tenant}/calls?from=${encodeURIComponent("+49 30 123456")}`);
  const { calls } = await listed.json<{ calls: { call_id: string }[] }>();
  expect(new Set(calls.map(({ call_id }) => call_id))).toEqual(new Set([national, by_gateway]));
  const { participants } = await (await askApi(`/tenants/${home.tenant}/conferences/berlin`)).json<{
    participants: { from: string }[];
  }>();
  expect(participants.map(({ from }) => from)).toEqual(["+4930123456", "+4930123456"]);
  await home.carrier.wait({
    call: { call_id: await call(home, "sip:4930123456@evil.example"), state: "ended" },
  });
});
