import fc from "fast-check";
import { expect, test } from "vitest";
import { compileRuleset } from "../../../shared/rules/compile/compile.ts";
import { decide, explain } from "../../../shared/rules/decide.ts";
import { calls } from "./arbitrary-calls.ts";
import { numbers } from "./arbitrary-values.ts";
import { decideNaively } from "./naive.ts";
import { whens } from "./naive-when.ts";
import { acme, mustParse } from "./sample.ts";

// `CASES=10000 SEED=7` decides as many, from that seed.
const CASES = Number(process.env["CASES"] ?? 1_000);
const SEED = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const CALLS = 10;

const zones = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"] as const;
/** When their clocks were changed in 2026, both times. */
const changes = [
  "2026-03-08T07:00Z",
  "2026-11-01T06:00Z",
  "2026-03-29T01:00Z",
  "2026-10-25T01:00Z",
  "2026-04-04T15:00Z",
  "2026-10-03T15:30Z",
].map(Date.parse);
const HOURS_MS = 3_600_000;

/** In every second call something that the rules read is too large. */
const someCalls = fc
  .tuple(
    calls,
    fc.option(
      fc.constantFrom(
        { to: "x".repeat(4_097) },
        { from: "x".repeat(4_097) },
        { params: { n: Array(1_001).fill(1) } },
        { params: { "x-tier": "x".repeat(4_097) } },
        { headers: { "x-room": Array(17).fill("gold") } },
      ),
      { freq: 1 },
    ),
  )
  .map(([call, large]) => ({ ...call, ...large }));
const instants = fc
  .tuple(fc.constantFrom(...changes), fc.integer({ min: -30 * HOURS_MS, max: 30 * HOURS_MS }))
  .map(([change, apart]) => change + apart);
/** Days around the changes. */
const dates = fc
  .tuple(fc.constantFrom(...changes), fc.integer({ min: -2, max: 2 }))
  .map(([change, days]) => new Date(change + days * 24 * HOURS_MS).toISOString().slice(0, 10));
const spans = fc
  .tuple(
    fc.constantFrom("00:00", "01:30", "02:00", "02:30", "09:00", "22:00", "23:59"),
    fc.nat(59),
    fc.nat(23),
  )
  .map(([begin, minute, hour]) => {
    const end = [hour, minute].map((part) => String(part).padStart(2, "0")).join(":");
    return `${begin}-${end === begin ? "24:00" : end}`;
  });
const weekly = fc
  .tuple(fc.constantFrom("sun", "sat-sun", "mon-fri", "fri-mon", "mon-sun", "wed", "tue,wed", "thu"), spans)
  .map(([days, hours]) => `${days} ${hours}`);
/** Never a single date: one may not be among those of `on`, too. */
const ranges = fc
  .tuple(dates, dates)
  .map((ends) => ends.toSorted())
  .chain((ends) => fc.constantFrom(ends, ends.map(ofEveryYear)))
  .map(([first, last]) => `${first}..${last}`);
const schedules = fc.array(
  fc.record(
    {
      timezone: fc.constantFrom(...zones),
      open: fc.array(weekly, { minLength: 1, maxLength: 2 }),
      closed: fc.oneof(fc.constant({ list: "holidays" }), fc.array(ranges, { maxLength: 2 })),
      on: fc.dictionary(fc.oneof(dates, dates.map(ofEveryYear)), fc.array(spans, { maxLength: 2 }), {
        maxKeys: 6,
      }),
    },
    { requiredKeys: ["timezone", "open", "on"] },
  ),
  { minLength: 5, maxLength: 40 },
);
const rulesets = fc
  .tuple(schedules, fc.array(ranges, { minLength: 1, maxLength: 2 }))
  .chain(([times, days]) => {
    const name = fc.nat(times.length - 1).map((index) => `s${index}`);
    const names = fc.oneof(name, fc.uniqueArray(name, { minLength: 1, maxLength: 3 }));
    const kinds = [
      fc.record({ during: names }),
      fc.record({ when: fc.constantFrom(...whens) }),
      fc.record({ during: names, when: fc.constantFrom(...whens) }),
      fc.record({ during: names, outside: names }),
      fc.record({ to: fc.constantFrom(...numbers), during: names }),
      fc.record({ from: fc.constantFrom(...numbers), when: fc.constantFrom(...whens) }),
      fc.record({ params: fc.constant({ "x-tier": "gold" }), during: names }),
      fc.record({ headers: fc.constant({ "x-room": "g*" }), when: fc.constantFrom(...whens) }),
      fc.record({ during: names, not: fc.record({ when: fc.constantFrom(...whens) }) }),
    ];
    // Not all of them: where a rule's match names numbers, one that is too large ends the decision at once.
    const matches = fc
      .subarray<fc.Arbitrary<object>>(kinds, { minLength: 2 })
      .chain((some) => fc.array(fc.oneof(...some), { minLength: 17, maxLength: 60 }));
    return matches.map((written) => {
      const rule = (index: number) => ({
        id: `r${index}`,
        match: written[index],
        place: { room: `r${index}` },
      });
      const half = Math.floor(written.length / 3);
      return {
        timezone: "UTC",
        lists: { holidays: days },
        schedules: Object.fromEntries(times.map((time, index) => [`s${index}`, time])),
        rules: [
          ...written.slice(half).map((_, index) => rule(half + index)),
          // In a group, of which each has an index of its own.
          { id: "group", match: {}, rules: written.slice(0, half).map((_, index) => rule(index)) },
        ],
      };
    });
  });

test("rules found by CEL's numbers and open schedules decide as all rules in order, clock changes and holidays included", async () => {
  console.info(`CASES=${CASES} SEED=${SEED}`);
  const seen = new Set<string>();
  await fc.assert(
    fc.property(
      rulesets,
      fc.array(fc.tuple(someCalls, instants), { minLength: CALLS, maxLength: CALLS }),
      (source, several) => {
        const ruleset = mustParse(source);
        const compiled = compileRuleset(ruleset, { ...acme, hash: "" });
        for (const [call, now_ms] of several) {
          const indexed = decide(compiled, call, now_ms);
          const naive = decideNaively(ruleset, { ...acme, now_ms, answers: null }, call);
          const is_over = indexed.over_budget !== undefined;
          expect({ rule: indexed.rule, is_over }).toEqual({ rule: naive.rule, is_over: naive.is_over });
          const inOrder = explain(compiled, call, now_ms);
          expect(indexed.over_budget).toEqual(inOrder.over_budget);
          expect(outcomeOf(indexed)).toEqual(outcomeOf(inOrder));
          seen.add(is_over ? "over" : indexed.rule === null ? "fallback" : "rule");
        }
      },
    ),
    { numRuns: Math.ceil(CASES / CALLS), seed: SEED },
  );
  expect([...seen].toSorted()).toEqual(["fallback", "over", "rule"]);
}, 600_000);

function outcomeOf({ looked_at: _, ...outcome }: ReturnType<typeof explain>): object {
  return { ...outcome, more_looked_at: undefined };
}

function ofEveryYear(date: string): string {
  return date.slice(5);
}
