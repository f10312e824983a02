import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseRuleset } from "../shared/rules/parse.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const scripts: Record<string, string> = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts;

/** What stands between a fence that begins with this word or words and its end, indented or not. */
function blocks(language: string): string[] {
  const fence = new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\`$`, "gm");
  return [...readme.matchAll(fence)].map((found) => found[1] ?? "");
}

test("every ruleset in the README is a good one, without a warning", () => {
  const rulesets = [...blocks("json ruleset"), ...blocks("json").filter((text) => text.includes('"rules"'))];
  expect(rulesets.length).toBeGreaterThan(2);
  for (const text of rulesets) {
    expect(parseRuleset(text, { tenant: "acme" })).toMatchObject({ ok: true, warnings: [] });
  }
});

test("every JSON that the README shows is JSON", () => {
  for (const text of blocks("json")) expect(() => JSON.parse(text)).not.toThrow();
});

test("every npm script that the README names is there", () => {
  const named = [...readme.matchAll(/npm (?:run )?(test|(?<=run )[a-z]+)/g)].map((found) => found[1] ?? "");
  expect(named).toContain("demo");
  expect([...new Set(named)].filter((name) => scripts[name] === undefined)).toEqual([]);
});

test("every command of partyline's that the README names is there", () => {
  const named = new Set([...readme.matchAll(/npx partyline ([a-z]+)/g)].map((found) => found[1] ?? ""));
  expect(named).toEqual(new Set(["check", "doctor", "explain", "pull", "push", "seal", "secret"]));
  const cli = readFileSync(join(root, "cli/partyline.ts"), "utf8");
  for (const name of named) expect(cli).toContain(`${name}Command()`);
});
