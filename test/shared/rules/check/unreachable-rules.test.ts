import { describe, expect, test } from "vitest";
import { warningsOf } from "../readings.ts";

const to = "+15550100100";
const room = { place: { room: "a" } };

describe("rules that can never match", () => {
  const shadowed = (first: object, second: object, more: object = {}) =>
    warningsOf({
      ...more,
      rules: [
        { id: "first", match: {}, ...room, ...first },
        { id: "second", match: {}, ...room, ...second },
      ],
    }).filter((warning) => warning.includes("never matches"));
  const message = 'rules[1]: never matches: "first" (rules[0]) takes every call that it would';

  test.each([
    ["after one for every call", {}, { to }],
    ["after the same", { to }, { to }],
    ["after a prefix", { to: "+1555*" }, { to: [to, "+15550*"] }],
    ["after a SIP host", { from: "sip:*@example.com" }, { from: "sip:a@EXAMPLE.com" }],
    ["after a list that has it", { to: { list: "ours" } }, { to, from: "+1555*" }],
    ["after a glob", { headers: { "X-Site": "hq-*" } }, { headers: { "x-site": ["hq-1", "hq-*-b"] } }],
    ["after a header's presence", { headers: { a: { present: true } } }, { headers: { a: "1" } }],
    ["after a wider not", { not: { to } }, { not: { to: "+1555*" } }],
    ["after the same expression", { when: "tenant == 'a'" }, { to, when: "tenant == 'a'" }],
  ])("%s are warned of", (_, first, second) => {
    expect(shadowed({ match: first }, { match: second }, { lists: { ours: [to, "+15550100101"] } })).toEqual([
      message,
    ]);
  });

  test.each([
    ["after a narrower one", { to, from: "+1555*" }, { to }],
    ["after an expression", { when: "true" }, { to }],
    ["after another field", { from: to }, { to }],
    ["after a narrower not", { not: { to: "+1555*" } }, { not: { to } }],
    ["after an absent header", { headers: { a: { present: false } } }, { headers: { a: "1" } }],
  ])("%s are not", (_, first, second) => {
    expect(shadowed({ match: first }, { match: second })).toEqual([]);
  });

  test("an earlier rule that may not be filled in takes nothing for sure", () => {
    expect(shadowed({ place: { room: "{param.x}" } }, { match: { to } })).toEqual([]);
    const swml = "https://example.com/a";
    const source = (hand_over: object) => ({
      rules: [
        { id: "first", match: {}, hand_over },
        { id: "second", match: { to }, ...room },
      ],
    });
    expect(warningsOf(source({ swml }))).toEqual([]);
    expect(warningsOf(source({ swml, cxml: swml }))).toEqual([message]);
  });

  test("a group's match counts for its rules, and one that asks lets no call past it", () => {
    const inner = { id: "inner", match: { from: "+1555*" }, ...room };
    const rules = [
      { id: "first", match: { to, from: "+1555*" }, ...room },
      { id: "group", match: { to }, rules: [inner] },
    ];
    expect(warningsOf({ rules })).toEqual([
      'rules[1].rules[0]: never matches: "first" (rules[0]) takes every call that it would',
    ]);
    const ask = { pin: { say: "PIN?", digits: "4" } };
    const asking = [
      { id: "asks", match: { to }, ask, rules: [inner] },
      { id: "after", match: { to }, ...room },
    ];
    expect(warningsOf({ rules: asking })).toEqual([
      'rules[1]: never matches: "asks" (rules[0]) takes every call that it would',
    ]);
  });

  test("of very many fifty are named", () => {
    const rules = Array.from({ length: 200 }, (_, index) => ({ id: `r${index}`, match: {}, ...room }));
    const warnings = warningsOf({ rules });
    expect(warnings).toHaveLength(50);
    expect(warnings.at(-1)).toMatch(/; there may be more$/);
  });
});
