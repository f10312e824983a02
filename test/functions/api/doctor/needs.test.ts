import { expect, it } from "vitest";
import { needFindings } from "../../../../functions/api/doctor/needs.ts";
import { mustParse } from "../../../shared/rules/sample.ts";

const whose = (contexts: Record<string, string> = {}) => ({
  tenant: "acme",
  project: { project_id: "p-1", contexts },
});

const bridge = {
  id: "bridge",
  match: {},
  ask: { pin: { say: "PIN?", digits: "4", secret: true } },
  rules: [{ id: "member", match: { "answer.pin": { pins: true } }, place: { room: "board" } }],
};

it("the doctor says that no PIN can be right where the key is missing that they are compared by", () => {
  const ruleset = mustParse({ rules: [{ id: "all", match: {}, rules: [bridge] }] });
  expect(needFindings(ruleset, whose(), undefined)).toEqual([
    {
      check: "ruleset",
      ok: false,
      message: "The rules ask for PINs, and CREDENTIALS_KEY is not set: none can be right.",
      fix: expect.stringContaining("npx wrangler secret put CREDENTIALS_KEY"),
    },
  ]);
  expect(needFindings(ruleset, whose(), "a key")).toEqual([]);
  expect(needFindings(mustParse({ rules: [] }), whose(), undefined)).toEqual([]);
});

it("the doctor says that no call comes by RELAY where no context is the tenant's", () => {
  const ruleset = mustParse({ ways_in: ["swml", "relay"], rules: [] });
  expect(needFindings(ruleset, whose({ main: "globex" }), "a key")).toEqual([
    {
      check: "ruleset",
      ok: false,
      message:
        'The rules say that calls come by "relay", and no context of the project is this tenant\'s: none will.',
      fix: 'Write "contexts": { "<context>": "acme" } into project/p-1.',
    },
  ]);
  expect(needFindings(ruleset, whose({ main: "acme" }), "a key")).toEqual([]);
});
