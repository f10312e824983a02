import fc from "fast-check";
import type { Call } from "../../../shared/call.ts";
import type { Answers } from "../../../shared/rules/answers.ts";
import { spellings } from "../spellings.ts";
import { digits, hmacs, names, numbers, texts } from "./arbitrary-values.ts";

const addresses = [
  ...numbers,
  "+442071838750",
  "sip:alice@example.com",
  "SIPS:alice@EXAMPLE.com:5061;transport=tls",
  "sip:bob@example.com",
  "sip:*@*",
  "sip:mallory@evil.example;x=@example.com",
  "sip:mallory@example.com@evil.example",
  "+1555*",
  "Anonymous",
  "sip:anonymous@anonymous.invalid",
  "",
  ...spellings.filter(({ country, sip_gateways }) => !country && !sip_gateways).map(({ written }) => written),
];

/** What callers keyed, in part, or null for those who cannot be asked. */
export const answers: fc.Arbitrary<Answers | null> = fc.option(
  fc.record(
    {
      menu: fc.record(
        { value: fc.constantFrom(...digits), tries: fc.integer({ min: 1, max: 3 }) },
        { requiredKeys: [] },
      ),
      pin: fc.record(
        {
          hmac: fc.constantFrom(...hmacs.map(({ hmac }) => hmac)),
          pin: fc.constantFrom({}, { role: "chair" }, { role: "guest", room: "blue" }),
          tries: fc.integer({ min: 1, max: 3 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
);

/** Instants of a winter with its holidays, of the hours in which clocks are changed, and of no calendar. */
export const instants = fc.oneof(
  fc.integer({ min: Date.UTC(2026, 11, 20), max: Date.UTC(2027, 0, 5) }),
  fc.integer({ min: Date.UTC(2026, 9, 24), max: Date.UTC(2026, 10, 2) }),
  fc.integer({ min: Date.UTC(2026, 2, 7), max: Date.UTC(2026, 2, 30) }),
);

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
/** The largest that rules may read, and what is larger by one. */
const largeTexts = ["x".repeat(4_096), "x".repeat(4_097)];
const largeValues = [
  ...largeTexts,
  Array(1_000).fill(1),
  Array(1_001).fill(1),
  nested(8),
  nested(9),
  Array(10).fill(Array(499).fill(1)),
  Array(10).fill(Array(500).fill(1)),
];

/** Calls that the rulesets of these values often mean. */
const ordinaryCalls: fc.Arbitrary<Call> = fc.record({
  via: fc.constantFrom("swml", "cxml", "relay"),
  call_id: fc.constantFrom("c2d3e4f5", `\${x}`, "x".repeat(70)),
  direction: fc.constantFrom("inbound", "outbound"),
  type: fc.constantFrom("phone", "sip", "webrtc"),
  from: fc.constantFrom(...addresses),
  to: fc.constantFrom(...addresses),
  headers: fc.dictionary(fc.constantFrom(...names), fc.array(fc.constantFrom(...texts), { maxLength: 2 })),
  vars: fc.dictionary(fc.constantFrom(...names), fc.constantFrom<unknown>(...texts, 4, true, null)),
  params: fc.dictionary(
    fc.constantFrom(...names, "n"),
    fc.oneof(
      fc.constantFrom<unknown>(...texts),
      fc.constantFrom<unknown>(3, 4, true, null, ["gold"], { gold: 1 }),
    ),
  ),
  details: fc.constant({}),
});

/** In one call of ten something is as large as rules may read, or larger. */
export const calls: fc.Arbitrary<Call> = fc.oneof(
  { weight: 9, arbitrary: ordinaryCalls },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        ordinaryCalls,
        fc.oneof(
          fc.record({ from: fc.constantFrom(...largeTexts) }),
          fc.record({ to: fc.constantFrom(...largeTexts) }),
          fc.record({
            headers: fc.dictionary(
              fc.constantFrom(...names),
              fc.constantFrom(
                ...largeTexts.map((text) => [text]),
                Array(16).fill("gold"),
                Array(17).fill(""),
              ),
            ),
          }),
          fc.record({
            params: fc.dictionary(fc.constantFrom(...names, "n"), fc.constantFrom<unknown>(...largeValues)),
          }),
          fc.record({ vars: fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...largeValues)) }),
        ),
      )
      .map(([call, large]) => ({ ...call, ...large })),
  },
);

const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string().map((text) => `sip:${text}@example.com`),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "\ud800",
    "x".repeat(200_000),
    `sip:${"@".repeat(5_000)}`,
    `\${7*7}`,
    "%{x}",
  ),
);

/** Calls as nobody should send them. */
export const hostileCalls: fc.Arbitrary<Call> = fc.record({
  via: fc.constantFrom("swml", "cxml", "relay"),
  call_id: anyText,
  direction: anyText,
  type: anyText,
  from: anyText,
  to: anyText,
  headers: fc.dictionary(fc.oneof(anyText, fc.constantFrom(...names)), fc.array(anyText, { maxLength: 3 })),
  vars: fc.dictionary(fc.oneof(anyText, fc.constantFrom(...names)), fc.oneof(anyText, fc.jsonValue())),
  params: fc.dictionary(fc.oneof(anyText, fc.constantFrom(...names, "n")), fc.oneof(anyText, fc.jsonValue())),
  details: fc.constant({}),
});
