import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../../shared/rules/compile/compile.ts";
import { decide, explain } from "../../../shared/rules/decide.ts";
import type { Rule } from "../../../shared/rules/schema/ruleset.ts";
import { answers, calls, instants } from "./arbitrary-calls.ts";
import { rulesets } from "./arbitrary-rulesets.ts";
import { acme, callWith, mustParse } from "./sample.ts";

const number = (index: number) => `+1555010${String(index).padStart(4, "0")}`;
const numbers = Array.from({ length: 100 }, (_, index) => ({
  id: `n${index}`,
  match: { to: number(index) },
  place: { room: "room" },
}));
const compiled = (source: unknown) => compileRuleset(mustParse(source), { ...acme, hash: "5ha256" });

test("the full trace has every rule from the first to the winner, with the field that ruled it out", () => {
  const { rule, looked_at } = explain(compiled({ rules: numbers }), callWith({ to: number(70) }), 0);
  expect(rule).toBe("n70");
  expect(looked_at.map((look) => look.rule)).toEqual(numbers.slice(0, 71).map(({ id }) => id));
  expect(looked_at[3]).toEqual({
    rule: "n3",
    matched: false,
    findings: [{ field: "to", holds: false, why: '"+15550100070" is not "+15550100003"' }],
  });
  expect(looked_at.filter((look) => look.matched)).toHaveLength(1);
});

test("where no rule matches it has them all, and counts none", () => {
  const { rule, looked_at, more_looked_at } = explain(
    compiled({ rules: numbers }),
    callWith({ to: number(100) }),
    0,
  );
  expect(rule).toBe(null);
  expect(looked_at).toHaveLength(100);
  expect(more_looked_at).toBeUndefined();
});

test("explaining decides what deciding decides, on any ruleset and call, and skips no rule on the way", async () => {
  await fc.assert(
    fc.property(rulesets, calls, instants, answers, (source, call, now_ms, keyed) => {
      const ruleset = mustParse(source);
      const ready = compileRuleset(ruleset, { ...acme, hash: "5ha256" });
      const {
        looked_at,
        more_looked_at: none,
        ...explained
      } = explain(ready, call, now_ms, keyed ?? undefined);
      const decision = keyed === null ? decide(ready, call, now_ms) : decide(ready, call, now_ms, keyed);
      const { looked_at: few, more_looked_at: _, ...decided } = decision;
      expect(explained).toEqual(decided);
      expect(none).toBeUndefined();
      const entered = new Set(looked_at.filter((look) => look.entered).map((look) => look.rule));
      const written = [...within(ruleset.rules, entered)];
      const listed = looked_at.map((look) => look.rule).filter((id) => id !== "fallback");
      // Where a value is too large for a rule, those after it are not looked at.
      if (explained.over_budget === undefined)
        expect(listed).toEqual(explained.rule === null ? written : written.slice(0, listed.length));
      else expect(listed.at(-1)).toBe(explained.over_budget.rule);
      for (const look of few) expect(looked_at).toContainEqual(look);
    }),
    { numRuns: 500 },
  );
}, 60_000);

/** The rules in order, those of groups only where the group was entered. */
function* within(rules: readonly Rule[], entered: ReadonlySet<string>): Generator<string> {
  for (const { id, rules: inner } of rules) {
    yield id;
    if (inner !== undefined && entered.has(id)) yield* within(inner, entered);
  }
}
