import { runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, test } from "vitest";
import { type Fixture, sent, warmUp } from "../../fixture.ts";
import { call, ended, heard, inRoom, lose, openContext, says, session } from "./context-fixture.ts";

beforeAll(warmUp);

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

  test("is heard out: its answer is the last word on the question, and not what comes before", async () => {
    await using home = await openContext([{ ...pin, ask: { pin: { ...pin.ask.pin, tries: 1 } } }]);
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    const [asked] = await sent(home, "calling.play_and_collect");
    const about = { call_id, node_id: asked?.["node_id"], control_id: asked?.["control_id"] };
    for (const part of [
      { state: "collecting" },
      { state: "collecting", result: { type: "start_of_input" } },
      { final: false, result: { type: "digit", params: { digits: "1" } } },
    ])
      await home.carrier.sendEvent("calling.call.collect", { ...about, ...part });
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    expect(await sent(home, "calling.play_and_collect")).toHaveLength(1);
  });

  test.each([
    ["a state of error", { state: "error" }],
    ["a result of error", { result: { type: "error" } }],
  ])("and of whose answer RELAY says no more than %s is asked anew, and that is no try", async (_, said) => {
    await using home = await openContext([{ ...pin, ask: { pin: { ...pin.ask.pin, tries: 1 } } }]);
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    const [asked] = await sent(home, "calling.play_and_collect");
    const about = { call_id, node_id: asked?.["node_id"], control_id: asked?.["control_id"] };
    await home.carrier.sendEvent("calling.call.collect", { ...about, ...said });
    await expect.poll(async () => (await sent(home, "calling.play_and_collect")).length).toBe(2);
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    await heard(home, call_id);
  });

  test.each([
    ["", 0],
    [" and REST fails for a moment", 2],
  ])("while RELAY is down%s is asked by a document of its own", async (_, failures) => {
    await using home = await openContext([{ ...pin, ask: { pin: { ...pin.ask.pin, tries: 1 } } }], {
      carrier: {
        speed: 2,
        faults: [
          { at: "command", match: { method: "calling.play_and_collect" }, do: { kind: "close_before" } },
          { at: "connect", do: { kind: "refuse" } },
          ...Array.from({ length: failures }, () => ({
            at: "rest" as const,
            times: 1,
            do: { kind: "code" as const, code: "500" },
          })),
        ],
      },
    });
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    const { joins, longest_silence_ms } = await home.carrier.call(call_id);
    expect(joins).toHaveLength(1);
    // Ten seconds of ours, on a clock twice as fast.
    expect(longest_silence_ms).toBeLessThan(20_000);
    await heard(home, call_id);
  });

  test.each([
    ["the answer to its transfer is late", async () => {}],
    ["the session is lost after its transfer", lose],
  ])("by a document of its own is asked once, though %s", async (_, trouble) => {
    await using home = await openContext([pin], {
      carrier: {
        speed: 1,
        faults: [
          {
            at: "command",
            match: { method: "calling.play_and_collect" },
            do: { kind: "code", code: "500" },
          },
          { at: "answer", match: { method: "calling.transfer" }, do: { kind: "delay", ms: 2_500 } },
        ],
      },
    });
    const call_id = await call(home);
    await says(home, call_id, "Enter your code.");
    await trouble(home);
    await home.carrier.digits(call_id, "1234");
    await inRoom(home, call_id, "board");
    await expect.poll(() => openCallFlows(home), { timeout: 5_000 }).toEqual([]);
    expect((await heard(home, call_id)).filter((sound) => sound === "Enter your code.")).toHaveLength(1);
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

  test.each([2_000, 30_000])(
    "and whose keys are lost, with all that RELAY says for %d ms, is asked anew within ten seconds",
    async (ms) => {
      await using home = await openContext([pin], { carrier: { speed: 1 } });
      const call_id = await call(home);
      await says(home, call_id, "Enter your code.");
      await home.carrier.sockets("silence", ms);
      await home.carrier.digits(call_id, "1234");
      const asked = async () =>
        (await heard(home, call_id)).filter((one) => one === "Enter your code.").length;
      await expect.poll(asked, { timeout: 15_000 }).toBe(2);
      await home.carrier.digits(call_id, "1234");
      await inRoom(home, call_id, "board");
      const { longest_silence_ms } = await home.carrier.call(call_id);
      expect(longest_silence_ms).toBeLessThan(10_000);
      expect(await sent(home, "calling.play_and_collect")).toHaveLength(2);
    },
    30_000,
  );
});

function openCallFlows(home: Fixture): Promise<unknown[]> {
  return runInDurableObject(session(home), (_, state) =>
    state.storage.sql.exec("SELECT call_id FROM walks WHERE state IS NOT NULL").toArray(),
  );
}
