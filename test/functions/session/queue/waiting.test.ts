import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { askApi } from "../../api/ask.ts";
import { type Fixture, openFixture, warmUp } from "../../fixture.ts";
import {
  byDocument,
  callFrom,
  desk,
  inWaitingRoom,
  lineOf,
  lose,
  music,
  room,
  session,
  waits,
  wordsTo,
} from "../../waiting-room-fixture.ts";

beforeAll(warmUp);

const join = { method: "calling.join_conference" };
/** The first join is lost on its way. */
const joinUnheard = {
  rules: [room(1)],
  carrier: {
    speed: 5,
    faults: [{ at: "command" as const, match: join, times: 1, do: { kind: "ignore" as const } }],
  },
};

/** A caller whose session is lost while it waits for the answer to their join. */
async function callAndLose(home: Fixture): Promise<string> {
  const call_id = await callFrom(home, "+15550100201");
  await home.carrier.wait({ journal: { kind: "frame_in", contains: { frame: join } } });
  await lose(home);
  return call_id;
}

async function callVia(home: Fixture, way: "swml" | "cxml", from: string): Promise<string> {
  const { webhook_url } = home;
  const number = { swml: webhook_url, cxml: webhook_url.replace(/swml$/, "cxml"), relay: "" };
  return (await home.carrier.placeCallVia(way, number, { from, to: "+15550100100" })).call_id;
}

/** How often SignalWire has refused a join of the call's own document. */
async function refusals(home: Fixture, call_id: string): Promise<number> {
  const steps = await home.carrier.journal({ kind: "document" });
  return steps.filter((entry) => entry["call_id"] === call_id && "join_failed" in entry).length;
}

/** Its seat is counted no more, and it is there all the same. */
async function releaseSeat(home: Fixture, call_id = ""): Promise<void> {
  const released = `/tenants/${home.tenant}/calls/${call_id}/release-seat`;
  expect((await askApi(released, { method: "POST" })).status).toBe(200);
}

describe("a caller who finds no seat", () => {
  test("hears music and is fetched within a second of a seat's being free, the longest waiter first", async () => {
    await using home = await openFixture({ rules: [room(1, { position: true })], ...byDocument });
    const seated = await callFrom(home, "+15550100201");
    await inWaitingRoom(home, seated);
    const first = await callFrom(home, "+15550100202");
    await waits(home, first);
    const second = await callFrom(home, "+15550100203");
    await waits(home, first, second);
    expect((await desk(home)).waiting.map(({ for: what, position }) => [what, position])).toEqual([
      ["seat", 1],
      ["seat", 2],
    ]);
    await home.carrier.wait({ call: { call_id: second, heard: { contains: "You are number 2 in line." } } });
    const freed_at = Date.now();
    await home.carrier.hangUp(seated);
    await inWaitingRoom(home, first);
    expect(Date.now() - freed_at).toBeLessThan(2_000);
    expect((await home.carrier.call(second)).joins).toHaveLength(0);
    for (const call of [await home.carrier.call(first), await home.carrier.call(second)]) {
      expect(call.two_sounds).toBe(false);
      expect(call.longest_silence_ms).toBeLessThan(3_000);
    }
  });

  test.each(["swml", "cxml"] as const)(
    "by %s who hangs up is passed over at once: when it is their turn, the next one comes",
    async (way) => {
      await using home = await openFixture({ rules: [room(1)], ...byDocument });
      const seated = await callFrom(home, "+15550100201");
      await inWaitingRoom(home, seated);
      const gone = await callVia(home, way, "+15550100202");
      await waits(home, gone);
      const next = await callFrom(home, "+15550100203");
      await waits(home, gone, next);
      await home.carrier.hangUp(gone);
      await home.carrier.hangUp(seated);
      await inWaitingRoom(home, next);
      expect((await desk(home)).participants.map(({ call_id }) => call_id)).toEqual([next]);
    },
  );

  test("holds no seat that an operator could release, and stays in its line", async () => {
    await using home = await openFixture({ rules: [room(1)], ...byDocument });
    const seated = await callFrom(home, "+15550100201");
    await inWaitingRoom(home, seated);
    const waiter = await callFrom(home, "+15550100202");
    await waits(home, waiter);
    const released = await askApi(`/tenants/${home.tenant}/calls/${waiter}/release-seat`, { method: "POST" });
    expect(await released.json()).toMatchObject({ changed: false });
    await home.carrier.hangUp(seated);
    await inWaitingRoom(home, waiter);
  });

  test.each(["swml", "cxml"] as const)(
    "by %s stands in the line again where SignalWire has more callers in the room than were counted, and comes in when one leaves",
    async (way) => {
      await using home = await openFixture({ rules: [room(2)], ...byDocument });
      const seated = [await callFrom(home, "+15550100201"), await callFrom(home, "+15550100202")];
      for (const call_id of seated) await inWaitingRoom(home, call_id);
      const waiter = await callVia(home, way, "+15550100203");
      await waits(home, waiter);
      await releaseSeat(home, seated[0]);
      await expect.poll(() => refusals(home, waiter), { timeout: 10_000 }).toBe(1);
      await waits(home, waiter);
      await home.carrier.hangUp(seated[1] ?? "");
      await inWaitingRoom(home, waiter);
      const { state, longest_silence_ms } = await home.carrier.call(waiter);
      expect(state).toBe("answered");
      expect(longest_silence_ms).toBeLessThan(3_000);
    },
  );

  test.each(["swml", "cxml"] as const)(
    "by %s in a room that SignalWire has full and we count as free stands in its line from the first refusal on",
    async (way) => {
      await using home = await openFixture({ rules: [room(2)], ...byDocument });
      const seated = [await callFrom(home, "+15550100201"), await callFrom(home, "+15550100202")];
      for (const call_id of seated) await inWaitingRoom(home, call_id);
      await releaseSeat(home, seated[0]);
      const newcomer = await callVia(home, way, "+15550100203");
      await waits(home, newcomer);
      await home.carrier.hangUp(seated[1] ?? "");
      await inWaitingRoom(home, newcomer);
      expect(await refusals(home, newcomer)).toBe(1);
    },
  );

  test.each(["swml", "cxml"] as const)(
    "by %s after a question stands in the line too, from the first refusal on: what was decided stands",
    async (way) => {
      const { id, place } = room(2);
      const ask = { desk: { say: "Which desk?", digits: "1" } };
      const asked = { id, match: {}, ask, rules: [{ id: "one", match: { "answer.desk": "1" }, place }] };
      await using home = await openFixture({ rules: [asked], ...byDocument });
      const comes = async (from: string, via: "swml" | "cxml" = "swml") => {
        const call_id = await callVia(home, via, from);
        await home.carrier.wait({ call: { call_id, heard: { contains: "Which desk?" } } });
        await home.carrier.digits(call_id, "1");
        return call_id;
      };
      const seated = [await comes("+15550100201"), await comes("+15550100202")];
      for (const call_id of seated) await inWaitingRoom(home, call_id);
      await releaseSeat(home, seated[0]);
      const newcomer = await comes("+15550100203", way);
      await waits(home, newcomer);
      await home.carrier.hangUp(seated[1] ?? "");
      await inWaitingRoom(home, newcomer);
      expect(await refusals(home, newcomer)).toBe(1);
    },
  );

  test.each(["swml", "cxml"] as const)(
    "by %s where a room refuses that we count as empty is not sent there again and again",
    async (way) => {
      await using home = await openFixture({ rules: [room(2)], ...byDocument });
      const seated = [await callFrom(home, "+15550100201"), await callFrom(home, "+15550100202")];
      for (const call_id of seated) await inWaitingRoom(home, call_id);
      const waiter = await callVia(home, way, "+15550100203");
      await waits(home, waiter);
      for (const call_id of seated) await releaseSeat(home, call_id);
      await expect.poll(() => refusals(home, waiter), { timeout: 10_000 }).toBeGreaterThan(0);
      const heard = (await home.carrier.call(waiter)).heard.length;
      const waited = async () =>
        (await home.carrier.call(waiter)).heard
          .slice(heard)
          .map(({ from_ms, to_ms }) => (to_ms ?? 0) - from_ms);
      // A whole piece of the music.
      await expect.poll(waited, { timeout: 15_000 }).toContainEqual(expect.closeTo(10_000, -3));
      expect(await refusals(home, waiter)).toBeLessThanOrEqual(2);
      expect((await home.carrier.call(waiter)).longest_silence_ms).toBeLessThan(3_000);
    },
  );

  test("though none of us heard of the seat they were given, stands in the line as soon as they ask", async () => {
    await using home = await openFixture(joinUnheard);
    const unheard = await callAndLose(home);
    // As REST finds it some seconds later: it never came into its room.
    await runInDurableObject(session(home), (_, state) => {
      state.storage.sql.exec("UPDATE placements SET state = 'left', live = 0");
    });
    await lose(home);
    const seated = await callFrom(home, "+15550100202");
    await inWaitingRoom(home, seated);
    await waits(home, unheard);
    expect((await home.carrier.call(unheard)).joins).toEqual([]);
    await home.carrier.hangUp(seated);
    await inWaitingRoom(home, unheard);
    expect(await home.carrier.call(unheard)).toMatchObject({ stranded: false, two_sounds: false });
  });

  test("and asks after a join that nobody heard of for long, is not ended while that is looked into", async () => {
    await using home = await openFixture(joinUnheard);
    const unheard = await callAndLose(home);
    // As if that were long ago.
    await runInDurableObject(session(home), (_, state) => {
      state.storage.sql.exec("UPDATE placements SET deadline_at = deadline_at - 60000");
    });
    await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
    const rings = { call_id: unheard, step: "play", body: { url: "ring:2:us" } };
    await home.carrier.wait({ journal: { kind: "document", contains: rings }, timeout_ms: 10_000 });
    await runDurableObjectAlarm(session(home));
    await inWaitingRoom(home, unheard);
    expect(await home.carrier.call(unheard)).toMatchObject({ stranded: false, two_sounds: false });
  });

  test("hears the second overflow at the maximum, and stands in the line no more", async () => {
    await using home = await openFixture({ rules: [room(1, { max_s: 10 })], ...byDocument });
    const seated = await callFrom(home, "+15550100201");
    await inWaitingRoom(home, seated);
    const waiter = await callFrom(home, "+15550100202");
    await waits(home, waiter);
    // As if the ten seconds were over.
    await runInDurableObject(session(home), (_, state) => {
      state.storage.sql.exec("UPDATE errands SET due_at = due_at - 10000 WHERE kind = 'overdue'");
    });
    await runDurableObjectAlarm(session(home));
    await home.carrier.wait({
      call: { call_id: waiter, state: "ended", heard: { contains: "Nobody was free." } },
    });
    expect(await lineOf(home)).toEqual([]);
    const { longest_silence_ms, joins } = await home.carrier.call(waiter);
    expect(joins).toEqual([]);
    expect(longest_silence_ms).toBeLessThan(3_000);
  });
});

describe("a caller who waits for the moderator", () => {
  test("comes in with all the others when the moderator does", async () => {
    await using home = await openFixture({
      rules: [
        { id: "chair", match: { from: "+15550100209" }, place: { room: "desk", role: "moderator" } },
        { id: "member", match: {}, place: { room: "desk", wait: { for: "moderator", music } } },
      ],
      ...byDocument,
    });
    const members = [await callFrom(home, "+15550100201"), await callFrom(home, "+15550100202")];
    await waits(home, ...members);
    expect((await desk(home)).waiting.map(({ for: what }) => what)).toEqual(["moderator", "moderator"]);
    await inWaitingRoom(home, await callFrom(home, "+15550100209"));
    for (const call_id of members) await inWaitingRoom(home, call_id);
  });
});

describe("a caller in the lobby", () => {
  const rules = [
    {
      id: "board",
      match: {},
      place: {
        room: "desk",
        wait: {
          for: "admission",
          music,
          position: true,
          otherwise: { reject: { say: "You are not expected." } },
        },
      },
    },
  ];

  test("is let in by an operator, another is not; to say it twice changes nothing, and of nobody is an error", async () => {
    await using home = await openFixture({ rules, ...byDocument });
    const [guest, stranger] = [await callFrom(home, "+15550100201"), await callFrom(home, "+15550100202")];
    await expect.poll(async () => (await lineOf(home)).length, { timeout: 10_000 }).toBe(2);
    await home.carrier.wait({
      call: { call_id: stranger, heard: { contains: "You are number 2 in line." } },
    });
    // To somebody who is alone there is no line to speak of.
    expect(await wordsTo(home, guest)).toEqual([]);
    const lobby = (call_id: string, verdict: string) =>
      askApi(`/tenants/${home.tenant}/conferences/desk/lobby/${call_id}/${verdict}`, { method: "POST" });
    expect((await lobby(guest, "admit")).status).toBe(200);
    await inWaitingRoom(home, guest);
    expect((await lobby(guest, "admit")).status).toBe(200);
    expect((await lobby(stranger, "reject")).status).toBe(200);
    await home.carrier.wait({
      call: { call_id: stranger, state: "ended", heard: { contains: "You are not expected." } },
    });
    expect((await lobby(stranger, "reject")).status).toBe(200);
    expect((await lobby(stranger, "admit")).status).toBe(404);
    expect(await (await lobby("nobody", "admit")).json()).toMatchObject({
      error: { code: "unknown_waiter" },
    });
    expect((await home.carrier.call(stranger)).joins).toEqual([]);
  });
});

describe("a caller who waits an hour", () => {
  test("hears music all the time, and uses up hardly any of the call's transfers", async () => {
    await using home = await openFixture({
      rules: [room(1, { max_s: 7_200, music: "https://example.com/music.mp3#seconds=60" })],
      tenant: { join_via: "document" },
      carrier: { speed: 5 },
    });
    const seated = await callFrom(home, "+15550100201");
    await inWaitingRoom(home, seated);
    // From here on a second of ours is 2,000 of the call's.
    await home.carrier.change({ speed: 2_000 });
    const waiter = await callFrom(home, "+15550100202");
    await waits(home, waiter);
    await expect
      .poll(
        async () => (await home.carrier.call(waiter)).heard.filter(({ sound }) => sound === "audio").length,
        {
          timeout: 18_000,
          interval: 500,
        },
      )
      .toBeGreaterThan(60);
    await home.carrier.change({ speed: 5 });
    expect(await lineOf(home)).toEqual([waiter]);
    await home.carrier.hangUp(seated);
    await inWaitingRoom(home, waiter);
    const documents = await home.carrier.journal({ kind: "document" });
    const transfers = documents.filter(
      (entry) => entry["call_id"] === waiter && entry["step"] === "transfer",
    );
    expect(transfers.length).toBeLessThanOrEqual(2);
    const call = await home.carrier.call(waiter);
    expect(call).toMatchObject({ stranded: false, two_sounds: false });
    expect(call.heard.some(({ sound }) => sound === "silence")).toBe(false);
  }, 30_000);
});
