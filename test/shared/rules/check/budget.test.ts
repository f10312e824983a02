import { describe, expect, test } from "vitest";
import type { Call } from "../../../../shared/call.ts";
import { parseRuleset } from "../../../../shared/rules/check/parse.ts";
import { compileRuleset } from "../../../../shared/rules/compile/compile.ts";
import { decide, explain } from "../../../../shared/rules/decide.ts";
import { errorsOf, withMatch, withRule } from "../readings.ts";
import { acme, callWith, decideFor } from "../sample.ts";

const many = (count: number, ruleOf: (index: number) => object) =>
  Array.from({ length: count }, (_, index) => ({
    id: `r${index}`,
    match: {},
    place: { room: "room" },
    ...ruleOf(index),
  }));
const texts = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`);
const nested = (depth: number): unknown => (depth === 0 ? "x" : [nested(depth - 1)]);

/** As the Worker reads what stands in KV. */
function served(source: unknown) {
  const parsed = parseRuleset(source, { ...acme, serving: true });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return compileRuleset(parsed.ruleset, { ...acme, hash: "5ha256" });
}

describe("a value that a rule reads", () => {
  const fallback = { place: { room: "lobby" } };
  const after = { id: "after", match: {}, place: { room: "after" } };
  const reading = (match: object, changes: Partial<Call>) =>
    decideFor(
      { rules: [{ id: "reads", match, reject: { reason: "busy" } }, after], fallback },
      callWith(changes),
    );

  test.each<[string, object, Partial<Call>, Partial<Call>]>([
    [
      "params.a",
      { params: { a: "x" } },
      { params: { a: "y".repeat(4_096) } },
      { params: { a: "y".repeat(4_097) } },
    ],
    [
      "vars.a",
      { vars: { a: "*x*" } },
      { vars: { a: "y".repeat(4_096) } },
      { vars: { a: "y".repeat(4_097) } },
    ],
    [
      "headers.a",
      { headers: { A: "x" } },
      { headers: { a: ["y".repeat(4_096)] } },
      { headers: { a: ["y".repeat(4_096), "y"] } },
    ],
    ["headers.a", { headers: { A: "x" } }, { headers: { a: texts(16) } }, { headers: { a: texts(17) } }],
    ["from", { from: "+1*" }, { from: "y".repeat(4_096) }, { from: "y".repeat(4_097) }],
    ["from", { when: "call.from == 'x'" }, { from: "y".repeat(4_096) }, { from: "y".repeat(4_097) }],
    [
      "headers.a",
      { when: "call.headers['a'] == 'x'" },
      { headers: { a: ["y", "y".repeat(9_999)] } },
      { headers: { a: ["y".repeat(4_097)] } },
    ],
    [
      "params.a",
      { when: "'q' in params.a" },
      { params: { a: texts(1_000) } },
      { params: { a: texts(1_001) } },
    ],
    [
      "params.a",
      { when: "params.a.exists(t, t == 'q')" },
      { params: { a: texts(1_000) } },
      { params: { a: texts(1_001) } },
    ],
    ["params.a", { when: "params.a == 'x'" }, { params: { a: nested(8) } }, { params: { a: nested(9) } }],
    [
      "params.a",
      { when: "'q' in params.a" },
      { params: { a: Object.fromEntries(texts(1_000).map((key) => [key, 1])) } },
      { params: { a: Object.fromEntries(texts(1_001).map((key) => [key, 1])) } },
    ],
    [
      "params.a",
      { when: "params.a == 'x'" },
      { params: { a: Array(10).fill(texts(499)) } },
      { params: { a: Array(10).fill(texts(500)) } },
    ],
    [
      "params.a",
      { when: "params.a == 'x'" },
      { params: { a: Array(16).fill("y".repeat(4_096)) } },
      { params: { a: Array(17).fill("y".repeat(4_096)) } },
    ],
    [
      "params.a.b",
      { when: "params.a.b == 'x'" },
      { params: { a: { b: "y", c: texts(1_001) } } },
      { params: { a: { b: texts(1_001) } } },
    ],
    [
      "params",
      { when: "params[call.type] == 'x'" },
      { params: { b: "y" } },
      { params: { b: "y".repeat(4_097) } },
    ],
    [
      "params.a",
      { not: { when: "params.a != 'x'" } },
      { params: { a: "y" } },
      { params: { a: "y".repeat(4_097) } },
    ],
  ])("may be as large as it is allowed: %s in %j", (what, match, largest, larger) => {
    expect(reading(match, largest)).toMatchObject({ rule: "after", rooms: ["after"] });
    expect(reading(match, largest).over_budget).toBeUndefined();
    const decision = reading(match, larger);
    expect(decision).toMatchObject({ rule: null, rooms: ["lobby"], over_budget: { rule: "reads", what } });
    expect(decision.looked_at.at(-1)).toMatchObject({
      rule: "reads",
      matched: false,
      findings: [{ field: what, holds: false }],
    });
  });

  test("may have any size where it is only asked whether it is there, or no rule that is looked at reads it", () => {
    const large = { a: "y".repeat(200_000), b: texts(50_000) };
    for (const match of [
      { params: { a: { present: false } } },
      { when: "!('a' in params)" },
      { when: "!has(params.b)" },
      { type: "sip", params: { a: "x" } },
      { params: { b: "x" } },
      { to: "+15550100999", when: "params.a == 'x'" },
    ])
      expect(reading(match, { params: large })).toMatchObject({ rule: "after" });
  });

  test("in a room's name or in words counts when the rule's match holds", () => {
    const source = {
      rules: [
        { id: "sip", match: { type: "sip" }, place: { room: "{param.a|lower}" } },
        { id: "said", match: { type: "phone" }, reject: { say: "Not for {param.b}." } },
      ],
      fallback,
    };
    const params = { a: "y".repeat(4_097), b: "z".repeat(4_097) };
    const over_budget = (changes: Partial<Call>) =>
      decideFor(source, callWith({ params, ...changes })).over_budget;
    expect(over_budget({})).toEqual({ rule: "said", what: "params.b" });
    expect(over_budget({ type: "sip" })).toEqual({ rule: "sip", what: "params.a" });
    expect(over_budget({ type: "webrtc" })).toBeUndefined();
  });

  test("in the fallback too: where that would read one, the call is rejected", () => {
    const source = { rules: [], fallback: { place: { room: "{param.a|digits}" } } };
    const { action, rule, looked_at } = decideFor(source, callWith({ params: { a: "1".repeat(4_097) } }));
    expect({ action, rule }).toEqual({ action: "reject", rule: null });
    expect(looked_at[0]).toMatchObject({ rule: "fallback", findings: [{ field: "params.a", holds: false }] });
  });

  test("stops a question's group likewise, before it asks and when an answer comes", () => {
    const source = {
      rules: [
        {
          id: "group",
          match: {},
          ask: { menu: { say: "Which, {param.a}?", digits: "1" } },
          rules: [
            { id: "one", match: { "answer.menu": "1", when: "params.b == 'x'" }, place: { room: "one" } },
          ],
        },
      ],
      fallback,
    };
    const asked = (params: object, answers: object) =>
      decide(served(source), callWith({ params: params as Call["params"] }), 0, answers as never);
    expect(asked({ a: "Ann", b: "x" }, {})).toMatchObject({ action: "ask" });
    expect(asked({ a: "x".repeat(4_097) }, {})).toMatchObject({
      rule: null,
      over_budget: { rule: "group", what: "params.a" },
    });
    expect(asked({ a: "Ann", b: texts(1_001) }, { menu: { value: "1" } })).toMatchObject({
      action: "place",
      rule: null,
      over_budget: { rule: "one", what: "params.b" },
    });
  });
});

describe("rules that can take longer than a decision may", () => {
  const source = {
    rules: many(300, () => ({ match: { when: "params.l.exists(x, x in params.m)" } })),
    fallback: { place: { room: "lobby" } },
  };
  const looping = many(400, () => ({ match: { when: "params.l.exists(x, x == 'q')" } }));
  const small = callWith({ params: { l: texts(10), m: ["a", "b"] } });
  const large = callWith({ params: { l: texts(1_000), m: Array(1_000).fill("a") } });

  test("decide what they can where they serve already, and leave to the fallback what would take longer", () => {
    expect(decide(served(source), small, 0)).toMatchObject({ rule: null, rooms: ["lobby"] });
    expect(decide(served(source), small, 0).over_budget).toBeUndefined();
    expect(decide(served(source), large, 0)).toMatchObject({
      rule: null,
      rooms: ["lobby"],
      over_budget: { rule: expect.stringMatching(/^r\d+$/), what: "steps" },
    });
  });

  test("are explained as they decide", () => {
    for (const call of [small, large]) {
      const { looked_at: _, ...explained } = explain(served(source), call, 0);
      const { looked_at: __, more_looked_at: ___, ...decided } = decide(served(source), call, 0);
      expect(explained).toEqual(decided);
    }
  });

  test.each<[string, object, string]>([
    ["a list in a list", withMatch({ when: "params.l.exists(x, x in params.m)" }), "rules[0].match.when"],
    [
      "what nothing bounds",
      withMatch({ when: "duration(params.d) > duration('1h')" }),
      "rules[0].match.when",
    ],
    [
      "texts made of texts",
      withMatch({ when: "params.a.split('').join(params.b).contains('x')" }),
      "rules[0].match.when",
    ],
    ["many loops", { rules: looping }, "rules[0].match.when"],
    [
      "many patterns",
      { rules: many(2_000, () => ({ match: { headers: { "x-site": "*lab*" } } })) },
      "rules[0].match",
    ],
    [
      "many filters",
      { rules: many(500, (index) => ({ place: { room: `{header.x${index}|digits|lower|digits}` } })) },
      "rules",
    ],
    [
      "rules of a group",
      { rules: [{ id: "group", match: {}, rules: looping }] },
      "rules[0].rules[0].match.when",
    ],
  ])("are refused where they are written: %s", (_, ruleset, path) => {
    const errors = errorsOf(ruleset);
    expect(errors).toEqual([
      expect.stringMatching(/^\S+: can make a decision take .* steps, and 3,000,000 are allowed/),
    ]);
    expect(errors[0]?.split(": ")[0]).toBe(path);
  });

  test("are good rules where no one call meets many of them", () => {
    const number = (index: number) => `+1555${String(index).padStart(7, "0")}`;
    const when = "params.l.exists(x, x == 'q')";
    expect(errorsOf({ rules: many(2_000, (index) => ({ match: { to: number(index), when } })) })).toEqual([]);
    expect(errorsOf({ rules: many(2_000, (index) => ({ match: { from: [number(index)], when } })) })).toEqual(
      [],
    );
    expect(
      errorsOf({ rules: many(2_000, (index) => ({ match: { to: number(index % 2), when } })) }),
    ).toHaveLength(1);
  });
});

test.each([
  'params.tags.exists(t, t == "gold")',
  "'gold' in params.tags",
  "params.members.exists(m, has(m.role) && m.role == 'chair')",
  "params.site == vars.site",
  "now.getHours('Europe/Berlin') >= 9 && now.getDayOfWeek('Europe/Berlin') < 6",
  "call.from.contains('555') || params.note.lowerAscii().contains('urgent')",
  "size(params) < 10 && params.exists(k, k.startsWith('x-'))",
])("an ordinary expression is accepted a few times over: %s", (when) => {
  expect(errorsOf({ rules: many(10, () => ({ match: { when } })) })).toEqual([]);
});

test("rulesets of 20,000 rules with a few comparisons each are accepted", () => {
  const rulesets = [
    many(20_000, (index) => ({
      match: { when: `call.headers['x-tier'] == 'gold' && params.site == '${index}' && call.type != 'sip'` },
    })),
    many(20_000, (index) => ({
      match: { when: `call.headers['x-a'] == 'a' || vars.floor > ${index} || params.site.startsWith('s')` },
    })),
    many(20_000, (index) => ({
      match: { headers: { "x-site": `s${index}`, "x-tier": ["gold", "silver*"] }, params: { floor: "4" } },
      place: { room: "site-{header.x-site|lower}-{to|user}" },
    })),
  ];
  for (const rules of rulesets) expect(errorsOf({ rules })).toEqual([]);
}, 60_000);

test("a rule of one template is accepted", () => {
  expect(errorsOf(withRule({ place: { room: "{header.x|digits|lower|digits}" } }))).toEqual([]);
});
