import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { Story } from "../../../../functions/session/operator/call-history.ts";
import type { Conference } from "../../../../functions/session/operator/roster.ts";
import { askApi } from "../../api/ask.ts";
import { type Fixture, openFixture, sent, warmUp } from "../../fixture.ts";

beforeAll(warmUp);

/** A ruleset's `overflow`. */
function overflow(then: string, more: Record<string, unknown>): Record<string, unknown> {
  return { then, ...more };
}

async function callFrom(home: Fixture, from: string, to = "+15550100100"): Promise<string> {
  return (await home.carrier.placeCall({ from, to, url: home.webhook_url })).call_id;
}

async function inRoom(home: Fixture, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:${room}` }, timeout_ms: 10_000 });
}

async function confirmedIn(home: Fixture, room: string): Promise<string[]> {
  const response = await askApi(`/tenants/${home.tenant}/conferences/${room}`);
  if (response.status !== 200) return [];
  const { participants } = await response.json<Conference>();
  return participants.filter(({ confirmed }) => confirmed).map(({ call_id }) => call_id);
}

describe("seats", () => {
  test("forty callers at one instant fill the rooms in order and no room beyond its seats", async () => {
    await using home = await openFixture({
      rules: [
        {
          id: "support",
          match: {},
          place: {
            room: "support",
            capacity: 5,
            overflow: overflow("next", { rooms: 4, say: "All seats are taken." }),
          },
        },
      ],
      carrier: { speed: 5 },
    });
    const calls = await Promise.all(
      Array.from({ length: 40 }, (_, n) => callFrom(home, `+155501002${String(n).padStart(2, "0")}`)),
    );
    for (const call_id of calls.slice(0, 40)) {
      await expect
        .poll(
          async () => {
            const call = await home.carrier.call(call_id);
            return call.conference !== null || call.state === "ended";
          },
          { timeout: 15_000 },
        )
        .toBe(true);
    }
    const rooms = await home.carrier.conferences();
    expect(rooms.map((room) => room.participants.length).sort()).toEqual([5, 5, 5, 5]);
    const turnedAway = (await Promise.all(calls.map((id) => home.carrier.call(id)))).filter(
      (call) => call.joins.length === 0,
    );
    expect(turnedAway).toHaveLength(20);
    for (const call of turnedAway) {
      expect(call.heard.some(({ detail }) => detail.includes("All seats are taken."))).toBe(true);
    }
  });

  test("a seat is free again when its caller leaves", async () => {
    await using home = await openFixture({
      rules: [
        {
          id: "pair",
          match: {},
          place: { room: "pair", capacity: 2, overflow: overflow("reject", { say: "Full." }) },
        },
      ],
      carrier: { speed: 5 },
    });
    const [first] = [await callFrom(home, "+15550100201"), await callFrom(home, "+15550100202")];
    await home.carrier.wait({
      journal: { kind: "conference", contains: { status: "participant-join", size: 2 } },
    });
    const third = await callFrom(home, "+15550100203");
    await home.carrier.wait({ call: { call_id: third, state: "ended", heard: { contains: "Full." } } });
    await home.carrier.hangUp(first ?? "");
    await home.carrier.wait({ journal: { kind: "conference", contains: { status: "participant-leave" } } });
    // Somebody who has just joined may have been taken out by a document: their seat is kept until that is known.
    await expect
      .poll(
        async () => {
          const call_id = await callFrom(home, "+15550100204");
          await expect.poll(async () => (await home.carrier.call(call_id)).heard.length).toBeGreaterThan(1);
          return (await home.carrier.call(call_id)).joins.length;
        },
        { timeout: 12_000, interval: 500 },
      )
      .toBe(1);
  });

  test("a seat whose caller has gone without a word is found out by the next who wants it", async () => {
    await using home = await openFixture({
      rules: [
        {
          id: "single",
          match: {},
          place: { room: "single", capacity: 1, overflow: overflow("reject", { say: "Full." }) },
        },
      ],
      carrier: { speed: 10 },
    });
    const first = await callFrom(home, "+15550100201");
    await inRoom(home, first, "single");
    // As if it had been there for a minute; nobody tells of its leave.
    const session = env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
    await expect.poll(async () => (await confirmedIn(home, "single")).length).toBe(1);
    await runInDurableObject(session, (_, { storage }) => {
      storage.sql.exec(
        "UPDATE placements SET hold_at = NULL, joined_ts = joined_ts - 60, created_at = created_at - 60000",
      );
      // Rows at hand are as they were: only an object that comes back reads these.
      return storage.sync();
    });
    await runInDurableObject(session, (_, state) => state.abort("lost")).catch(() => {});
    const lose = { kind: "lose" } as const;
    await home.carrier.change({
      faults: [
        { at: "event", do: lose },
        { at: "callback", do: lose },
      ],
    });
    await home.carrier.hangUp(first);
    const second = await callFrom(home, "+15550100202");
    await home.carrier.wait({ call: { call_id: second, state: "ended" } });
    await expect.poll(async () => await confirmedIn(home, "single"), { timeout: 5_000 }).toEqual([]);
    const story = await (await askApi(`/tenants/${home.tenant}/calls/${first}`)).json<Story>();
    expect(story.happened.some(({ what }) => what === "repair")).toBe(true);
    expect((await home.carrier.call(second)).joins).toEqual([]);
    await inRoom(home, await callFrom(home, "+15550100203"), "single");
  });

  test("spread fills the emptiest room first", async () => {
    await using home = await openFixture({
      rules: [
        {
          id: "class",
          match: {},
          place: { room: "class", capacity: 5, overflow: overflow("spread", { rooms: 3 }) },
        },
      ],
      carrier: { speed: 5 },
    });
    for (let n = 0; n < 6; n += 1) await callFrom(home, `+1555010020${n}`);
    await expect
      .poll(async () => (await home.carrier.conferences()).map((room) => room.participants.length), {
        timeout: 10_000,
      })
      .toEqual([2, 2, 2]);
  });

  test("a caller who drops comes back to the room they were in, while it lives", async () => {
    await using home = await openFixture({
      rules: [
        {
          id: "support",
          match: {},
          place: { room: "support", capacity: 3, sticky: "from", overflow: overflow("spread", { rooms: 3 }) },
        },
      ],
      carrier: { speed: 5 },
    });
    const [one] = [await callFrom(home, "+15550100201")];
    await inRoom(home, one ?? "", "support");
    await inRoom(home, await callFrom(home, "+15550100202"), "support-2");
    await inRoom(home, await callFrom(home, "+15550100203"), "support-3");
    const second = await callFrom(home, "+15550100204");
    await inRoom(home, second, "support");
    await home.carrier.hangUp(second);
    await home.carrier.wait({
      journal: { kind: "conference", contains: { status: "participant-leave", call_id: second } },
    });
    await inRoom(home, await callFrom(home, "+15550100204"), "support");
  });
});

describe("coaching", () => {
  const rules = [
    { id: "agent", match: { to: "+15550100101" }, place: { room: "floor", role: "agent" } },
    {
      id: "coach",
      match: { to: "+15550100102" },
      place: {
        room: "floor",
        role: "coach",
        coach: { role: "agent", if_absent: { reject: { say: "Nobody to coach." } } },
      },
    },
  ];

  test("a coach is joined to the one live participant of the role", async () => {
    await using home = await openFixture({ rules, carrier: { speed: 5 } });
    await home.putRuleset({ roles: { agent: {} }, rules });
    const agent = await callFrom(home, "+15550100201", "+15550100101");
    await inRoom(home, agent, "floor");
    const coach = await callFrom(home, "+15550100202", "+15550100102");
    await inRoom(home, coach, "floor");
    expect((await sent(home, "calling.join_conference")).at(-1)).toMatchObject({
      call_id: coach,
      coach: agent,
    });
  });
});

describe("after the conference", () => {
  test("the tenant's own document takes the call where the rule says so, by RELAY and by document", async () => {
    for (const join_via of ["relay", "document"]) {
      await using home = await openFixture({
        rules: [
          {
            id: "chair",
            match: { from: "+15550100209" },
            place: { room: "board", join: { end_on_exit: true } },
          },
          {
            id: "member",
            match: {},
            place: { room: "board", after: { hand_over: { swml: "https://survey.example.com/after" } } },
          },
        ],
        tenant: { join_via },
        carrier: { speed: 5 },
        intercept: async (request) =>
          new URL(request.url).host === "survey.example.com"
            ? Response.json({ version: "1.0.0", sections: { main: [{ play: { url: "say:How was it?" } }] } })
            : null,
      });
      const chair = await callFrom(home, "+15550100209");
      await inRoom(home, chair, "board");
      const member = await callFrom(home, "+15550100201");
      await inRoom(home, member, "board");
      // A leave within 3 s of a document's start would be the document's doing.
      await new Promise((resolve) => setTimeout(resolve, 3_800));
      await home.carrier.hangUp(chair);
      await home.carrier.wait({
        call: { call_id: member, heard: { contains: "How was it?" } },
        timeout_ms: 10_000,
      });
    }
  });
});
