import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { sealTicket } from "../../shared/notice-ticket.ts";
import { deriveKeys } from "../../shared/seal-keys.ts";
import { type Fixture, openFixture, warmUp } from "./fixture.ts";
import { putContexts } from "./session/calls/context-fixture.ts";
import { lose, session } from "./waiting-room-fixture.ts";

beforeAll(warmUp);

const NOTICE = "This call is recorded.";
const to = "+15550100100";
const guest = "+15550100001";
const chair = "+15550100009";

/** Who asks to record decides for the whole conference, whenever they come. */
const carrier = { speed: 10, switches: { recording_starts_by: "any_participant" as const } };

/** No rule can know which room the chair's call names, so those who come before it are not told. */
const apart = {
  defaults: { recording_notice: NOTICE },
  rules: [
    {
      id: "chair",
      match: { from: chair },
      place: { room: "{param.room}", join: { record: "record-from-start" } },
    },
    { id: "guest", match: {}, place: { room: "team" } },
  ],
};

async function open(
  rules: unknown = apart,
  more: Partial<Parameters<typeof openFixture>[0]> = {},
): Promise<Fixture> {
  const home = await openFixture({ rules: [], carrier, ...more });
  await home.putRuleset(rules);
  return home;
}

type Way = "swml" | "cxml" | "relay";

async function inTeam(home: Fixture, from: string, way: Way = "swml"): Promise<string> {
  const number = { swml: home.webhook_url, cxml: home.webhook_url.replace(/swml$/, "cxml"), relay: "main" };
  const params = from === chair ? { room: "team" } : {};
  const { call_id } = await home.carrier.placeCallVia(way, number, { from, to, params });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:team` }, timeout_ms: 15_000 });
  return call_id;
}

async function announcements({ carrier }: Fixture): Promise<number> {
  const asked = await carrier.journal({ kind: "rest" });
  return asked.filter(({ method, path }) => method === "POST" && String(path).includes("/Conferences/"))
    .length;
}

async function noticesTo(home: Fixture, call_id: string): Promise<string[]> {
  const { heard, two_sounds } = await home.carrier.call(call_id);
  expect(two_sounds).toBe(false);
  return heard.filter(({ detail }) => detail === NOTICE).map(({ sound }) => sound);
}

describe("the recording notice", () => {
  test.each<Way>(["swml", "cxml", "relay"])(
    "is heard by a caller by %s who is inside when another caller's join has the room recorded",
    async (way) => {
      await using home = await open();
      if (way === "relay") await putContexts(home, { main: home.tenant });
      const inside = await inTeam(home, guest, way);
      const records = await inTeam(home, chair);
      await expect.poll(() => noticesTo(home, inside), { timeout: 10_000 }).toEqual(["announcement"]);
      expect((await noticesTo(home, records))[0]).toBe("say");
    },
  );

  test("is heard before a room that is recorded already, whichever way the caller comes, and then not again", async () => {
    await using home = await open();
    const inside = await inTeam(home, guest);
    await inTeam(home, chair);
    await expect.poll(() => noticesTo(home, inside), { timeout: 10_000 }).toEqual(["announcement"]);
    await putContexts(home, { main: home.tenant });
    const ways = ["swml", "cxml", "relay"] as const;
    for (const [index, way] of ways.entries()) {
      const late = await inTeam(home, `+1555010001${index}`, way);
      expect(await noticesTo(home, late)).toEqual(["say"]);
    }
    expect(await announcements(home)).toBe(1);
  });

  test("is heard though REST fails at first, and the session is lost meanwhile", async () => {
    await using home = await open();
    const inside = await inTeam(home, guest);
    await home.carrier.change({
      faults: [
        { at: "rest", match: { resource: "conferences" }, times: 4, do: { kind: "code", code: "503" } },
      ],
    });
    await inTeam(home, chair);
    await lose(home);
    await expect.poll(() => noticesTo(home, inside), { timeout: 20_000 }).toEqual(["announcement"]);
  });

  test("is heard though what tells of the recording is lost: who has it recorded is in the room", async () => {
    const lost = (at: "event" | "callback", match: Record<string, string>) =>
      ({ at, match, do: { kind: "lose" } }) as const;
    await using home = await open();
    await home.carrier.change({
      faults: [
        lost("event", { status: "record-start" }),
        lost("callback", { status: "record-start" }),
        lost("callback", { event_type: "recording" }),
      ],
    });
    const inside = await inTeam(home, guest);
    await inTeam(home, chair);
    await expect.poll(() => noticesTo(home, inside), { timeout: 10_000 }).toEqual(["announcement"]);
    expect(await noticesTo(home, await inTeam(home, "+15550100002"))).toEqual(["say"]);
  });

  test.each<Way>(["swml", "cxml", "relay"])(
    "of a rule's own is heard by a caller by %s whose decision is too long to be carried through an announcement",
    async (way) => {
      const then = "reject";
      const place = {
        room: "team",
        recording_notice: NOTICE,
        announce: "Welcome.",
        capacity: 5,
        overflow: { then, say: "ä".repeat(2_000) },
      };
      await using home = await open({ rules: [{ id: "any", match: {}, place }] });
      if (way === "relay") await putContexts(home, { main: home.tenant });
      const call_id = await inTeam(home, guest, way);
      expect(await noticesTo(home, call_id)).toEqual(["say"]);
      const { heard } = await home.carrier.call(call_id);
      expect(heard.map(({ detail }) => detail)).toContain("Welcome.");
    },
  );

  test("is announced again where SignalWire could not fetch it", async () => {
    let refused = 0;
    await using home = await open(apart, {
      intercept: async ({ url }) => {
        if (!url.includes("/notice?") || refused > 0) return null;
        refused += 1;
        return new Response("Try again.", { status: 503 });
      },
    });
    const inside = await inTeam(home, guest);
    await inTeam(home, chair);
    await expect.poll(() => noticesTo(home, inside), { timeout: 20_000 }).toEqual(["announcement"]);
    expect(await announcements(home)).toBe(2);
  }, 40_000);

  test("is announced three times at most where no fetch of it ever comes", async () => {
    await using home = await open(apart, {
      intercept: async ({ url }) => (url.includes("/notice?") ? new Response("", { status: 503 }) : null),
    });
    await inTeam(home, guest);
    await inTeam(home, chair);
    await expect.poll(() => announcements(home), { timeout: 20_000 }).toBe(3);
    const untold = async () =>
      await runInDurableObject(session(home), (_, { storage }) =>
        storage.sql.exec("SELECT call_id FROM placements WHERE untold IS NOT NULL").toArray(),
      );
    await expect.poll(untold, { timeout: 10_000 }).toEqual([]);
  }, 60_000);

  test("is not heard by callers whose rule says that they know, nor where nothing is recorded", async () => {
    const [records, plain] = apart.rules;
    const knows = { ...plain, place: { room: "team", recording_notice: false } };
    await using home = await open({ ...apart, rules: [records, knows] });
    const inside = await inTeam(home, guest);
    await inTeam(home, chair);
    await home.carrier.wait({
      journal: { kind: "conference", contains: { status: "record-start" } },
      timeout_ms: 10_000,
    });
    const late = await inTeam(home, "+15550100002");
    expect([...(await noticesTo(home, inside)), ...(await noticesTo(home, late))]).toEqual([]);
    await using quiet = await open();
    await inTeam(quiet, guest);
    expect(await noticesTo(quiet, await inTeam(quiet, "+15550100002"))).toEqual([]);
  });
});

test("what is heard before a room is heard by a call by a context whose answer takes its time", async () => {
  const switches = { answer_is_async: 400, relay_429: "often" } as const;
  await using home = await open(
    { rules: [{ id: "any", match: {}, place: { room: "team", announce: NOTICE } }] },
    { carrier: { speed: 1, switches } },
  );
  await putContexts(home, { main: home.tenant });
  const call_id = await inTeam(home, guest, "relay");
  expect(await noticesTo(home, call_id)).toEqual(["say"]);
}, 30_000);

describe("a recording notice to a call by a context", () => {
  const plain = "This call may be recorded.";
  const place = {
    room: "team",
    join: { record: "record-from-start" },
    recording_notice: { play: "https://example.com/notice.mp3#missing" },
  };

  async function openContext(): Promise<Fixture> {
    const home = await open({ rules: [{ id: "any", match: {}, place }] });
    await putContexts(home, { main: home.tenant });
    return home;
  }

  async function heardBy(home: Fixture, call_id: string): Promise<string[]> {
    const { heard } = await home.carrier.call(call_id);
    return heard.filter(({ detail }) => detail === plain).map(({ sound }) => sound);
  }

  test("is plain words where its file is missing", async () => {
    await using home = await openContext();
    expect(await heardBy(home, await inTeam(home, guest, "relay"))).toEqual(["say"]);
  });

  test("is told in the room where nothing can be played before it", async () => {
    await using home = await openContext();
    await home.carrier.change({
      faults: [
        { at: "command", match: { method: "calling.play" }, do: { kind: "code", code: "500" } },
        { at: "rest", match: { resource: "commands" }, do: { kind: "code", code: "503" } },
      ],
    });
    const call_id = await inTeam(home, guest, "relay");
    await expect.poll(() => heardBy(home, call_id), { timeout: 10_000 }).toEqual(["announcement"]);
  }, 40_000);
});

describe("a ticket for the recording notice", () => {
  async function ask(
    home: Fixture,
    tenant: string,
    conference: string,
    sealed_at: number,
  ): Promise<Response> {
    const keys = await deriveKeys({
      credentials_key: env.CREDENTIALS_KEY ?? "",
      signing_keys: [home.carrier.signing_key],
    });
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const whose = { tenant: home.tenant, conference: "sid-1" };
    const ticket = await sealTicket(keys, whose, { say: NOTICE, language: "en-US" }, sealed_at, iv);
    const query = new URLSearchParams({ conference, ticket });
    return await exports.default.fetch(`https://partyline.test/hooks/${tenant}/notice?${query}`, {
      method: "POST",
    });
  }

  test("is answered with cXML as often as asked, for a minute, and for its own conference and tenant alone", async () => {
    await using home = await open();
    for (let asked = 0; asked < 3; asked += 1) {
      const response = await ask(home, home.tenant, "sid-1", Date.now());
      expect(response.headers.get("content-type")).toMatch(/^text\/xml/);
      expect(await response.text()).toContain(`<Say language="en-US">${NOTICE}</Say>`);
    }
    await using other = await open();
    const refused = [
      await ask(home, home.tenant, "sid-2", Date.now()),
      await ask(home, home.tenant, "sid-1", Date.now() - 60_001),
      await ask(home, other.tenant, "sid-1", Date.now()),
      await exports.default.fetch(`https://partyline.test/hooks/${home.tenant}/notice`),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
  });
});
