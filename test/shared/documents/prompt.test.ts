import { expect, test } from "vitest";
import { promptDocument } from "../../../shared/documents/prompt.ts";
import type { Spoken } from "../../../shared/rules/decision.ts";

const question = { name: "pin", min_digits: 4, max_digits: 4, secret: true, try: 1 };
const back = { dest: "https://partyline.example.com/hooks/acme/swml", params: {}, sealed: "v1" };

function stepsOf(...words: [Spoken, ...Spoken[]]): unknown[] {
  const { sections } = promptDocument({ ...question, words }, back);
  return sections.main.flatMap((step) => ("prompt" in step || "play" in step ? [step] : []));
}

test("a key ends the words before the question too, where these are spoken as the question is", () => {
  expect(
    stepsOf({ say: "Wrong." }, { play: "https://example.com/a.mp3" }, { say: "Your PIN?" }),
  ).toMatchObject([{ prompt: { play: ["say:Wrong.", "https://example.com/a.mp3", "say:Your PIN?"] } }]);
});

test("words in a voice of their own are played before the question", () => {
  const own = { say: "Falsch.", language: "de-DE" };
  const after = { play: "https://example.com/a.mp3" };
  expect(stepsOf({ say: "Hello." }, own, after, { say: "Your PIN?", voice: "v" })).toMatchObject([
    { play: { url: "say:Hello." } },
    { play: { url: "say:Falsch.", say_language: "de-DE" } },
    { prompt: { play: ["https://example.com/a.mp3", "say:Your PIN?"], say_voice: "v" } },
  ]);
});

test("one question alone is one URL, which every version of SWML's schema takes", () => {
  expect(stepsOf({ say: "Your PIN?" })).toMatchObject([{ prompt: { play: "say:Your PIN?" } }]);
});
