import { beforeAll, describe, test } from "vitest";
import { type Fixture, openFixture, warmUp } from "./fixture.ts";
import { putContexts } from "./session/calls/context-fixture.ts";

beforeAll(warmUp);

const chair = "+15550100009";
const member = "+15550100001";
/** Past this after its webhook nothing is a repeat of it, and no leave is the doing of its document. */
const PAST_MS = 5_500;

type Way = "swml by RELAY" | "swml by document" | "cxml" | "a context";
const ways: Way[] = ["swml by RELAY", "swml by document", "cxml", "a context"];

/** A rule whose `after` hands the call over to the number's own webhook. */
async function open(way: Way, rulesOf: (after: object) => object[]): Promise<Fixture> {
  const tenant = way === "swml by RELAY" ? {} : { join_via: "document" };
  const home = await openFixture({ rules: [], tenant, carrier: { speed: 10 } });
  if (way === "a context") await putContexts(home, { main: home.tenant });
  const after = { hand_over: { swml: home.webhook_url, cxml: cxmlUrl(home) } };
  const moderator = {
    id: "chair",
    match: { from: chair },
    place: { room: "board", role: "moderator", join: { end_on_exit: true } },
  };
  await home.putRuleset({ rules: [moderator, ...rulesOf(after)] });
  return home;
}

function cxmlUrl(home: Fixture): string {
  return home.webhook_url.replace(/swml$/, "cxml");
}

async function call(home: Fixture, way: Way, from: string): Promise<string> {
  const where =
    way === "a context"
      ? { context: "main" }
      : way === "cxml"
        ? { cxml_url: cxmlUrl(home) }
        : { url: home.webhook_url };
  return (await home.carrier.placeCall({ from, to: "+15550100100", ...where })).call_id;
}

async function inRoom(home: Fixture, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 10_000 });
}

/** The chair comes and goes, and with that the conference. */
async function meet(home: Fixture, way: Way, ms: number): Promise<void> {
  const leader = await call(home, way, chair);
  await inRoom(home, leader, "board");
  await new Promise((resolve) => setTimeout(resolve, ms));
  await home.carrier.hangUp(leader);
}

async function joins(home: Fixture, call_id: string): Promise<string[]> {
  return (await home.carrier.call(call_id)).joins.map(({ conference }) =>
    conference.slice(home.tenant.length + 1),
  );
}

describe.concurrent.each(ways)("a call (%s) that its rule hands over to its number's webhook", (way) => {
  test("joins again each time that its conference is over", async ({ expect }) => {
    await using home = await open(way, (after) => [
      { id: "any", match: {}, place: { room: "board", after } },
    ]);
    const call_id = await call(home, way, member);
    await inRoom(home, call_id, "board");
    for (const times of [2, 3]) {
      await meet(home, way, PAST_MS);
      await expect.poll(() => joins(home, call_id), { timeout: 10_000 }).toHaveLength(times);
    }
    expect(await home.carrier.call(call_id)).toMatchObject({ state: "answered", stranded: false });
    expect(await home.carrier.journal({ kind: "violation" })).toEqual([]);
  }, 40_000);

  test("joins again soon after it came", async ({ expect }) => {
    await using home = await open(way, (after) => [
      { id: "any", match: {}, place: { room: "board", after } },
    ]);
    const call_id = await call(home, way, member);
    await inRoom(home, call_id, "board");
    await meet(home, way, way === "swml by RELAY" ? 3_100 : 0);
    await expect.poll(() => joins(home, call_id), { timeout: 10_000 }).toHaveLength(2);
  });

  test("is asked again, and goes by what is keyed then", async ({ expect }) => {
    await using home = await open(way, (after) => [
      {
        id: "menu",
        match: {},
        ask: { meeting: { say: "Which meeting?", digits: "1" } },
        rules: [
          { id: "one", match: { "answer.meeting": "1" }, place: { room: "board", after } },
          { id: "two", match: { "answer.meeting": "2" }, place: { room: "annex" } },
        ],
      },
    ]);
    const call_id = await call(home, way, member);
    const asked = { sound: "say", contains: "Which meeting?" } as const;
    await home.carrier.wait({ call: { call_id, heard: asked } });
    await home.carrier.digits(call_id, "1");
    await inRoom(home, call_id, "board");
    await meet(home, way, PAST_MS);
    await expect
      .poll(async () => (await home.carrier.call(call_id)).heard.filter(({ sound }) => sound === "say"), {
        timeout: 10_000,
      })
      .toHaveLength(2);
    await home.carrier.digits(call_id, "2");
    await inRoom(home, call_id, "annex");
  }, 30_000);

  test("waits for the moderator again, and comes in with the next", async ({ expect }) => {
    await using home = await open(way, (after) => [
      { id: "any", match: {}, place: { room: "board", wait: { for: "moderator" }, after } },
    ]);
    const call_id = await call(home, way, member);
    for (const times of [1, 2]) {
      const leader = await call(home, way, chair);
      await inRoom(home, leader, "board");
      await expect.poll(() => joins(home, call_id), { timeout: 15_000 }).toHaveLength(times);
      await new Promise((resolve) => setTimeout(resolve, PAST_MS));
      await home.carrier.hangUp(leader);
    }
    expect(await home.carrier.call(call_id)).toMatchObject({ state: "answered", stranded: false });
  }, 50_000);
});
