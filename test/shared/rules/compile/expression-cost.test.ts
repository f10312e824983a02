import fc from "fast-check";
import { expect, test } from "vitest";
import type { CostOf } from "../../../../shared/rules/compile/cost.ts";
import { compileExpression } from "../../../../shared/rules/compile/expression.ts";
import type { Read } from "../../../../shared/rules/reads.ts";
import type { Size } from "../../../../shared/rules/value-size.ts";
import { callWith } from "../sample.ts";

/** A part of an expression, and what working it out takes the plain way: every step is counted. */
interface Part {
  text: string;
  value(at: Place): unknown;
}

interface Place {
  params: Record<string, unknown>;
  item: unknown;
  steps: { count: number };
}

const param = fc.constantFrom("a", "b", "c").map(
  (name): Part => ({
    text: `params.${name}`,
    value: ({ params }) => params[name],
  }),
);
const literal = fc
  .constantFrom("gold", "s", "")
  .map((text): Part => ({ text: `'${text}'`, value: () => text }));
const item: Part = { text: "t", value: ({ item: one }) => one };

const operand = (within: boolean) => fc.oneof(param, literal, ...(within ? [fc.constant(item)] : []));

function counted({ text, value }: Part): Part {
  return {
    text,
    value(at) {
      at.steps.count += 1;
      return value(at);
    },
  };
}

function tests(within: boolean, depth: number): fc.Arbitrary<Part> {
  const pair = fc.tuple(operand(within), operand(within));
  const plain = fc.oneof(
    pair.map(
      ([left, right]): Part => ({
        text: `${left.text} == ${right.text}`,
        value: (at) => isSame(left.value(at), right.value(at), at.steps),
      }),
    ),
    fc.tuple(operand(within), param).map(
      ([left, right]): Part => ({
        text: `${left.text} in ${right.text}`,
        value(at) {
          const list = right.value(at);
          if (!Array.isArray(list)) throw new Error("no list");
          return list.some((one) => isSame(left.value(at), one, at.steps));
        },
      }),
    ),
    pair.map(
      ([left, right]): Part => ({
        text: `${left.text}.startsWith(${right.text})`,
        value: (at) => String(left.value(at)).startsWith(String(right.value(at))),
      }),
    ),
  );
  if (depth === 0) return plain.map(counted);
  const inner = tests(within, depth - 1);
  const loops = fc.tuple(param, tests(true, depth - 1)).map(
    ([list, body]): Part => ({
      text: `${list.text}.exists(t, ${body.text})`,
      value(at) {
        const items = list.value(at);
        if (!Array.isArray(items)) throw new Error("no list");
        // The last one has to be looked at where none holds, or some fail.
        return items.filter((one) => isTrue(body, { ...at, item: one })).length > 0;
      },
    }),
  );
  return fc
    .oneof(
      plain,
      fc.tuple(inner, fc.constantFrom("&&", "||"), inner).map(
        ([left, operator, right]): Part => ({
          text: `(${left.text} ${operator} ${right.text})`,
          value(at) {
            const [first, second] = [isTrue(left, at), isTrue(right, at)];
            return operator === "&&" ? first && second : first || second;
          },
        }),
      ),
      ...(within ? [] : [loops]),
    )
    .map(counted);
}

function isTrue(part: Part, at: Place): boolean {
  try {
    return part.value(at) === true;
  } catch {
    at.steps.count += 1;
    return false;
  }
}

/** All of two values that are the same is looked at, and of others as much as is. */
function isSame(one: unknown, other: unknown, steps: { count: number }): boolean {
  steps.count += 1;
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other;
  return one.length === other.length && one.every((item, index) => isSame(item, other[index], steps));
}

const texts = fc.constantFrom("gold", "s", "", "x".repeat(300));
const values = fc.oneof(
  texts,
  fc.array(texts, { maxLength: 60 }),
  fc.array(fc.array(texts, { maxLength: 8 }), { maxLength: 30 }),
  fc.array(fc.constant("gold"), { minLength: 500, maxLength: 1_000 }),
);
const params = fc.record({ a: values, b: values, c: values }, { requiredKeys: [] });

const costOf = (text: string): CostOf => {
  const compiled = compileExpression(text);
  if (!compiled.ok) throw new Error(`${text}: ${compiled.message}`);
  return compiled.cost;
};

const whole = tests(false, 3);

test("the steps of an expression are at least those that working it out takes", async () => {
  let dearest = 0;
  await fc.assert(
    fc.property(whole, params, (part, sent) => {
      const { steps, reads } = costOf(part.text);
      const call = callWith({ params: sent });
      const sizes = new Map(reads.map((read) => [read.key, read.sizeOf(call, undefined) ?? read.largest]));
      const estimated = steps((read) => sizes.get(read.key) ?? read.largest);
      const count = { count: 0 };
      isTrue(part, { params: sent, item: undefined, steps: count });
      expect(estimated).toBeGreaterThanOrEqual(count.count);
      expect(steps(({ largest }) => largest)).toBeGreaterThanOrEqual(estimated);
      dearest = Math.max(dearest, count.count);
    }),
    { numRuns: 5_000 },
  );
  expect(dearest).toBeGreaterThan(10_000);
}, 60_000);

test("an expression over larger values takes no fewer steps", async () => {
  const sizes = fc
    .tuple(
      fc.nat(4_096),
      fc.nat(1_000),
      fc.nat(50_000),
      fc.nat(65_536),
      fc.double({ min: 1, max: 4, noNaN: true }),
    )
    .map(([chars, items, more, inner, by]): [Size, Size] => {
      const size: Size = { chars, items, weight: 1 + items + more, inner: chars + inner };
      const larger = Object.fromEntries(Object.entries(size).map(([key, value]) => [key, value * by]));
      return [size, { ...size, ...larger }];
    });
  const more = fc.constantFrom(
    "params.a.contains(params.b)",
    "params.a.split(params.b).size() == 3 || params.c.all(t, t.contains(params.a))",
    "params.a + params.b == params.c",
    "params.a.filter(t, t.name == params.b).exists(t, t in params.c)",
    "params.a.exists(t, t == params.b ? t in params.c : t.contains('gold'))",
    "params.a.join(params.b) == params.c",
    "[params.a, params.b] == [params.c]",
  );
  await fc.assert(
    fc.property(
      fc.oneof(
        whole.map(({ text }) => text),
        more,
      ),
      fc.array(sizes, { minLength: 3 }),
      (text, pairs) => {
        const { steps, reads } = costOf(text);
        const sizeAt = (which: 0 | 1) => (read: Read) => {
          const position = reads.findIndex(({ key }) => key === read.key);
          return pairs[position % pairs.length]?.[which] ?? read.largest;
        };
        expect(steps(sizeAt(1))).toBeGreaterThanOrEqual(steps(sizeAt(0)) * 0.999_999);
      },
    ),
    { numRuns: 5_000 },
  );
}, 60_000);
