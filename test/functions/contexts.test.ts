import { createScheduledController, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import worker from "../../functions/index.ts";
import { wakeSession } from "../../functions/scheduled.ts";
import { type House, openHouse, sent, warmUp } from "./house.ts";

type HouseSettings = Parameters<typeof openHouse>[0];

const caller = { from: "+15550100001", to: "+15550100100" };
const standup = {
  id: "standup",
  match: {},
  place: {
    room: "team-standup",
    announce: "Joining the team conference.",
    join: { beep: "onEnter", start_on_enter: true },
  },
};
const plain = { id: "any", match: {}, place: { room: "any" } };
const apology = "We are sorry. Your call cannot be connected right now. Please try again later.";

beforeAll(warmUp);

function session(home: House) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(home.carrier.project_id));
}

async function subscribed(home: House): Promise<string[]> {
  const { contexts } = await session(home).status();
  return contexts;
}

async function putContexts(home: House, contexts: Record<string, string>, wake = wakeSession): Promise<void> {
  const key = `project/${home.carrier.project_id}`;
  const record = JSON.parse((await env.DIRECTORY.get(key)) ?? "{}") as Record<string, unknown>;
  await env.DIRECTORY.put(key, JSON.stringify({ ...record, contexts }));
  await wake(env, home.carrier.project_id);
}

/** A house whose project takes the calls of the context `main`, its session up. */
async function openContext(
  rules: unknown[],
  settings: Partial<HouseSettings> = {},
  wake = wakeSession,
): Promise<House> {
  const { faults, ...carrier } = settings.carrier ?? {};
  const home = await openHouse({ ...settings, rules, carrier: { speed: 10, ...carrier } });
  await putContexts(home, { main: home.tenant }, wake);
  await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main"]);
  if (faults) await home.carrier.change({ faults });
  return home;
}

async function call(home: House, from = caller.from): Promise<string> {
  const { call_id } = await home.carrier.placeCall({ ...caller, from, context: "main" });
  return call_id;
}

async function inRoom(home: House, call_id: string, room: string): Promise<void> {
  await home.carrier.wait({
    call: { call_id, in_conference: `${home.tenant}:${room}` },
    timeout_ms: 15_000,
  });
}

async function ended(home: House, call_id: string) {
  await home.carrier.wait({ call: { call_id, state: "ended" }, timeout_ms: 15_000 });
  return await home.carrier.call(call_id);
}

function overflow(then: string, more: Record<string, unknown>): Record<string, unknown> {
  return { then, ...more };
}

/** What the caller heard, in order; the carrier's own sounds by their kind. */
async function heard(home: House, call_id: string): Promise<string[]> {
  const { heard: sounds, two_sounds } = await home.carrier.call(call_id);
  expect(two_sounds).toBe(false);
  return sounds.map(({ sound, detail }) => (sound === "say" ? detail : sound));
}

async function says(home: House, call_id: string, words: string): Promise<void> {
  await expect.poll(() => heard(home, call_id), { timeout: 10_000 }).toContain(words);
}

/** The object is gone as in a deploy or an eviction, and its alarm brings it back. */
async function lose(home: House): Promise<void> {
  await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
  await runDurableObjectAlarm(session(home));
}

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

describe("a call that is asked", () => {
  const pin = {
    id: "bridge",
    match: {},
    ask: {
      pin: { say: "Enter your code.", digits: "4", wrong: "Wrong code.", no_input: "No code.", tries: 3 },
    },
    rules: [{ id: "in", match: { "answer.pin": "1234" }, place: { room: "board" } }],
  };

  test("is asked again after nothing and after something wrong, and let in by what is right", async () => {
    await using home = await openContext([pin], { carrier: { speed: 20 } });
    const call_id = await call(home);
    await says(home, call_id, "No code.");
    await home.carrier.digits(call_id, "9999");
    await says(home, call_id, "Wrong code.");
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    const asked = await sent(home, "calling.play_and_collect");
    expect(asked).toHaveLength(3);
    expect(asked[0]).toMatchObject({
      play: [{ type: "tts", params: { text: "Enter your code." } }],
      collect: { initial_timeout: 8, digits: { max: 4, terminators: "#", digit_timeout: 4 } },
    });
    const kept = await runInDurableObject(session(home), (_, state) =>
      state.storage.sql.exec("SELECT * FROM walks").toArray(),
    );
    expect(kept).toMatchObject([{ call_id, state: null }]);
  });

  test("for a PIN is held to the same limits, and what was keyed is in no row", async () => {
    const hmac = "0".repeat(64);
    await using home = await openContext(
      [
        {
          id: "bridge",
          match: {},
          // So long that no id or time in a row is taken for one.
          ask: { pin: { say: "Enter your PIN.", digits: "10", secret: true, tries: 3 } },
          rules: [{ id: "in", match: { "answer.pin": { hmac } }, place: { room: "board" } }],
        },
      ],
      { tenant: { pin_limits: { tries_per_caller: 2 } }, carrier: { speed: 20 } },
    );
    const call_id = await call(home);
    for (const [tries, digits] of [
      [1, "8642097531"],
      [2, "9753186420"],
    ] as const) {
      await expect.poll(async () => (await sent(home, "calling.play_and_collect")).length).toBe(tries);
      await home.carrier.digits(call_id, digits);
    }
    await ended(home, call_id);
    expect((await heard(home, call_id)).at(-1)).toContain("too many wrong entries");
    const kept = await runInDurableObject(session(home), (_, state) => {
      const tables = state.storage.sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
        )
        .toArray();
      return JSON.stringify(
        tables.map(({ name }) => state.storage.sql.exec(`SELECT * FROM ${name}`).toArray()),
      );
    });
    expect(kept).toContain(call_id);
    expect(kept).not.toMatch(/8642097531|9753186420/);
  });

  test("while RELAY is down is asked by a document of its own", async () => {
    await using home = await openContext([{ ...pin, ask: { pin: { ...pin.ask.pin, tries: 1 } } }], {
      carrier: {
        speed: 2,
        faults: [
          { at: "command", match: { method: "calling.play_and_collect" }, do: { kind: "close_before" } },
          { at: "connect", do: { kind: "refuse" } },
        ],
      },
    });
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    expect((await home.carrier.call(call_id)).joins).toHaveLength(1);
    await heard(home, call_id);
  });

  test.each(["404", "410"])(
    "and lives, though RELAY answers %s, is answered by REST and asked by a document",
    async (code) => {
      await using home = await openContext([pin], {
        carrier: {
          speed: 2,
          faults: ["calling.answer", "calling.play_and_collect"].map((method) => ({
            at: "command" as const,
            match: { method },
            do: { kind: "code" as const, code },
          })),
        },
      });
      const call_id = await call(home);
      await says(home, call_id, "Enter your code.");
      await home.carrier.digits(call_id, "1234");
      await inRoom(home, call_id, "board");
      await heard(home, call_id);
    },
  );

  test("by one session, and by the next can't be, is asked by a document", async () => {
    await using home = await openContext([pin], { carrier: { speed: 2 } });
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    const match = { method: "calling.play_and_collect" };
    await home.carrier.change({ faults: [{ at: "command", match, do: { kind: "code", code: "500" } }] });
    await lose(home);
    await expect.poll(async () => (await home.carrier.call(call_id)).webhooks.length).toBeGreaterThan(0);
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    await heard(home, call_id);
  });

  test("while the session is lost is asked anew, and that is no try", async () => {
    await using home = await openContext([{ ...pin, ask: { pin: { ...pin.ask.pin, tries: 1 } } }]);
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    await lose(home);
    await expect.poll(async () => (await sent(home, "calling.play_and_collect")).length).toBe(2);
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    await heard(home, call_id);
  });
});

test("a call that another client of the context was quicker to answer is left alone", async () => {
  await using home = await openContext([standup], {
    carrier: {
      faults: [{ at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "409" } }],
    },
  });
  const call_id = await call(home);
  await expect.poll(() => sent(home, "calling.answer")).toHaveLength(1);
  await expect
    .poll(() =>
      runInDurableObject(session(home), (_, state) =>
        state.storage.sql.exec("SELECT state FROM walks").toArray(),
      ),
    )
    .toEqual([{ state: null }]);
  expect(await home.carrier.journal({ kind: "rest" })).toEqual([]);
  expect(await home.carrier.call(call_id)).toMatchObject({ state: "ringing" });
});

test("a call that another client answered stands in no line of ours: nobody fetches it from there", async () => {
  const place = { room: "small", capacity: 1, overflow: overflow("wait", { say: "Nobody came free." }) };
  await using home = await openContext([{ id: "small", match: {}, place }]);
  const first = await call(home);
  await inRoom(home, first, "small");
  await home.carrier.change({
    faults: [{ at: "command", match: { method: "calling.answer" }, do: { kind: "code", code: "409" } }],
  });
  await call(home, "+15550100002");
  await expect
    .poll(() =>
      runInDurableObject(session(home), (_, state) =>
        state.storage.sql
          .exec(
            "SELECT placements.state FROM placements JOIN walks USING (call_id) WHERE walks.state IS NULL AND wait IS NOT NULL",
          )
          .toArray(),
      ),
    )
    .toEqual([{ state: "failed" }]);
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

test("a call that waits for a seat hears music and its place, and comes in when its turn has come", async () => {
  await using home = await openContext([
    {
      id: "small",
      match: {},
      place: {
        room: "small",
        capacity: 1,
        overflow: overflow("wait", { say: "Nobody came free." }),
        wait: { music: "https://sounds.example.com/hold.mp3#seconds=20", position: true },
      },
    },
  ]);
  const first = await call(home);
  await inRoom(home, first, "small");
  const [second, third] = [await call(home, "+15550100002"), await call(home, "+15550100003")];
  await says(home, second, "You are number 1 in line.");
  await says(home, third, "You are number 2 in line.");
  await home.carrier.hangUp(first);
  await inRoom(home, second, "small");
  await lose(home);
  await expect.poll(() => subscribed(home), { timeout: 5_000 }).toEqual(["main"]);
  await home.carrier.hangUp(second);
  await inRoom(home, third, "small");
  for (const call_id of [second, third]) {
    expect((await home.carrier.call(call_id)).joins).toHaveLength(1);
    expect((await heard(home, call_id)).slice(0, 2)).toEqual(["ring", expect.stringContaining("in line")]);
  }
});

describe("a call that stands in its line", () => {
  const desk = {
    id: "desk",
    match: {},
    place: {
      room: "desk",
      capacity: 1,
      overflow: overflow("wait", {}),
      wait: { music: "https://example.com/music.mp3#seconds=600" },
    },
  };

  /** Somebody in the only seat, and somebody who hears music. */
  async function open(): Promise<{ home: House; seated: string; waiter: string }> {
    const home = await openContext([desk]);
    const seated = await call(home);
    await inRoom(home, seated, "desk");
    const waiter = await call(home, "+15550100002");
    await home.carrier.wait({ call: { call_id: waiter, heard: { sound: "audio", contains: "music.mp3" } } });
    return { home, seated, waiter };
  }

  test("takes no music into the room where nobody answers that it is stopped", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await home.carrier.change({
      faults: [
        { at: "command", match: { method: "calling.play.stop" }, do: { kind: "drop_socket" } },
        { at: "rest", times: 1, do: { kind: "code", code: "500" } },
      ],
    });
    await home.carrier.hangUp(seated);
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
  });

  test("takes no music into the room where RELAY does not find the call whose music it is to stop", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await home.carrier.change({
      faults: [{ at: "command", match: { method: "calling.play.stop" }, do: { kind: "code", code: "404" } }],
    });
    await home.carrier.hangUp(seated);
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
  });

  test("is led in by the session that comes after the one that vanished, and the music ends first", async () => {
    const { home: opened, seated, waiter } = await open();
    await using home = opened;
    await runInDurableObject(session(home), (_, state) => state.abort("lost")).catch(() => {});
    await home.carrier.hangUp(seated);
    // Somebody asks for a seat, and so finds that the other has gone, before anybody takes the walk up again.
    await home.carrier.placeCall({ ...caller, from: "+15550100003", url: home.webhook_url });
    await runDurableObjectAlarm(session(home));
    await inRoom(home, waiter, "desk");
    await heard(home, waiter);
  });
});

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

  test("for whom neither RELAY's join nor a transfer works hears the apology", async () => {
    const no = { kind: "code", code: "500" } as const;
    await using home = await openContext([plain], {
      carrier: {
        faults: [
          { at: "command", match: { method: "calling.join_conference" }, do: no },
          { at: "command", match: { method: "calling.transfer" }, do: no },
          { at: "rest", do: no },
        ],
      },
    });
    const call_id = await call(home);
    await ended(home, call_id);
    expect(await heard(home, call_id)).toEqual(["ring", apology]);
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
