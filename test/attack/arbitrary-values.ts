import fc from "fast-check";
import type { Value } from "./bodies.ts";

/** What a caller may try to have run: it must never come out in a document. */
export const INJECTED = "attack()";

const templates = [
  `\${${INJECTED}}`,
  `%{${INJECTED}}`,
  `x%{${INJECTED}}y`,
  "${",
  "%{",
  "$%{{}}",
  "{to}",
  "{header.x-room}",
  "{pin.room}",
];
const nasty = [
  ...templates,
  "",
  " ",
  "\0",
  "a\0b",
  "\u2028\ud83d\ude00\u202e",
  "\ud800",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "null",
  "undefined",
  "NaN",
  "-0",
  "1e309",
  "../../../etc/passwd",
  "..%2f..%2f",
  "<script>alert(1)</script>",
  "]]></Response><Hangup/>",
  "&#0;&lt;",
  '"},"call":{"',
  "' OR '1'='1' --",
  "bravo:team",
  "alfa:team",
  "team",
  "<conference alfa>",
  "<conference bravo>",
  "https://user:password@[::1/x",
  "anonymous",
  "Restricted",
  "+",
  "+1555010010",
  "sip:bob@example.com:100000",
  "/public/bridge?x=1",
] as const;

export const word = fc.constantFrom(...nasty);
const large: fc.Arbitrary<Value> = fc.oneof(
  fc.record({
    text: fc.constantFrom("a", "\0", "\u00e9", "%{", "1,", '"'),
    times: fc.constantFrom(64, 129, 201, 1_025, 4_097, 70_000),
  }),
  fc.record({
    nested: fc.constantFrom("list" as const, "object" as const),
    depth: fc.constantFrom(10, 65, 1_000, 20_000),
  }),
  fc.record({ items: fc.constantFrom(17, 1_001, 20_000) }),
);
export const name = fc.oneof(
  word,
  fc.string({ maxLength: 12 }),
  fc.constantFrom("<long 300>", "x-room", "team", "partyline", "length", "0"),
);
export const { value } = fc.letrec<{ value: Value; list: Value; object: Value }>((tie) => ({
  value: fc.oneof(
    { weight: 6, arbitrary: word },
    { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 24 }) },
    {
      weight: 2,
      arbitrary: fc.constantFrom<Value>(0, -1, 1e12, 1e308, -1e308, 0.1, 2 ** 53, true, false, null),
    },
    { weight: 2, arbitrary: large },
    { weight: 1, arbitrary: tie("list") },
    { weight: 1, arbitrary: tie("object") },
  ),
  list: fc.array(tie("value"), { maxLength: 3 }),
  object: fc.record({ fields: fc.array(fc.tuple(name, tie("value")), { maxLength: 3 }) }),
}));

/** What stands in a path where a name should. */
export const madeUp = fc.oneof(
  word,
  fc.constantFrom("ALFA", "alfa ", "alfa\0", "<long 25>", "<long 5000>", "alfa/../bravo", "partyline"),
  fc.string({ unit: "binary", maxLength: 30 }),
);

/** One time in so many; else what is the usual, and smaller. */
export function seldom<T, U>(usual: U, one_in: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | U> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: one_in - 1, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary },
  );
}
