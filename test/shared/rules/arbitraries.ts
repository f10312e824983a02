import * as fc from "fast-check";
import type { Call } from "../../../shared/call.ts";

const numbers = Array.from({ length: 12 }, (_, index) => `+155501000${String(index).padStart(2, "0")}`);
const patterns = [
  ...numbers,
  "+*",
  "+1555*",
  "+155501000*",
  "+1555010001*",
  "sip:alice@example.com",
  "sip:*@example.com",
  "sip:alice@*",
  "sip:*@*",
];
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
  "anonymous",
  "",
];
/** Names that an object has without anyone having sent them, among others. */
const names = ["x-room", "x-tier", "constructor", "toString", "hasOwnProperty"];
const texts = ["gold", "silver", "4", "$", "{x}", "true", "support", `\${x}`, "%{x}", "é", ""];

const values = <T extends string>(one: fc.Arbitrary<T>, list: string) =>
  fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 4 }), fc.constant({ list }));

const someText = fc.constantFrom(...texts.filter((text) => text !== ""));
const addressMatch = values(fc.constantFrom(...patterns), "addresses");
const named = fc.dictionary(fc.constantFrom(...names), values(someText, "texts"), { maxKeys: 2 });

const match = fc.record(
  {
    to: addressMatch,
    from: addressMatch,
    direction: values(fc.constantFrom("inbound", "outbound"), "directions"),
    type: values(fc.constantFrom("phone", "sip", "webrtc"), "types"),
    headers: named,
    params: named,
  },
  { requiredKeys: [] },
);

const room = fc.constantFrom(
  "support",
  "board",
  "vip-{from}",
  "{to}",
  "{call_id}",
  "{header.x-room}",
  "{header.constructor}-{param.x-tier}",
  "{param.toString}",
  "{param.x-tier}{param.x-room}",
);

const join = fc.record(
  { muted: fc.boolean(), start_on_enter: fc.boolean(), beep: fc.constantFrom("true", "onEnter") },
  { requiredKeys: [] },
);

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      place: fc.record(
        { room, role: fc.constantFrom("moderator", "participant", "listener"), join },
        { requiredKeys: ["room"] },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ reject: { reason: "busy" } }, { reject: { say: "Not for {from}." } }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { hand_over: { swml: "https://example.com/a" } },
      { hand_over: { cxml: "https://example.com/a.xml" } },
    ),
  },
);

/** Rulesets as people may write them, from few enough values that rules and calls often meet. */
export const rulesets = fc
  .record(
    {
      lists: fc.record({
        addresses: fc.uniqueArray(fc.constantFrom(...patterns), { maxLength: 6 }),
        texts: fc.uniqueArray(someText, { maxLength: 4 }),
        directions: fc.constant(["outbound"]),
        types: fc.constant(["sip", "webrtc"]),
      }),
      defaults: fc.record({ join }),
      rules: fc.array(fc.tuple(match, action), { maxLength: 60 }),
      fallback: action,
    },
    { requiredKeys: ["lists", "rules"] },
  )
  .map((ruleset) => ({
    ...ruleset,
    rules: ruleset.rules.map(([matched, done], index) => ({ id: `rule-${index}`, match: matched, ...done })),
  }));

/** Calls that the rulesets above often mean. */
export const calls: fc.Arbitrary<Call> = fc.record({
  via: fc.constantFrom("swml", "cxml", "relay"),
  call_id: fc.constantFrom("c2d3e4f5", `\${x}`, "x".repeat(70)),
  direction: fc.constantFrom("inbound", "outbound"),
  type: fc.constantFrom("phone", "sip", "webrtc"),
  from: fc.constantFrom(...addresses),
  to: fc.constantFrom(...addresses),
  headers: fc.dictionary(fc.constantFrom(...names), fc.array(fc.constantFrom(...texts), { maxLength: 2 })),
  vars: fc.constant({}),
  params: fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(
      fc.constantFrom<unknown>(...texts),
      fc.constantFrom<unknown>(4, true, null, ["gold"], { gold: 1 }),
    ),
  ),
  details: fc.constant({}),
});

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
  vars: fc.constant({}),
  params: fc.dictionary(fc.oneof(anyText, fc.constantFrom(...names)), fc.oneof(anyText, fc.jsonValue())),
  details: fc.constant({}),
});
