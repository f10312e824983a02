import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { type Fixture, sent, warmUp } from "../../fixture.ts";
import {
  apology,
  call,
  caller,
  ended,
  heard,
  inRoom,
  lose,
  openContext,
  plain,
  session,
  standup,
  subscribed,
} from "./context-fixture.ts";

beforeAll(warmUp);

/** How long words were heard, ms. */
async function lengthOfWords(home: Fixture, call_id: string): Promise<number> {
  const { heard: sounds } = await home.carrier.call(call_id);
  const words = sounds.filter(({ sound }) => sound === "say");
  return words.reduce((length, { from_ms, to_ms }) => length + (to_ms ?? from_ms) - from_ms, 0);
}

describe("a call that RELAY loses", () => {
  test("between its answer and its join is brought into its room by REST, within 3 s", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 1,
        faults: [
          { at: "command", match: { method: "calling.join_conference" }, do: { kind: "close_before" } },
          { at: "connect", do: { kind: "refuse" } },
        ],
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "team-standup");
    const { joined_by, longest_silence_ms } = await home.carrier.call(call_id);
    expect(joined_by).toBe("document");
    expect(longest_silence_ms).toBeLessThan(3_000);
    await heard(home, call_id);
  });

  test("before its answer is answered by a document, for REST has no answer, and hears its announcement", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 1,
        faults: [
          { at: "command", match: { method: "calling.answer" }, do: { kind: "close_before" } },
          { at: "connect", do: { kind: "refuse" } },
        ],
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "team-standup");
    expect(await heard(home, call_id)).toEqual(["ring", "Joining the team conference.", "music"]);
    const asked = (await home.carrier.journal({ kind: "rest" })).map(({ body }) => String(body));
    expect(asked.join()).not.toMatch(/calling\.answer|play_and_collect/);
    const { longest_silence_ms } = await home.carrier.call(call_id);
    expect(longest_silence_ms).toBeLessThan(3_000);
  });

  test("and that REST answers late, without a word of that in time, stays on its way to its room", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 1,
        faults: [
          { at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "500" } },
          { at: "rest", match: { method: "POST" }, times: 1, do: { kind: "delay", ms: 2_500 } },
        ],
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "team-standup");
    expect(await heard(home, call_id)).toEqual(["ring", "Joining the team conference.", "music"]);
  });

  test("and that neither RELAY nor REST can answer is led to its webhook, which answers and announces", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 1,
        faults: [
          { at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "500" } },
          { at: "rest", match: { method: "POST" }, do: { kind: "code", code: "500" } },
        ],
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "team-standup");
    expect(await heard(home, call_id)).toEqual(["ring", "Joining the team conference.", "music"]);
    expect(await sent(home, "calling.play")).toEqual([]);
  });

  test("between the event that it is answered and the answer to the command is not answered by a document as well", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 1,
        faults: [{ at: "answer", match: { method: "calling.answer" }, do: { kind: "delay", ms: 2_500 } }],
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "team-standup");
    const commanded = (await home.carrier.journal({ kind: "rest" })).filter(
      ({ method }) => method === "POST",
    );
    expect(commanded).toEqual([]);
  });

  test("before its announcement is over joins all the same, and hears one thing at a time", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 2,
        faults: [
          { at: "event", match: { event_type: "calling.call.play" }, do: { kind: "close_before" } },
          { at: "connect", times: 2, do: { kind: "refuse" } },
        ],
      },
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "team-standup");
    await heard(home, call_id);
  });

  test.each(["swallow", "ignore"] as const)(
    "and the answer to whose announcement does not come (%s) hears all of it, and joins",
    async (kind) => {
      const announce = "This conference is recorded. Whoever stays in it agrees to that, now and later.";
      const place = { ...standup.place, announce };
      await using home = await openContext([{ ...standup, place }], { carrier: { speed: 2 } });
      const untroubled = await call(home);
      await inRoom(home, untroubled, "team-standup");
      await home.carrier.change({
        faults: [{ at: "command", match: { method: "calling.play" }, times: 1, do: { kind } }],
      });
      const call_id = await call(home);
      await inRoom(home, call_id, "team-standup");
      expect(await lengthOfWords(home, call_id)).toBeCloseTo(await lengthOfWords(home, untroubled), -3);
      await heard(home, call_id);
    },
  );

  test("and whose leave would end the conference is not moved again, though nothing tells that it is in its room", async () => {
    const chair = "+15550100009";
    const chairs = {
      id: "chair",
      match: { from: chair },
      place: { room: "any", join: { end_on_exit: true } },
    };
    await using home = await openContext([chairs, plain], {
      carrier: {
        speed: 1,
        switches: { participants_of_listed_conference: "empty" },
        faults: [
          { at: "answer", match: { method: "calling.transfer" }, do: { kind: "lose" } },
          { at: "event", match: { event_type: "calling.conference" }, do: { kind: "lose" } },
          { at: "callback", do: { kind: "lose" } },
        ],
      },
    });
    const call_id = await call(home, chair);
    await inRoom(home, call_id, "any");
    await expect
      .poll(async () => (await session(home).status()).counters["command_unanswered"], { timeout: 5_000 })
      .toBeGreaterThan(0);
    const other = await call(home);
    await inRoom(home, other, "any");
    const { joins } = await home.carrier.call(call_id);
    expect(joins.map(({ left_at }) => left_at)).toEqual([null]);
  });

  test("and whose leave would end the conference is not moved again by a command that is carried out late", async () => {
    const chair = "+15550100009";
    const chairs = {
      id: "chair",
      match: { from: chair },
      place: { room: "any", join: { end_on_exit: true } },
    };
    await using home = await openContext([chairs, plain], {
      carrier: {
        speed: 1,
        faults: [
          {
            at: "command",
            match: { method: "calling.transfer" },
            times: 1,
            do: { kind: "delay", ms: 6_000 },
          },
        ],
      },
    });
    const call_id = await call(home, chair);
    await inRoom(home, call_id, "any");
    const { joins, longest_silence_ms } = await home.carrier.call(call_id);
    expect(joins).toHaveLength(1);
    expect(longest_silence_ms).toBeLessThan(3_000);
    expect(await sent(home, "calling.transfer")).toHaveLength(1);
  });

  test("and that a document brings into its room stays there when RELAY's own join comes after all and moves it", async () => {
    await using home = await openContext([plain], {
      carrier: {
        speed: 1,
        switches: { late_relay_join: "moves" },
        faults: [
          { at: "command", match: { method: "calling.join_conference" }, do: { kind: "delay", ms: 4_500 } },
          { at: "answer", match: { method: "calling.transfer" }, times: 1, do: { kind: "lose" } },
        ],
      },
    });
    const call_id = await call(home);
    // Its document asks what the end of its own join means, and once more when RELAY's was given time to be told of.
    const asked = async () =>
      (await home.carrier.journal({ kind: "webhook" })).filter(({ url }) => String(url).includes("joined=1"));
    await expect.poll(asked, { timeout: 12_000 }).toHaveLength(2);
    await inRoom(home, call_id, "any");
    const { state, joins } = await home.carrier.call(call_id);
    expect({ state, joins: joins.length }).toEqual({ state: "answered", joins: 2 });
  });

  test("and whose transfers REST refuses, though RELAY has put it into its room, is ended with its conference", async () => {
    const chair = "+15550100009";
    const chairs = {
      id: "chair",
      match: { from: chair },
      place: { room: "any", join: { end_on_exit: true } },
    };
    await using home = await openContext([chairs, plain]);
    const chaired = await call(home, chair);
    await inRoom(home, chaired, "any");
    const unheard = [
      { at: "event", match: { status: "participant-join" }, do: { kind: "lose" } },
      { at: "callback", match: { status: "participant-join" }, do: { kind: "lose" } },
      { at: "connect", do: { kind: "refuse" } },
    ] as const;
    const broken = { kind: "code", code: "500" } as const;
    await home.carrier.change({
      faults: [
        ...unheard,
        { at: "command", match: { method: "calling.join_conference" }, do: { kind: "close_after" } },
        { at: "rest", do: broken },
      ],
    });
    const call_id = await call(home);
    await inRoom(home, call_id, "any");
    const rings = async () =>
      (await home.carrier.journal({ kind: "rest" })).filter(({ body }) => String(body).includes("ringtone"))
        .length;
    // Not so soon after its document was tried that the leave could be the doing of that.
    await expect.poll(rings, { timeout: 12_000 }).toBeGreaterThan(1);
    await home.carrier.change({
      faults: [...unheard, { at: "rest", match: { method: "POST" }, do: broken }],
    });
    const repaired = async () => (await session(home).status()).counters["repaired_joins"];
    await expect.poll(repaired, { timeout: 12_000 }).toBe(1);
    await home.carrier.change({ faults: [] });
    await home.carrier.hangUp(chaired);
    await ended(home, call_id, 8_000);
  });

  test("for whom neither RELAY's join nor a transfer works hears the apology", {
    timeout: 60_000,
  }, async () => {
    const no = { kind: "code", code: "500" } as const;
    await using home = await openContext([plain]);
    // RELAY was seen to tell of such joins: of this call's it would have told.
    await inRoom(home, await call(home, "+15550100002"), "any");
    await home.carrier.change({
      faults: [
        { at: "command", match: { method: "calling.join_conference" }, do: no },
        { at: "command", match: { method: "calling.transfer" }, do: no },
        { at: "rest", do: no },
      ],
    });
    const call_id = await call(home);
    // RELAY's events may come 20 s late, and the caller hears a ring meanwhile.
    await ended(home, call_id, 55_000);
    const sounds = await heard(home, call_id);
    expect(sounds.at(-1)).toBe(apology);
    expect(sounds.slice(1, -1)).toContain("ring");
  });
});

describe("a call whose session is lost", () => {
  test.each([
    ["when it was offered", "calling.answer"],
    ["when its announcement was asked for", "calling.play"],
    ["when its join was sent", "calling.join_conference"],
  ])("%s is walked on, and joins once", async (_, method) => {
    await using home = await openContext([standup], {
      carrier: { faults: [{ at: "command", match: { method }, times: 1, do: { kind: "ignore" } }] },
    });
    const call_id = await call(home);
    await home.carrier.wait({ journal: { kind: "frame_in", contains: { frame: { method } } } });
    await lose(home);
    await inRoom(home, call_id, "team-standup");
    const { joins } = await home.carrier.call(call_id);
    expect(joins).toHaveLength(1);
    await heard(home, call_id);
  });

  test("after RELAY told that it is answered is not answered again, whatever the answer to the command says", async () => {
    await using home = await openContext([standup], {
      carrier: {
        speed: 1,
        faults: [{ at: "answer", match: { method: "calling.answer" }, do: { kind: "delay", ms: 2_500 } }],
      },
    });
    const call_id = await call(home);
    await home.carrier.wait({
      journal: { kind: "frame_out", contains: { frame: { params: { params: { call_state: "answered" } } } } },
    });
    await lose(home);
    await inRoom(home, call_id, "team-standup");
    expect(await sent(home, "calling.answer")).toHaveLength(1);
  });

  test("before anything was decided on it, and which another client answers then, is left alone", async () => {
    await using home = await openContext([standup]);
    const offered = await call(home);
    await inRoom(home, offered, "team-standup");
    // As it stands in the turn of its offer.
    await runInDurableObject(session(home), (_, state) =>
      state.storage.sql.exec(
        "UPDATE walks SET state = ? WHERE call_id = ?",
        JSON.stringify({
          made: null,
          call: {
            call_id: "taken",
            node_id: "a-node",
            direction: "inbound",
            type: "phone",
            details: {},
            ...caller,
          },
          answered: false,
          next: null,
          sounding: null,
          tenant: null,
        }),
        offered,
      ),
    );
    const match = { method: "calling.answer" };
    await home.carrier.change({ faults: [{ at: "command", match, do: { kind: "code", code: "409" } }] });
    await lose(home);
    const walks = () =>
      runInDurableObject(session(home), (_, state) =>
        state.storage.sql.exec("SELECT state FROM walks").toArray(),
      );
    await expect.poll(walks, { timeout: 8_000 }).toEqual([{ state: null }]);
    const toTaken = (await sent(home, "calling.play")).filter(({ call_id }) => call_id === "taken");
    expect(toTaken).toEqual([]);
  });

  test("while RELAY says that another client controls it does not ring for as long again, and is answered by a document", async () => {
    const faults = [
      { at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "409" } },
    ] as const;
    await using home = await openContext([standup], { carrier: { speed: 1, faults: [...faults] } });
    const call_id = await call(home);
    await expect.poll(() => sent(home, "calling.answer")).toHaveLength(1);
    await runInDurableObject(session(home), (_, state) => {
      state.storage.sql.exec("UPDATE walks SET received_at = received_at - 10000");
    });
    await lose(home);
    await inRoom(home, call_id, "team-standup");
    // By the one that was lost; and by the next one, once and once more.
    expect(await sent(home, "calling.answer")).toHaveLength(3);
  });

  test("when it was in its room is left there", async () => {
    await using home = await openContext([plain]);
    const call_id = await call(home);
    await inRoom(home, call_id, "any");
    await lose(home);
    await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main"]);
    expect((await home.carrier.call(call_id)).joins).toHaveLength(1);
    await home.carrier.hangUp(call_id);
    await expect.poll(async () => (await session(home).status()).live_placements).toBe(0);
  });
});
