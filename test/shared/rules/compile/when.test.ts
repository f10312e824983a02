import { describe, expect, test } from "vitest";
import { errorsOf, withMatch } from "../readings.ts";
import { callWith, decideFor } from "../sample.ts";

const ruleFor = (when: string, changes: Parameters<typeof callWith>[0] = {}) =>
  decideFor({ rules: [{ id: "one", match: { when }, place: { room: "one" } }] }, callWith(changes));

describe("an expression", () => {
  test.each([
    ["call.headers['x-tier'] != 'trial'", true],
    ["call.from.startsWith('+1555') && call.type == 'phone'", true],
    ["params.floor > 3 && params.floor == 4", true],
    ["params.tags.exists(tag, tag == 'b')", true],
    ["vars.seen == true", true],
    ["tenant == 'acme'", true],
    ["now > timestamp('2023-11-14T00:00:00Z') && now.getHours('America/New_York') == 17", true],
    ["call.via == 'cxml'", false],
    ["'x-none' in call.headers", false],
    ["has(params.constructor) || 'constructor' in call.headers", false],
  ])("%s is %s", (when, holds) => {
    const call = {
      headers: { "x-tier": ["gold", "trial"] },
      params: { floor: 4, tags: ["a", "b"] },
      vars: { seen: true },
    };
    const { rule, looked_at } = ruleFor(when, call);
    expect(rule).toBe(holds ? "one" : null);
    expect(looked_at[0]?.findings[0]).toEqual({ field: "when", holds, why: holds ? "is true" : "is false" });
  });

  test("that fails for a call does not match, and the trace says so and why", () => {
    const failing = (when: string, changes = {}) => ruleFor(when, changes).looked_at[0]?.findings[0]?.why;
    expect(failing("call.headers['x-tier'] == 'gold'")).toBe(
      "fails, so does not match: No such key: x-tier, at character 1",
    );
    expect(failing("params.floor + 1 == 5", { params: { floor: 4 } })).toMatch(
      /^fails, so does not match: no such/,
    );
    expect(failing("params.floor", { params: { floor: 4 } })).toBe(
      "fails, so does not match: it gives no true or false",
    );
  });

  test("is not upset by what callers name their headers and parameters", () => {
    const hostile = { constructor: 1, toString: 2, x: 3 };
    const call = { params: hostile, headers: { constructor: ["x"], "x-tier": ["gold"] } };
    expect(ruleFor("params.x == 3 && call.headers['x-tier'] == 'gold'", call).rule).toBe("one");
    const odd = { params: { first: { constructor: 1 }, x: 3 } };
    expect(ruleFor("params.size() == 2 && 'x' in params", odd).rule).toBe("one");
  });

  test("is opposed by not, and a failure within is no match to oppose", () => {
    const match = { not: { when: "call.headers['x-tier'] == 'trial'" } };
    const source = { rules: [{ id: "one", match, place: { room: "one" } }] };
    expect(decideFor(source, callWith({ headers: { "x-tier": ["trial"] } })).rule).toBe(null);
    expect(decideFor(source, callWith({ headers: {} })).rule).toBe("one");
  });
});

describe("is refused when written", () => {
  test.each([
    [
      "call.form == 'x'",
      "call has no form, at character 6; it has call_id, from, to, direction, type, via, headers -> call.from",
    ],
    [
      "call.from + 1 == 'x'",
      "compares what is not of one kind (text + a number), at character 1: text stands in quotes, numbers do not",
    ],
    ["call.from", "gives text, not true or false"],
    [
      "caller == 'x'",
      "there is no caller, at character 1; there are answer, call, now, params, tenant, vars",
    ],
    ["call.from ==", "cannot be read, at character 13: it ends too soon"],
    [
      "call.from.matches('(a+)+$')",
      "matches() is not offered here: a regular expression can take very long over what a caller sends: use contains, startsWith, endsWith or ==",
    ],
    [
      "params.a.all(x, params.a.all(y, x == y))",
      "all() within another loop is not offered here: it would take too long",
    ],
    ["cel.bind(x, 1, x == 1)", "bind() is not offered here: write the value out where it is used"],
    ["params.a.map(x, x + x) == []", "map() is not offered here: use exists, all or filter"],
  ])("%s", (when, message) => {
    expect(errorsOf(withMatch({ when }))).toEqual([`rules[0].match.when: ${message}`]);
  });

  test("what is too long, or has too many parts", () => {
    expect(errorsOf(withMatch({ when: `call.from == '${"x".repeat(1_024)}'` }))).toEqual([
      "rules[0].match.when: must be at most 1024 characters long",
    ]);
    expect(errorsOf(withMatch({ when: Array(120).fill("true").join("&&") }))).toEqual([]);
    expect(errorsOf(withMatch({ when: `${"(".repeat(100)}true${")".repeat(100)}` }))).toHaveLength(1);
  });
});
