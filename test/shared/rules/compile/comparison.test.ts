import { Environment } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileExpression } from "../../../../shared/rules/compile/expression.ts";
import { factsOf } from "../../../../shared/rules/facts.ts";
import { callWith } from "../sample.ts";

const places = [
  "call.from",
  "call.headers['x-tier']",
  "call.headers.tier",
  "params.tier",
  "params['tier']",
  "params.tier.name",
  "vars.tier",
  "answer.tier",
  "tenant",
];
const literals = ["'gold'", "''", "4", "4.5", "-4", "true", "null", "['gold']", "'+15550100001'"];

const leaf = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...places),
      fc.constantFrom("==", "!=", "<", "<=", ">", ">="),
      fc.constantFrom(...literals),
      fc.boolean(),
    )
    .map(([place, operator, literal, turned]) =>
      turned ? `${literal} ${operator} ${place}` : `${place} ${operator} ${literal}`,
    ),
  fc.constantFrom(
    "'tier' in params",
    "'x-tier' in call.headers",
    "'tier' in params.tier",
    "has(params.tier)",
    "has(params.tier.name)",
    "has(call.headers.tier)",
    "has(call.from)",
    "call.from in ['+15550100001', 'gold']",
    "params.tier in ['gold', 'silver']",
    "answer.tier in ['4']",
    "params.tier",
    "params.tier.startsWith('g')",
    "call.from.endsWith('1')",
    "vars.tier.contains('o')",
    "params.tier.exists(one, one == 'gold')",
  ),
);
const expressions = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(tie("any"), fc.constantFrom("&&", "||"), tie("any"))
      .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    tie("any").map((inner) => `!(${inner})`),
    fc
      .tuple(tie("any"), tie("any"), tie("any"))
      .map(([condition, left, right]) => `(${condition} ? ${left} : ${right})`),
  ),
})).any;
const values = fc.constantFrom<unknown>(
  undefined,
  "gold",
  "",
  4,
  4.5,
  -4,
  true,
  null,
  [],
  ["gold"],
  {},
  { name: "gold" },
  { constructor: "x" },
  [{ a: { constructor: null } }],
);

test("an expression holds, fails and is false as CEL alone has it", async () => {
  const environment = new Environment({ unlistedVariablesAreDyn: true })
    .registerVariable("vars", "map<string, dyn>")
    .registerVariable("params", "map<string, dyn>");
  const seen = new Set<unknown>();
  await fc.assert(
    fc.property(expressions, values, values, fc.boolean(), (text, param, variable, isSent) => {
      const compiled = compileExpression(text);
      if (!compiled.ok) return;
      const sent = isSent ? { "x-tier": ["gold"], tier: ["silver"] } : {};
      const named = (value: unknown) => (value === undefined ? {} : { tier: value });
      const call = callWith({ headers: sent, params: named(param), vars: named(variable) });
      const settings = factsOf(call, 0, isSent ? { tier: { value: "4" } } : {}, "acme");
      // The oracle sees the call as a plain map.
      const plain = { ...settings, call: { ...settings.call } };
      let expected: unknown;
      try {
        expected = environment.parse(text)(plain);
      } catch {
        expected = "fails";
      }
      const outcome = compiled.expression.evaluate(settings, () => true);
      const said = "holds" in outcome ? outcome.holds : "fails";
      expect(said).toBe(typeof expected === "boolean" ? expected : "fails");
      expect(compiled.expression.holds(settings)).toBe(expected === true);
      seen.add(said);
    }),
    { numRuns: 20_000 },
  );
  expect(seen).toEqual(new Set([true, false, "fails"]));
});
