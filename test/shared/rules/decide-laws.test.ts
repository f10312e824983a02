import * as fc from "fast-check";
import { expect, test } from "vitest";
import { wireName } from "../../../shared/conference.ts";
import { compileRuleset } from "../../../shared/rules/compile.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { calls, hostileCalls, rulesets } from "./arbitraries.ts";
import { decideNaively, matches } from "./naive.ts";
import { acme, mustParse } from "./sample.ts";

const plainOrNot = fc.boolean().map((plain) => ({ tenant: "acme", plain }));

test("an indexed decision is the one that reading every rule in order gives", async () => {
  await fc.assert(
    fc.property(
      rulesets,
      fc.array(calls, { minLength: 1, maxLength: 10 }),
      plainOrNot,
      (source, several, owner) => {
        const ruleset = mustParse(source);
        const compiled = compileRuleset(ruleset, { ...owner, hash: "5ha256" });
        for (const call of several) {
          const {
            looked_at,
            ruleset: hash,
            decided_at,
            more_looked_at,
            ...decided
          } = decide(compiled, call, 0);
          expect(decided).toEqual(decideNaively(ruleset, owner, call));
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test("a decision lists its winner last, no rule after it, and none whose match it denies falsely", async () => {
  await fc.assert(
    fc.property(rulesets, calls, (source, call) => {
      const ruleset = mustParse(source);
      const { rule, looked_at } = decide(compileRuleset(ruleset, { ...acme, hash: "" }), call, 0);
      const positions = looked_at
        .filter((look) => look.rule !== "fallback")
        .map((look) => ruleset.rules.findIndex(({ id }) => id === look.rule));
      expect(positions).toEqual([...new Set(positions)].sort((one, other) => one - other));
      expect(looked_at.filter((look) => look.matched).map((look) => look.rule)).toEqual(
        rule === null ? [] : [rule],
      );
      if (rule !== null) expect(looked_at.at(-1)?.rule).toBe(rule);
      for (const look of looked_at) {
        const written = ruleset.rules.find(({ id }) => id === look.rule);
        if (written === undefined) continue;
        const conditions = look.findings.filter(({ field }) => !/^(place|reject|hand_over)/.test(field));
        expect(conditions.every(({ holds }) => holds)).toBe(matches(ruleset, written.match, call));
      }
    }),
    { numRuns: 500 },
  );
});

test("no call makes deciding throw, and what comes out is plain JSON without anything that SignalWire would run", async () => {
  await fc.assert(
    fc.property(rulesets, fc.oneof(hostileCalls, calls), plainOrNot, (source, call, owner) => {
      const decision = decide(compileRuleset(mustParse(source), { ...owner, hash: "" }), call, 0);
      expect(JSON.parse(JSON.stringify(decision))).toEqual(decision);
      expect(JSON.stringify(decision).length).toBeLessThan(200_000);
      if (decision.action !== "place") return;
      for (const room of decision.rooms) {
        const wire = wireName(owner.tenant, room, owner);
        expect(wire).toMatch(/^[\x20-\x7e]{1,64}$/);
        expect(wire).not.toMatch(/[$%]\{/);
      }
    }),
    { numRuns: 500 },
  );
});
