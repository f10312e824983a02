import { beforeAll, describe, expect, test } from "vitest";
import { openFixture, warmUp } from "../fixture.ts";
import { byDocument, callFrom, desk, inWaitingRoom, room, waits, wordsTo } from "../waiting-room-fixture.ts";

beforeAll(warmUp);

describe("a caller who drops", () => {
  const rejects = ["then", "reject"];
  const rules = [
    {
      id: "desk",
      match: {},
      place: {
        room: "desk",
        capacity: 2,
        rejoin_s: 3,
        announce: "You are caller number {number}.",
        overflow: Object.fromEntries([rejects, ["say", "All seats are taken."]]),
      },
    },
  ];

  test("finds the seat kept, without an announcement; nobody else has it meanwhile, and somebody does afterwards", async () => {
    await using home = await openFixture({ rules, ...byDocument });
    const stays = await callFrom(home, "+15550100201");
    await inWaitingRoom(home, stays);
    const drops = await callFrom(home, "+15550100202");
    await inWaitingRoom(home, drops);
    expect(await wordsTo(home, drops)).toEqual(["You are caller number 2."]);
    await home.carrier.hangUp(drops);
    await expect.poll(async () => (await desk(home)).participants.length).toBe(1);
    const other = await callFrom(home, "+15550100203");
    await home.carrier.wait({
      call: { call_id: other, state: "ended", heard: { contains: "All seats are taken." } },
    });
    const back = await callFrom(home, "+15550100202");
    await inWaitingRoom(home, back);
    expect(await wordsTo(home, back)).toEqual([]);
    await home.carrier.hangUp(back);
    await expect
      .poll(
        async () => {
          const call_id = await callFrom(home, "+15550100204");
          const isSettled = async () => {
            const { state, joins } = await home.carrier.call(call_id);
            return state === "ended" || joins.length > 0;
          };
          await expect.poll(isSettled, { timeout: 8_000 }).toBe(true);
          return (await home.carrier.call(call_id)).joins.length;
        },
        { timeout: 10_000, interval: 500 },
      )
      .toBe(1);
  });

  test("and is back before anybody heard of it, has the seat at once: it is kept for nobody else", async () => {
    const [rule] = rules;
    const place = { ...rule?.place, ...(room(2)["place"] as object), rejoin_s: 600, announce: undefined };
    await using home = await openFixture({ rules: [{ ...rule, place }], ...byDocument });
    await inWaitingRoom(home, await callFrom(home, "+15550100201"));
    const dead = await callFrom(home, "+15550100202");
    await inWaitingRoom(home, dead);
    const back = await callFrom(home, "+15550100202");
    await waits(home, back);
    await home.carrier.hangUp(dead);
    await inWaitingRoom(home, back);
  });

  test("who withholds the number is known by nothing, and finds no seat kept", async () => {
    await using home = await openFixture({ rules, ...byDocument });
    await inWaitingRoom(home, await callFrom(home, "+15550100201"));
    const drops = await callFrom(home, "anonymous");
    await inWaitingRoom(home, drops);
    await home.carrier.hangUp(drops);
    await expect.poll(async () => (await desk(home)).participants.length).toBe(1);
    const next = await callFrom(home, "+15550100203");
    await inWaitingRoom(home, next);
    expect(await wordsTo(home, next)).toEqual(["You are caller number 2."]);
  });
});
