import { expect, test } from "vitest";
import { FakeLeg } from "./fake-leg.ts";
import { heard, runInline } from "./fake-web.ts";

test("a prompt takes up to max_digits, one unless set, and a key stops what plays", async () => {
  const leg = new FakeLeg();
  leg.clock.at(1000, () => leg.press("42"));
  await runInline(leg, [{ answer: {} }, { prompt: { play: "https://example.com/a.mp3#seconds=30" } }]);
  expect(leg.vars).toMatchObject({ prompt_result: "match_digits", prompt_value: "4", prompt_value_raw: "4" });
  expect(heard(leg)[0]?.[3]).toBe(1000);
});

test("a terminator ends the prompt and is not part of the value", async () => {
  const leg = new FakeLeg();
  leg.clock.at(1000, () => leg.press("123#4"));
  await runInline(leg, [{ answer: {} }, { prompt: { play: "say:PIN?", max_digits: 8, terminators: "#" } }]);
  expect(leg.vars).toEqual({
    prompt_result: "match_digits",
    prompt_value: "123",
    prompt_value_raw: "123",
    prompt_digit_terminator: "#",
  });
});

test("the first key has initial_timeout after the prompt, and each next one digit_timeout", async () => {
  const leg = new FakeLeg();
  leg.clock.at(300 + 3900, () => leg.press("1"));
  leg.clock.at(300 + 3900 + 1500, () => leg.press("2"));
  const prompt = { play: "say:PIN?", max_digits: 4, initial_timeout: 4, digit_timeout: 2 };
  await runInline(leg, [{ answer: {} }, { prompt }]);
  expect(leg.vars).toMatchObject({ prompt_value: "12" });
  expect(leg.clock.now()).toBe(300 + 3900 + 1500 + 2000);
});

test("without a key the prompt says no_input, and an earlier answer is gone", async () => {
  const leg = new FakeLeg();
  Object.assign(leg.vars, { prompt_value: "1234" });
  await runInline(leg, [{ answer: {} }, { prompt: { play: "say:PIN?" } }]);
  expect(leg.vars).toEqual({ prompt_result: "no_input" });
  expect(leg.clock.now()).toBe(300 + 5000);
});

test("a prompt before answer is a violation", async () => {
  const leg = new FakeLeg();
  await runInline(leg, [{ prompt: { play: "say:PIN?" } }]);
  expect(leg.notes).toContainEqual(expect.objectContaining({ kind: "violation", step: "prompt" }));
});
