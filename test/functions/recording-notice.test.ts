import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { sealTicket } from "../../shared/notice-ticket.ts";
import { deriveKeys } from "../../shared/seal-keys.ts";
import { putContexts } from "./contexts/context-house.ts";
import { lose } from "./desk.ts";
import { type House, openHouse, warmUp } from "./house.ts";

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
  more: Partial<Parameters<typeof openHouse>[0]> = {},
): Promise<House> {
  const home = await openHouse({ rules: [], carrier, ...more });
  await home.putRuleset(rules);
  return home;
}

type Way = "swml" | "cxml" | "relay";

async function inTeam(home: House, from: string, way: Way = "swml"): Promise<string> {
  const number = { swml: home.webhook_url, cxml: home.webhook_url.replace(/swml$/, "cxml"), relay: "main" };
  const params = from === chair ? { room: "team" } : {};
  const { call_id } = await home.carrier.placeCallVia(way, number, { from, to, params });
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:team` }, timeout_ms: 15_000 });
  return call_id;
}

async function noticesTo(home: House, call_id: string): Promise<string[]> {
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

  test("is heard before a room that is recorded already, and then not again", async () => {
    await using home = await open();
    const inside = await inTeam(home, guest);
    await inTeam(home, chair);
    await expect.poll(() => noticesTo(home, inside), { timeout: 10_000 }).toEqual(["announcement"]);
    const late = await inTeam(home, "+15550100002");
    expect(await noticesTo(home, late)).toEqual(["say"]);
    const announced = async () =>
      (await home.carrier.journal({ kind: "rest" })).filter(({ method, path }) => {
        return method === "POST" && String(path).includes("/Conferences/");
      });
    expect(await announced()).toHaveLength(1);
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

describe("a ticket for the recording notice", () => {
  async function ask(home: House, tenant: string, conference: string, sealed_at: number): Promise<Response> {
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
