import { env, exports } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import type { Conference } from "../../../../functions/session/operator/roster.ts";
import { readTenant } from "../../../../functions/tenants/directory.ts";
import { askApi, putProject } from "../../api/ask.ts";
import { signedCall } from "../../edge.ts";
import { type Fixture, openFixture, warmUp } from "../../fixture.ts";

beforeAll(warmUp);

const rules = [
  { id: "listener", match: { from: "+15550100002" }, place: { room: "board", role: "listener" } },
  { id: "board", match: {}, place: { room: "board" } },
];

async function inBoard(home: Fixture, from: string): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ from, to: "+15550100100", url: home.webhook_url });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` }, timeout_ms: 10_000 });
  return call_id;
}

async function board(home: Fixture, name = "board"): Promise<Conference | null> {
  const response = await askApi(`/tenants/${home.tenant}/conferences/${name}`);
  return response.status === 200 ? await response.json() : null;
}

test("the roster shows who is in a conference, as what, since when, and muted or held as events have it", async () => {
  await using home = await openFixture({ rules, carrier: { speed: 10 } });
  const first = await inBoard(home, "+15550100001");
  const second = await inBoard(home, "+15550100002");
  const [conference] = await home.carrier.conferences();
  const conference_id = conference?.conference_id;
  await expect
    .poll(async () => (await board(home))?.participants.map(({ confirmed }) => confirmed))
    .toEqual([true, true]);
  expect(await board(home)).toMatchObject({
    name: `${home.tenant}:board`,
    plain_name: "board",
    conference_id,
    participants: [
      {
        call_id: first,
        from: "+15550100001",
        role: "participant",
        muted: false,
        held: false,
        joined_by: "relay",
      },
      {
        call_id: second,
        from: "+15550100002",
        role: "listener",
        muted: true,
        held: false,
        joined_by: "relay",
      },
    ],
  });
  const said = { conference_id, name: `${home.tenant}:board`, call_id: second };
  await home.carrier.sendEvent("calling.conference", { ...said, status: "participant-unmute" });
  await home.carrier.sendEvent("calling.conference", { ...said, status: "participant-hold" });
  await expect
    .poll(async () => (await board(home))?.participants[1])
    .toMatchObject({ muted: false, held: true, speaking: null });
  expect(await board(home, encodeURIComponent(`${home.tenant}:board`))).toMatchObject({ conference_id });
  const listed = await askApi(`/tenants/${home.tenant}/conferences`);
  expect(await listed.json()).toMatchObject({
    conferences: [{ plain_name: "board", confirmed: 2, expected: 0 }],
  });
  await home.carrier.hangUp(first);
  await home.carrier.hangUp(second);
  // Somebody who has just joined may have been taken out by a document: it takes a moment to be sure that they have gone.
  await expect.poll(async () => await board(home), { timeout: 10_000 }).toBeNull();
});

test.each([
  ["by RELAY, and the roster says so", "relay", true],
  ["by callbacks, and the roster says so", "document", true],
  ["by nothing where no rule asks for it, and the roster says that it does not know", "relay", false],
])("it is told who speaks %s", async (_, join_via, asks) => {
  const place = { room: "board", ...(asks ? { speaking: true } : {}) };
  await using home = await openFixture({
    rules: [{ id: "board", match: {}, place }],
    tenant: { join_via },
    carrier: { speed: 10 },
  });
  const [first, second] = [await inBoard(home, "+15550100001"), await inBoard(home, "+15550100002")];
  const speaking = async () => (await board(home))?.participants.map((one) => one.speaking);
  await expect
    .poll(async () => (await board(home))?.participants.every(({ confirmed }) => confirmed))
    .toBe(true);
  await home.carrier.speak(second, true);
  await home.carrier.speak(first, true);
  await home.carrier.speak(first, false);
  await expect.poll(speaking).toEqual(asks ? [false, true] : [null, null]);
});

test.each([
  ["their prefix", false],
  ["plain names", true],
])(
  "rooms that a URL cannot spell are asked for with the tenant's prefix, where conferences have %s",
  async (_, plain) => {
    const names = [".", "..", "a/b", "50% off?", "%2e%2e"];
    await using home = await openFixture({
      rules: [{ id: "any", match: {}, place: { room: "{param.room}" } }],
      tenant: { dial: { allow: ["+1555*"], from: ["+15550100100"] }, join_via: "document" },
      carrier: { speed: 10 },
    });
    if (plain) await putProject(home, { plain_names_for: home.tenant });
    for (const room of names) {
      const request = await signedCall(home, "cxml", { query: { room } });
      expect(await (await exports.default.fetch(request)).text()).toContain("<Conference");
      const name = `${plain ? "" : `${home.tenant}:`}${room}`;
      const spelt = encodeURIComponent(`${home.tenant}:${room}`);
      expect(await board(home, spelt)).toMatchObject({ name, plain_name: room });
      const dialled = await askApi(`/tenants/${home.tenant}/conferences/${spelt}/participants`, {
        method: "POST",
        body: JSON.stringify({ to: "+15550100201" }),
      });
      expect(await dialled.json()).toMatchObject({ room: name });
    }
  },
);

test("a bad ruleset in KV does not take the tenant down where this isolate has none: its session's last good one serves", async () => {
  await using home = await openFixture({ rules, carrier: { speed: 10 } });
  const good = (await readTenant(env, home.tenant, null))?.rules?.hash;
  await inBoard(home, "+15550100001");
  await home.putRuleset('{ "rules": [{ "id": "x" }] }');
  await expect.poll(async () => (await readTenant(env, home.tenant, null))?.rules?.hash).toBe(good);
});
