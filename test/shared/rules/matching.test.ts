import { describe, expect, test } from "vitest";
import { callWith, decideFor } from "./sample.ts";

type Changes = Parameters<typeof callWith>[0];

const ruleFor = (match: object, changes: Changes = {}) =>
  decideFor({ rules: [{ id: "one", match, place: { room: "one" } }] }, callWith(changes));
const holds = (match: object, changes: Changes = {}) => ruleFor(match, changes).rule === "one";

describe("callers", () => {
  test.each([
    "",
    "anonymous",
    "Anonymous",
    "RESTRICTED",
    "sip:anonymous@anonymous.invalid",
    "sip:alice@anonymous.invalid",
  ])("who withhold their number as %j are anonymous", (from) => {
    expect(holds({ from: "anonymous" }, { from })).toBe(true);
  });

  test("who show it are not", () => {
    expect(holds({ from: "anonymous" })).toBe(false);
    expect(holds({ from: "anonymous" }, { from: "sip:alice@example.com" })).toBe(false);
  });
});

describe("headers, params and vars", () => {
  test("are there or not, whatever they say", () => {
    const call = { headers: { "x-site": [""] }, params: { a: { b: 1 } }, vars: { c: "x" } };
    expect(holds({ headers: { "X-Site": { present: true } } }, call)).toBe(true);
    expect(holds({ headers: { "X-Site": { present: false } } }, call)).toBe(false);
    expect(holds({ headers: { "X-Tier": { present: false } }, vars: { c: { present: true } } }, call)).toBe(
      true,
    );
    expect(ruleFor({ headers: { "X-Tier": { present: true } } }, call).looked_at[0]?.findings[0]?.why).toBe(
      'there is no header "x-tier"',
    );
  });

  test.each([
    ["hq-*", "hq-", true],
    ["hq-*", "Hq-1", false],
    ["*-hq", "a-hq", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    ["ab*ba", "aba", false],
    ["*", "", true],
  ])("%s as a pattern, against %s: %s", (pattern, value, fits) => {
    expect(holds({ headers: { "x-site": pattern } }, { headers: { "x-site": [value] } })).toBe(fits);
    expect(holds({ vars: { site: ["no", pattern] } }, { vars: { site: value } })).toBe(fits);
  });

  test("a hostile text takes no longer than it is long", () => {
    const value = `${"a".repeat(200_000)}b`;
    expect(holds({ headers: { a: "*a*a*a*a*a*a*c" } }, { headers: { a: [value] } })).toBe(false);
  });
});

test("not opposes a whole match, and says which part of it failed", () => {
  const match = { not: { direction: "inbound", from: "+1444*" } };
  const decision = ruleFor(match);
  expect(decision.rule).toBe("one");
  expect(decision.looked_at[0]?.findings[0]).toEqual({
    field: "not",
    holds: true,
    why: 'from: "+15550100001" does not fit "+1444*"',
  });
  expect(ruleFor(match, { from: "+14440100001" }).looked_at[0]?.findings[0]).toEqual({
    field: "not",
    holds: false,
    why: 'from: "+14440100001" fits "+1444*"; direction: "inbound" is "inbound"',
  });
});

describe("a group", () => {
  const rules = [
    {
      id: "us",
      match: { to: "+1555*" },
      rules: [
        { id: "gold", match: { headers: { "x-tier": "gold" } }, place: { room: "gold" } },
        { id: "sip", match: { type: "sip" }, rules: [{ id: "deep", match: {}, place: { room: "deep" } }] },
      ],
    },
    { id: "after", match: {}, place: { room: "after" } },
  ];

  test("is entered where its match holds, and left again where none of its rules does", () => {
    expect(decideFor({ rules }, callWith({ headers: { "x-tier": ["gold"] } })).rule).toBe("gold");
    expect(decideFor({ rules }, callWith({ type: "sip" })).rule).toBe("deep");
    expect(decideFor({ rules }, callWith({ type: "sip", to: "+14440100100" })).rule).toBe("after");
    const { rule, looked_at } = decideFor({ rules }, callWith());
    expect(rule).toBe("after");
    expect(looked_at.map((look) => [look.rule, look.entered ?? false, look.matched])).toEqual([
      ["us", true, false],
      ["gold", false, false],
      ["sip", false, false],
      ["after", false, true],
    ]);
  });

  test("costs what its rules cost that could match, and none where its number is another's", () => {
    const groups = Array.from({ length: 100 }, (_, group) => ({
      id: `g${group}`,
      match: { to: `+15550${group + 100}*` },
      rules: Array.from({ length: 100 }, (_, index) => ({
        id: `g${group}-${index}`,
        match: { from: `+1555${index + 100}0001` },
        place: { room: "room" },
      })),
    }));
    const call = callWith({ to: "+155501500001", from: "+15551990001" });
    expect(decideFor({ rules: groups }, call).looked_at.map((look) => look.rule)).toEqual(["g50", "g50-99"]);
  });
});
