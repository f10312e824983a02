import { beforeAll, describe, expect, test } from "vitest";
import { type Fixture, warmUp } from "./fixture.ts";
import { openContext } from "./session/calls/context-fixture.ts";

beforeAll(warmUp);

/** Two questions, each with one try. */
const meeting = {
  id: "bridge",
  match: { to: "+15550100101" },
  ask: {
    number: { say: "Which meeting?", digits: "4", tries: 1, goodbye: "No meeting." },
    pin: { say: "Which PIN?", digits: "4", tries: 1, goodbye: "No PIN." },
  },
  rules: [{ id: "in", match: { "answer.number": "1234", "answer.pin": "5678" }, place: { room: "board" } }],
};
/** One question with two tries. */
const door = {
  id: "door",
  match: { to: "+15550100102" },
  ask: { pin: { say: "Which PIN?", digits: "4", tries: 2, goodbye: "No PIN." } },
  rules: [{ id: "open", match: { "answer.pin": "5678" }, place: { room: "board" } }],
};

/** A PIN, or nothing; before it, or not, a number that a # may be left over of. */
const all = (to: string, before: object) => ({
  id: "all",
  match: { to },
  ask: {
    ...before,
    pin: { say: "Your PIN, or pound.", digits: "0-6", secret: true, tries: 1, goodbye: "No PIN." },
  },
  rules: [
    { id: "chair", match: { "answer.pin": { hmac: "0".repeat(64) } }, place: { room: "board" } },
    { id: "listener", match: { "answer.pin": { none: true } }, place: { room: "board", role: "listener" } },
  ],
});

async function call(home: Fixture, way: string, to: string): Promise<string> {
  const where =
    way === "context"
      ? { context: "main" }
      : way === "cxml"
        ? { cxml_url: home.webhook_url.replace(/swml$/, "cxml") }
        : { url: home.webhook_url };
  return (await home.carrier.placeCall({ from: "+15550100001", to, ...where })).call_id;
}

async function hears(home: Fixture, call_id: string, words: string): Promise<void> {
  await home.carrier.wait({
    call: { call_id, heard: { sound: "say", contains: words } },
    timeout_ms: 10_000,
  });
}

async function comesIn(home: Fixture, call_id: string): Promise<void> {
  await home.carrier.wait({ call: { call_id, in_conference: `${home.tenant}:board` }, timeout_ms: 10_000 });
}

describe.each(["swml", "cxml", "context"])(
  "a # after an answer that was long enough without it (%s)",
  (way) => {
    test("is no answer to the next question, and costs no try", async () => {
      await using home = await openContext([meeting]);
      const call_id = await call(home, way, "+15550100101");
      await hears(home, call_id, "Which meeting?");
      await home.carrier.digits(call_id, "1234#");
      await hears(home, call_id, "Which PIN?");
      await home.carrier.digits(call_id, "5678#");
      await comesIn(home, call_id);
      expect(JSON.stringify((await home.carrier.call(call_id)).heard)).not.toContain("We did not hear");
    });

    test("may be keyed ahead with all the rest", async () => {
      await using home = await openContext([meeting]);
      const call_id = await call(home, way, "+15550100101");
      await hears(home, call_id, "Which meeting?");
      await home.carrier.digits(call_id, "1234#5678#");
      await comesIn(home, call_id);
    });

    test("is no second try after a wrong answer", async () => {
      await using home = await openContext([door]);
      const call_id = await call(home, way, "+15550100102");
      await hears(home, call_id, "Which PIN?");
      await home.carrier.digits(call_id, "9999#5678#");
      await comesIn(home, call_id);
    });

    test("is left over once: another is an empty answer", async () => {
      await using home = await openContext([meeting]);
      const call_id = await call(home, way, "+15550100101");
      await hears(home, call_id, "Which meeting?");
      await home.carrier.digits(call_id, "1234##");
      await hears(home, call_id, "No PIN.");
    });
  },
);

describe.each(["swml", "cxml", "context"])("a # alone where a question takes no digits, too (%s)", (way) => {
  test("is an answer: the rule that takes nothing has the caller", async () => {
    await using home = await openContext([all("+15550100103", {})]);
    const call_id = await call(home, way, "+15550100103");
    await hears(home, call_id, "Your PIN, or pound.");
    await home.carrier.digits(call_id, "#");
    await comesIn(home, call_id);
    expect(JSON.stringify((await home.carrier.call(call_id)).heard)).not.toContain("We did not hear");
  });

  test("is none while it may be left over of the answer before, and is one when keyed again", async () => {
    const number = { say: "Which meeting?", digits: "4", tries: 1 };
    await using home = await openContext([all("+15550100104", { number })]);
    const call_id = await call(home, way, "+15550100104");
    await hears(home, call_id, "Which meeting?");
    await home.carrier.digits(call_id, "1234##");
    await comesIn(home, call_id);
  });
});
