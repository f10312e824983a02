import { createScheduledController, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import worker from "../../../../functions/index.ts";
import { sent, warmUp } from "../../fixture.ts";
import {
  answeredElsewhere,
  apology,
  call,
  caller,
  ended,
  heard,
  inRoom,
  lose,
  openContext,
  overflow,
  plain,
  putContexts,
  session,
  standup,
  subscribed,
} from "./context-fixture.ts";

beforeAll(warmUp);

test("a call is answered, hears its announcement, and joins: all by commands, as the rule says", async () => {
  await using home = await openContext([standup], { carrier: { speed: 2 } }, async () => {
    await worker.scheduled(createScheduledController({ cron: "*/5 * * * *" }), env);
  });
  const call_id = await call(home);
  await inRoom(home, call_id, "team-standup");
  expect(await home.carrier.call(call_id)).toMatchObject({ joined_by: "relay", documents: [], webhooks: [] });
  const sounds = await heard(home, call_id);
  expect(sounds.slice(0, 3)).toEqual(["ring", "Joining the team conference.", "music"]);
  const { longest_silence_ms } = await home.carrier.call(call_id);
  expect(longest_silence_ms).toBeLessThan(3_000);
  const { node_id } = await home.carrier.call(call_id);
  expect(await sent(home, "calling.answer")).toEqual([{ node_id, call_id }]);
  expect(await sent(home, "calling.play")).toEqual([
    {
      node_id,
      call_id,
      control_id: expect.any(String),
      play: [{ type: "tts", params: { text: "Joining the team conference." } }],
    },
  ]);
  const callback = expect.stringContaining(`https://partyline.test/hooks/${home.tenant}/`);
  expect(await sent(home, "calling.join_conference")).toEqual([
    {
      node_id,
      call_id,
      name: `${home.tenant}:team-standup`,
      beep: "onEnter",
      start_on_enter: true,
      status_callback: callback,
      status_callback_event: "start end join leave mute hold modify announcement",
      status_callback_event_type: "relay",
      status_callback_method: "POST",
      recording_status_callback: callback,
      recording_status_callback_event: "in-progress completed absent",
      recording_status_callback_event_type: "relay",
      recording_status_callback_method: "POST",
    },
  ]);
  const url = `https://partyline.test/api/tenants/${home.tenant}/calls/${call_id}`;
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` };
  const story = async () => {
    const response = await exports.default.fetch(url, { headers });
    const { happened, via } = await response.json<{ happened: Record<string, unknown>[]; via: string }>();
    expect(via).toBe("relay");
    return happened
      .map(({ what, purpose, outcome, command }) =>
        [what, purpose ?? command, outcome].filter(Boolean).join(" "),
      )
      .filter((line) => /^(webhook|command)/.test(line));
  };
  await expect
    .poll(story)
    .toEqual([
      "webhook receive announce",
      "command calling.answer",
      "command calling.play",
      "webhook place accepted",
      "command calling.join_conference",
    ]);
  // The leave of a call that RELAY put there is the end of its business, and no document's doing.
  await home.carrier.hangUp(call_id);
  await expect.poll(async () => (await session(home).status()).live_placements).toBe(0);
});

test("a call that is offered again and again is walked once", async () => {
  await using home = await openContext([plain], {
    carrier: {
      faults: [{ at: "event", match: { event_type: "calling.call.receive" }, do: { kind: "duplicate" } }],
    },
  });
  const call_id = await call(home);
  await inRoom(home, call_id, "any");
  const { node_id } = await home.carrier.call(call_id);
  const device = { type: "phone", params: { from_number: caller.from, to_number: caller.to } };
  await home.carrier.sendEvent("calling.call.receive", { call_id, node_id, context: "main", device });
  await lose(home);
  await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main"]);
  await home.carrier.sendEvent("calling.call.receive", { call_id, node_id, context: "main", device });
  const next = await call(home, "+15550100002");
  await inRoom(home, next, "any");
  const joins = await sent(home, "calling.join_conference");
  expect(joins.map((join) => join["call_id"])).toEqual([call_id, next]);
  expect(await sent(home, "calling.pass")).toEqual([]);
});

test("contexts follow the record without a reconnect, and a call on one that is gone is left to others", async () => {
  await using home = await openContext([plain]);
  await putContexts(home, { main: home.tenant, second: home.tenant });
  await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main", "second"]);
  await home.carrier.change({
    faults: [{ at: "command", match: { method: "signalwire.unreceive" }, do: { kind: "code", code: "500" } }],
  });
  await putContexts(home, { second: home.tenant });
  await expect.poll(() => sent(home, "signalwire.unreceive")).toEqual([{ contexts: ["main"] }]);
  expect(await sent(home, "signalwire.receive")).toEqual([{ contexts: ["second"] }]);
  expect(await sent(home, "signalwire.connect")).toHaveLength(1);
  const call_id = await call(home);
  await expect.poll(() => sent(home, "calling.pass")).toMatchObject([{ call_id }]);
  expect(await sent(home, "calling.answer")).toEqual([]);
});

test("a call that another client of the context was quicker to answer is left alone", async () => {
  await using home = await openContext([standup], {
    carrier: {
      faults: [{ at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "409" } }],
    },
  });
  const call_id = await call(home);
  await expect.poll(() => sent(home, "calling.answer"), { timeout: 5_000 }).toMatchObject([{ call_id }]);
  await answeredElsewhere(home, call_id);
  await expect
    .poll(
      () =>
        runInDurableObject(session(home), (_, state) =>
          state.storage.sql.exec("SELECT state FROM walks").toArray(),
        ),
      { timeout: 5_000 },
    )
    .toEqual([{ state: null }]);
  expect(await home.carrier.call(call_id)).toMatchObject({ state: "answered", joins: [] });
  expect(await sent(home, "calling.transfer")).toEqual([]);
});

test("a call that RELAY says another client controls, and that goes on ringing, is answered by a document of its own", async () => {
  await using home = await openContext([plain], {
    carrier: {
      faults: [{ at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "409" } }],
    },
  });
  const call_id = await call(home);
  await inRoom(home, call_id, "any");
});

test.each([
  ["with words before its room", standup],
  ["led straight into its room", plain],
])("a call %s whose answer is refused, though nobody else takes it, does not ring on", async (_, rule) => {
  const match = { method: "calling.answer" };
  await using home = await openContext([rule], {
    carrier: { faults: [{ at: "command", match, times: 1, do: { kind: "code", code: "409" } }] },
  });
  const call_id = await call(home);
  await inRoom(home, call_id, rule.place.room);
  expect(await sent(home, "calling.answer")).toHaveLength(2);
  expect((await home.carrier.call(call_id)).joins).toHaveLength(1);
  await heard(home, call_id);
});

describe("a call that is not let in", () => {
  test("is refused unanswered where the rule gives a reason and no words", async () => {
    await using home = await openContext([{ id: "busy", match: {}, reject: { reason: "busy" } }]);
    const call_id = await call(home);
    expect(await ended(home, call_id)).toMatchObject({ end_reason: "busy" });
    expect(await heard(home, call_id)).toEqual(["ring"]);
  });

  test("hears why where the room is full, and its coach's word where nobody is there to coach", async () => {
    await using home = await openContext([
      {
        id: "coach",
        match: { from: "+15550100009" },
        place: { room: "small", role: "coach", coach: { call_from: "+15550100007" } },
      },
      {
        id: "small",
        match: {},
        place: { room: "small", capacity: 1, overflow: overflow("reject", { say: "Full." }) },
      },
    ]);
    await inRoom(home, await call(home), "small");
    const [second, coach] = await Promise.all([call(home, "+15550100002"), call(home, "+15550100009")]);
    expect(await ended(home, second)).toMatchObject({ end_reason: "hangup" });
    expect(await heard(home, second)).toEqual(["ring", "Full."]);
    await ended(home, coach);
    expect(await heard(home, coach)).toEqual(["ring", "We are sorry. There is nobody here to coach."]);
  });

  test("is handed over to the tenant's own document", async () => {
    const voicemail = {
      version: "1.0.0",
      sections: { main: [{ answer: {} }, { play: { url: "say:Voicemail." } }, { hangup: {} }] },
    };
    await using home = await openContext(
      [{ id: "away", match: {}, hand_over: { swml: "https://voicemail.example.com/acme" } }],
      {
        intercept: async ({ url }) =>
          url.startsWith("https://voicemail.example.com/") ? Response.json(voicemail) : null,
      },
    );
    const call_id = await call(home);
    await ended(home, call_id);
    expect(await heard(home, call_id)).toEqual(["ring", "Voicemail."]);
  });

  test("hears the apology where the context's tenant is nobody's", async () => {
    await using home = await openContext([plain]);
    await putContexts(home, { main: "nobody-at-all" });
    const call_id = await call(home);
    await ended(home, call_id);
    expect(await heard(home, call_id)).toEqual(["ring", apology]);
  });
});
