import fc from "fast-check";
import { expect, test } from "vitest";
import { type Expansion, evaluate, expand, type Scope } from "./expansion.ts";

const scope: Scope = {
  call: { from: "+15550100001", headers: [{ name: "X-Tier", value: "gold" }] },
  vars: { choice: "2", n: 3, nested: { deep: true } },
  params: { room: "board" },
  envs: { region: "us" },
};

function expanded(value: unknown) {
  const journal: Expansion[] = [];
  return { value: expand(value, scope, (entry) => journal.push(entry)), journal };
}

test("both marks expand, in every string at any depth, and keys do not", () => {
  const { value } = expanded({ "%{choice}": [`a \${call.from} b`, { x: "%{params.room}" }], n: 1 });
  expect(value).toEqual({ "%{choice}": ["a +15550100001 b", { x: "board" }], n: 1 });
});

test("variables and environment are there under their own names", () => {
  expect(expanded(`\${choice}/\${region}/\${vars.choice}/%{call.headers[0].value}`).value).toBe(
    "2/us/2/gold",
  );
});

test("what is no plain path runs as JavaScript", () => {
  expect(expanded(`\${ vars.n * 2 + 1 } and %{call.from.slice(-4)}`).value).toBe("7 and 0001");
  expect(expanded(`\${[1, 2].map((x) => { return x * n; }).join('-')}`).value).toBe("3-6");
});

test("a string that is nothing but an expression keeps the value's type", () => {
  expect(expanded(`\${vars.n}`).value).toBe(3);
  expect(expanded(`\${vars.nested}`).value).toEqual({ deep: true });
});

test("a path that leads nowhere is an empty string, and a mark that never closes is text", () => {
  expect(expanded(`<\${vars.nothing.at.all}>`).value).toBe("<>");
  expect(expanded(`\${vars.nothing}`).value).toBe("");
  expect(expanded(`costs \${5 and %{more`).value).toBe(`costs \${5 and %{more`);
});

test("what an expansion yields is not expanded again", () => {
  const tricky: Scope = { ...scope, vars: { evil: `\${1 + 1}` } };
  expect(expand(`\${vars.evil}`, tricky, () => {})).toBe(`\${1 + 1}`);
});

test("every expansion is journaled with the string that it stood in, and whether it ran as code", () => {
  const { journal } = expanded(`say:Hello \${call.from}, \${1 + 1}`);
  const within = `say:Hello \${call.from}, \${1 + 1}`;
  expect(journal).toEqual([
    { expanded: `\${call.from}`, within, ran: false, value: "+15550100001" },
    { expanded: `\${1 + 1}`, within, ran: true, value: 2 },
  ]);
});

test.each([
  "process.exit(1)",
  "require('node:fs')",
  "globalThis.constructor.constructor('return process')()",
  "call.constructor.constructor('return process')()",
  "import('node:fs')",
  "(() => { throw new Error('no') })()",
  "(async () => { throw new Error('no') })()",
  "Promise.reject(new Error('no'))",
  "Array.fromAsync([1], () => { throw new Error('no') })",
  "for (;;) {}",
])("%s reaches nothing: the expansion is empty and its error journaled", (code) => {
  const { value, journal } = expanded(`[\${${code}}]`);
  expect(["[]", "[{}]"]).toContain(value);
  expect(journal).toHaveLength(1);
});

test("an expression that a busy machine keeps waiting has its value all the same", () => {
  const waiting = "(() => { const until = Date.now() + 500; while (Date.now() < until); return n; })()";
  expect(evaluate(waiting, scope)).toBe(3);
});

test("an expression that never ends is stopped: the expansion is empty and its error journaled", () => {
  const { value, journal } = expanded(`[\${(() => { for (;;) {} })()}]`);
  expect(value).toBe("[]");
  expect(journal).toMatchObject([{ ran: true, error: expect.stringMatching(/timed out/) }]);
});

test("text without a mark is never changed and never journaled", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !/[$%]\{/.test(text)),
      (text) => {
        expect(expanded(text)).toEqual({ value: text, journal: [] });
      },
    ),
  );
});
