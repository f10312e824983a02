import { beforeAll, describe, expect, test } from "vitest";
import { askApi } from "../api/ask.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";

beforeAll(warmUp);

/** So long that a test never hears its end. */
const music = "https://example.com/music.mp3#seconds=600";
const byDocument = { tenant: { join_via: "document" }, carrier: { speed: 5 } };

function room(wait: Record<string, unknown> = {}): Record<string, unknown> {
  const waits = ["then", "wait"];
  const overflow = Object.fromEntries([waits, ["say", "Nobody was free."]]);
  return { id: "desk", match: {}, place: { room: "desk", capacity: 1, overflow, wait: { music, ...wait } } };
}

async function seat(home: Fixture): Promise<string> {
  const { call_id } = await home.carrier.placeCall({
    from: "+15550100201",
    to: "+15550100100",
    url: home.webhook_url,
  });
  await inDesk(home, call_id);
  return call_id;
}

/** Calls a number that is set up with cXML. */
async function waiter(home: Fixture, from: string): Promise<string> {
  const cxml_url = home.webhook_url.replace(/swml$/, "cxml");
  const { call_id } = await home.carrier.placeCall({ from, to: "+15550100100", cxml_url });
  await expect.poll(() => waiting(home), { timeout: 10_000 }).toContain(call_id);
  return call_id;
}

async function waiting(home: Fixture): Promise<string[]> {
  const response = await askApi(`/tenants/${home.tenant}/conferences/desk`);
  const conference = (await response.json()) as { waiting?: { call_id: string }[] }; // Ours, and as its test says.
  return (conference.waiting ?? []).map(({ call_id }) => call_id);
}

async function inDesk(home: Fixture, call_id: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:desk` }, timeout_ms: 15_000 });
}

async function ledOnce(home: Fixture, call_id: string): Promise<void> {
  const call = await home.carrier.call(call_id);
  expect(call).toMatchObject({ stranded: false, two_sounds: false });
  expect(call.joins).toHaveLength(1);
}

describe("a caller by cXML who waits", () => {
  test("is led out of the music within a second of a seat's being free, the longest waiter first", async () => {
    await using home = await openFixture({ rules: [room()], ...byDocument });
    const seated = await seat(home);
    const first = await waiter(home, "+15550100202");
    const second = await waiter(home, "+15550100203");
    const freed_at = Date.now();
    await home.carrier.hangUp(seated);
    await inDesk(home, first);
    expect(Date.now() - freed_at).toBeLessThan(2_000);
    expect(await waiting(home)).toEqual([second]);
    await ledOnce(home, first);
  });

  test("hears at once that an operator does not let them in", async () => {
    const otherwise = { reject: { say: "You are not expected." } };
    const place = { room: "desk", wait: { for: "admission", music, otherwise } };
    await using home = await openFixture({ rules: [{ id: "desk", match: {}, place }], ...byDocument });
    const stranger = await waiter(home, "+15550100202");
    await askApi(`/tenants/${home.tenant}/conferences/desk/lobby/${stranger}/reject`, { method: "POST" });
    const heard = { contains: "You are not expected." };
    await home.carrier.wait({ call: { call_id: stranger, state: "ended", heard }, timeout_ms: 5_000 });
    expect((await home.carrier.call(stranger)).joins).toEqual([]);
  });

  test("is led once, though nobody hears that SignalWire has done it", async () => {
    await using home = await openFixture({ rules: [room()], ...byDocument });
    const seated = await seat(home);
    const next = await waiter(home, "+15550100202");
    await home.carrier.change({
      faults: [{ at: "rest", match: { method: "POST" }, times: 1, do: { kind: "swallow" } }],
    });
    await home.carrier.hangUp(seated);
    await inDesk(home, next);
    // Whoever is not in a room stands in the line again, at the latest when the errand has come to its next try.
    await home.carrier.wait({ journal: { kind: "rest", contains: { method: "GET" } }, timeout_ms: 5_000 });
    await ledOnce(home, next);
  });

  test("is led by the second try where the first is refused", async () => {
    await using home = await openFixture({ rules: [room()], ...byDocument });
    const seated = await seat(home);
    const next = await waiter(home, "+15550100202");
    await home.carrier.change({
      faults: [{ at: "rest", match: { method: "POST" }, times: 1, do: { kind: "code", code: "500" } }],
    });
    await home.carrier.hangUp(seated);
    await inDesk(home, next);
    await ledOnce(home, next);
  });

  test("comes by themselves when the music is over where REST leads no call", async () => {
    await using home = await openFixture({
      rules: [room({ music: "https://example.com/music.mp3#seconds=10" })],
      tenant: { join_via: "document" },
      carrier: { speed: 5, switches: { rest_drives_cxml_calls: false } },
    });
    const seated = await seat(home);
    const next = await waiter(home, "+15550100202");
    await home.carrier.hangUp(seated);
    await inDesk(home, next);
    await ledOnce(home, next);
  });
});
