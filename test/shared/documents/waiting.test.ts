import { describe, expect, test } from "vitest";
import { render } from "../../../shared/documents/render.ts";
import type { Waiting } from "../../../shared/documents/step.ts";
import { returnDocument, waitingDocument } from "../../../shared/documents/waiting.ts";
import { writeSwml } from "../../../shared/documents/write-swml.ts";

const dest = "https://partyline.example.com/hooks/acme/swml";
const waiting: Waiting = {
  does: "wait",
  for: "seat",
  poll: { dest: `${dest}?poll=1`, params: { tier: "gold" }, sealed: "cG9sbA" },
  turn: { dest, params: { tier: "gold" }, sealed: "dHVybg" },
  otherwise: { does: "reject" },
  rounds: 5,
  round_s: 60,
};

describe("the document that waits", () => {
  test("plays, asks, and comes only when it is told to", () => {
    const { main, come } = waitingDocument({
      ...waiting,
      music: "https://example.com/music.mp3",
      rounds: 1,
    }).sections;
    expect(main).toEqual([
      { answer: {} },
      { play: { url: "https://example.com/music.mp3" } },
      { execute: { dest: `${dest}?poll=1`, params: { tier: "gold", partyline: "cG9sbA" } } },
      {
        switch: {
          variable: "return_value",
          case: { come: [{ transfer: { dest: "come" } }] },
          default: [{ sleep: 1 }],
        },
      },
      { transfer: { dest, params: { tier: "gold", partyline: "dHVybg" } } },
    ]);
    expect(come).toEqual([{ transfer: { dest, params: { tier: "gold", partyline: "dHVybg" } } }]);
  });

  test("says the words of arrival and the place in the line first, and comes back when it has run out", () => {
    const position = { say: "Sie sind Nummer 3.", language: "de-DE", voice: "Vicki" };
    const { main } = waitingDocument({ ...waiting, announce: { say: "Please hold." }, position }).sections;
    expect(main.slice(0, 3)).toEqual([
      { answer: {} },
      { play: { url: "say:Please hold." } },
      { play: { url: "say:Sie sind Nummer 3.", say_language: "de-DE", say_voice: "Vicki" } },
    ]);
    expect(main.at(-1)).toMatchObject({ transfer: { params: { partyline: "dHVybg" } } });
  });

  test("asks once a round, and rings or plays for about as long as a round is to last", () => {
    const rings = waitingDocument(waiting).sections.main;
    expect(rings[1]).toEqual({ play: { urls: ["ring:20:us", "ring:20:us", "ring:20:us"] } });
    expect(rings.filter((step) => "execute" in step)).toHaveLength(waiting.rounds);
    const music = "https://example.com/music.mp3";
    expect(waitingDocument({ ...waiting, music, music_s: 12 }).sections.main[1]).toEqual({
      play: { urls: [music, music, music, music, music] },
    });
    expect(waitingDocument({ ...waiting, music, music_s: 300 }).sections.main[1]).toEqual({
      play: { url: music },
    });
  });

  test("forgets what was keyed and keeps its music", () => {
    const { main } = writeSwml(waiting, true).sections;
    expect(main[0]).toMatchObject({ unset: expect.arrayContaining(["prompt_value"]) });
    expect(main[2]).toEqual(waitingDocument(waiting).sections.main[1]);
  });

  test("is small, however long the wait", () => {
    const sealed = "x".repeat(4096);
    const document = waitingDocument({
      ...waiting,
      music: "https://example.com/music.mp3",
      music_s: 1,
      round_s: 3_600,
      poll: { ...waiting.poll, sealed },
      turn: { ...waiting.turn, sealed },
    });
    expect(render(document).body.length).toBeLessThan(48_000);
  });
});

test("a poll is answered with its place in the line, and with what to do", () => {
  expect(returnDocument("stay", { say: "You are number 2 in line." }).sections.main).toEqual([
    { play: { url: "say:You are number 2 in line." } },
    { return: "stay" },
  ]);
  expect(returnDocument("come").sections.main).toEqual([{ return: "come" }]);
});
