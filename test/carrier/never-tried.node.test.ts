import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { neverTried, page } from "./never-tried.ts";
import { openQuestions } from "./switches/index.ts";
import type { OpenQuestion } from "./switches/open-question.ts";

test("the page on what nobody could try is as the simulator's table has it (npm run docs writes it anew)", () => {
  expect(readFileSync(page, "utf8")).toBe(neverTried());
});

const questions: Record<string, OpenQuestion> = openQuestions;

test("each open question is asked in words, says what is published and what Partyline does, and has two readings or more", () => {
  for (const [name, { question, published, partyline, readings }] of Object.entries(questions)) {
    expect(new Set(readings).size, name).toBeGreaterThan(1);
    for (const text of [question, published, partyline]) {
      expect(text.trim(), name).not.toBe("");
      expect(text, name).not.toMatch(/[.?]$/);
    }
  }
});
