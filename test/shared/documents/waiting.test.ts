import { describe, expect, test } from "vitest";
import type { Waiting } from "../../../shared/documents/next.ts";
import { render } from "../../../shared/documents/render.ts";
import { returnDocument, waitingDocument } from "../../../shared/documents/waiting.ts";
import { writeSwml } from "../../../shared/documents/write-swml.ts";

const dest = "https://partyline.example.com/hooks/acme/swml";
const waiting: Waiting = {
  does: "wait",
  for: "seat",
  poll: { dest: `${dest}?poll=1`, params: { tier: "gold" }, sealed: "cG9sbA" },
  turn: { dest, params: { tier: "gold" }, sealed: "dHVybg" },
  otherwise: { does: "reject" },
};

/** How often the call may come back before the rest of its way would run out of transfers. */
const COMES_BACK = 28;

describe("the document that waits", () => {
  test("plays, asks, and comes only when it is told to", () => {
    const { sections } = waitingDocument({ ...waiting, music: "https://example.com/music.mp3" });
    expect(sections["slot"]).toEqual([
      { play: { url: "https://example.com/music.mp3" } },
      { execute: { dest: `${dest}?poll=1`, params: { tier: "gold", partyline: "cG9sbA" } } },
      {
        switch: {
          variable: "return_value",
          case: { come: [{ transfer: { dest, params: { tier: "gold", partyline: "dHVybg" } } }] },
          default: [{ return: "stay" }],
        },
      },
    ]);
  });

  test("says the words of arrival and the place in the line first, and comes back when it has run out", () => {
    const position = { say: "Sie sind Nummer 3.", language: "de-DE", voice: "Vicki" };
    const { main } = waitingDocument({ ...waiting, announce: { say: "Please hold." }, position }).sections;
    expect(main.slice(0, 4)).toEqual([
      { answer: {} },
      { play: { url: "say:Please hold." } },
      { play: { url: "say:Sie sind Nummer 3.", say_language: "de-DE", say_voice: "Vicki" } },
      { execute: { dest: "slot" } },
    ]);
    expect(main.at(-1)).toMatchObject({ transfer: { params: { partyline: "dHVybg" } } });
  });

  test("rings where there is no music, and two hours of that cost one transfer", () => {
    const { main, slot } = waitingDocument(waiting).sections;
    expect(slot?.[0]).toEqual({ play: { url: "ring:20:us" } });
    const slots = main.filter((step) => "execute" in step).length;
    expect(Math.ceil((2 * 3_600) / (slots * 20)) - 1).toBe(1);
    // Music of two seconds, again and again, for two hours: still within what a call may transfer.
    expect(Math.ceil((2 * 3_600) / (slots * 2)) - 1).toBeLessThan(COMES_BACK);
  });

  test("forgets what was keyed and keeps its music", () => {
    const { main, slot } = writeSwml(waiting, true).sections;
    expect(main[0]).toMatchObject({ unset: expect.arrayContaining(["prompt_value"]) });
    expect(slot).toEqual(waitingDocument(waiting).sections["slot"]);
  });

  test("is small: the music's address and our state are in it once or twice, however long the wait", () => {
    const sealed = "x".repeat(4096);
    const document = waitingDocument({
      ...waiting,
      poll: { ...waiting.poll, sealed },
      turn: { ...waiting.turn, sealed },
    });
    expect(render(document).body.length).toBeLessThan(24_000);
  });
});

test("a poll is answered with its place in the line, and with what to do", () => {
  expect(returnDocument("stay", { say: "You are number 2 in line." }).sections.main).toEqual([
    { play: { url: "say:You are number 2 in line." } },
    { return: "stay" },
  ]);
  expect(returnDocument("come").sections.main).toEqual([{ return: "come" }]);
});
