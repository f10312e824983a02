import { runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, test } from "vitest";
import { type Fixture, openFixture, warmUp } from "./fixture.ts";
import { callFrom, session } from "./waiting-room-fixture.ts";

beforeAll(warmUp);

const pair = { id: "pair", match: {}, place: { room: "pair", join: { max_participants: 2 } } };

async function seen(home: Fixture, question: string): Promise<unknown[]> {
  return await runInDurableObject(session(home), (_, { storage }) =>
    storage.sql
      .exec("SELECT reading FROM observations WHERE question = ?", question)
      .toArray()
      .map(({ reading }) => reading),
  );
}

test.each(["calling.error", "code", "silence", "hang_up"] as const)(
  "a project on which RELAY's join of a full conference fails by %s shows so",
  async (join_when_full) => {
    const switches = { join_when_full, call_state_events_of_webhook_calls: true };
    await using home = await openFixture({ rules: [pair], carrier: { speed: 5, switches } });
    for (const from of ["+15550100201", "+15550100202"]) {
      const call_id = await callFrom(home, from);
      await home.carrier.wait({
        call: { call_id, in_conference: `${home.tenant}:pair` },
        timeout_ms: 10_000,
      });
      const told = { status: "participant-join", call_id };
      await home.carrier.wait({ journal: { kind: "conference", contains: told }, timeout_ms: 10_000 });
    }
    expect(await seen(home, "join_when_full")).toEqual([]);
    await callFrom(home, "+15550100203");
    await expect.poll(() => seen(home, "join_when_full"), { timeout: 15_000 }).toEqual([join_when_full]);
  },
);

test.each([
  [0, "false"],
  [400, "true"],
] as const)(
  "a project on which a call is answered %i ms after RELAY says so shows whether that is too late for the next command",
  async (answer_is_async, reading) => {
    await using home = await openFixture({
      rules: [pair],
      carrier: { speed: 5, switches: { answer_is_async } },
    });
    await callFrom(home, "+15550100201");
    await expect.poll(() => seen(home, "answer_is_async"), { timeout: 10_000 }).toEqual([reading]);
  },
);
