import fc from "fast-check";
import { expect, test } from "vitest";
import { wireName } from "../../../shared/conference.ts";
import { compileRuleset } from "../../../shared/rules/compile/compile.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { listValues, type Rule } from "../../../shared/rules/schema/ruleset.ts";
import { answers, calls, hostileCalls, instants } from "./arbitrary-calls.ts";
import { rulesets } from "./arbitrary-rulesets.ts";
import { decideNaively } from "./naive.ts";
import { matches } from "./naive-match.ts";
import { acme, mustParse } from "./sample.ts";

const plainOrNot = fc.boolean().map((plain) => ({ tenant: "acme", plain }));
/** A call at an instant, with what its caller keyed. */
const situations = fc.tuple(calls, instants, answers);

test("lists in KV decide as the same lists do that are written out", async () => {
  await fc.assert(
    fc.property(rulesets, fc.array(situations, { minLength: 3, maxLength: 3 }), (source, several) => {
      const ruleset = mustParse(source);
      const { lists = {} } = ruleset;
      const names = Object.keys(lists);
      const inKv = mustParse({
        ...source,
        lists: Object.fromEntries(names.map((name) => [name, { kv: `kept-${name}` }])),
      });
      const values = new Map(names.map((name) => [`kept-${name}`, listValues(lists)[name] ?? []]));
      const written = compileRuleset(ruleset, { ...acme, hash: "5ha256" });
      const kept = compileRuleset(inKv, { ...acme, hash: "5ha256", lists: values });
      expect(kept.kv_lists).toEqual([...values.keys()]);
      for (const [call, now_ms, keyed] of several)
        expect(decide(kept, call, now_ms, keyed ?? {})).toEqual(decide(written, call, now_ms, keyed ?? {}));
    }),
    { numRuns: 100 },
  );
});

test("an indexed decision is the one that reading every rule in order gives, in 10,000 cases", async () => {
  let actions = 0;
  const seen = new Set<string>();
  await fc.assert(
    fc.property(
      rulesets,
      fc.array(situations, { minLength: 10, maxLength: 10 }),
      plainOrNot,
      (source, several, owner) => {
        const ruleset = mustParse(source);
        const compiled = compileRuleset(ruleset, { ...owner, hash: "5ha256" });
        for (const [call, now_ms, keyed] of several) {
          const {
            looked_at,
            ruleset: hash,
            decided_at,
            more_looked_at,
            after_wrong,
            over_budget,
            ...decided
          } = keyed === null ? decide(compiled, call, now_ms) : decide(compiled, call, now_ms, keyed);
          const { is_over, ...naive } = decideNaively(ruleset, { ...owner, now_ms, answers: keyed }, call);
          // Of a group that asks the plain way tells only whether it asks or gives up.
          const { action, rule } = decided;
          expect(rule?.startsWith("ask") ? { action, rule } : decided).toEqual(naive);
          expect(over_budget !== undefined).toBe(is_over);
          actions += 1;
          seen.add(`${action} ${is_over ? "over budget" : rule === null ? "fallback" : "rule"}`);
        }
      },
    ),
    { numRuns: 1_000 },
  );
  expect(actions).toBeGreaterThanOrEqual(10_000);
  for (const one of [
    "ask rule",
    "place rule",
    "reject rule",
    "hand_over rule",
    "reject fallback",
    "place over budget",
  ])
    expect(seen).toContain(one);
}, 60_000);

test("a decision lists its winner, in the order of the rules, and denies no match falsely", async () => {
  await fc.assert(
    fc.property(rulesets, situations, (source, [call, now_ms, keyed]) => {
      const ruleset = mustParse(source);
      const compiled = compileRuleset(ruleset, { ...acme, hash: "" });
      const { rule, looked_at, over_budget } = decide(compiled, call, now_ms, keyed ?? {});
      const written = [...everyRule(ruleset.rules)];
      const listed = looked_at.filter((look) => look.rule !== "fallback");
      const positions = listed.map((look) => written.findIndex(({ id }) => id === look.rule));
      expect(positions).toEqual([...new Set(positions)].sort((one, other) => one - other));
      expect(listed.filter((look) => look.matched).map((look) => look.rule)).toEqual(
        rule === null ? [] : [rule],
      );
      for (const look of listed) {
        const match = written.find(({ id }) => id === look.rule)?.match;
        if (match === undefined || look.rule === over_budget?.rule) continue;
        const conditions = look.findings.filter(({ field }) => !/^(place|reject|hand_over|ask)/.test(field));
        const holds = matches(ruleset, match, { now_ms, answers: keyed ?? {} }, call);
        expect(conditions.every((one) => one.holds)).toBe(holds);
      }
    }),
    { numRuns: 500 },
  );
}, 60_000);

test("no call makes deciding throw, and what comes out is plain JSON without anything that SignalWire would run", async () => {
  const anyInstant = fc.oneof(instants, fc.constantFrom(Number.NaN, 9e15, -1, Number.POSITIVE_INFINITY));
  await fc.assert(
    fc.property(
      rulesets,
      fc.oneof(hostileCalls, calls),
      anyInstant,
      answers,
      plainOrNot,
      (source, call, now_ms, keyed, owner) => {
        const compiled = compileRuleset(mustParse(source), { ...owner, hash: "" });
        const { decided_at: _, ...decision } = decide(compiled, call, now_ms, keyed ?? {});
        expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
        expect(JSON.stringify(decision).length).toBeLessThan(200_000);
        if (decision.action !== "place") return;
        for (const room of decision.rooms) {
          const wire = wireName(owner.tenant, room, owner);
          expect(wire).toMatch(/^[\x20-\x7e]{1,64}$/);
          expect(wire).not.toMatch(/[$%]\{/);
        }
      },
    ),
    { numRuns: 500 },
  );
}, 60_000);

function* everyRule(rules: readonly Rule[]): Generator<Rule> {
  for (const rule of rules) {
    yield rule;
    yield* everyRule(rule.rules ?? []);
  }
}
