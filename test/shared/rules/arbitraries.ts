import * as fc from "fast-check";
import type { Call } from "../../../shared/call.ts";
import type { Answers } from "../../../shared/rules/answers.ts";
import { overflowTo } from "./readings.ts";

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
  "anonymous",
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
  "Anonymous",
  "sip:anonymous@anonymous.invalid",
  "",
];
/** Names that an object has without anyone having sent them, among others. */
const names = ["x-room", "x-tier", "constructor", "toString", "hasOwnProperty"];
const texts = ["gold", "silver", "4", "$", "{x}", "true", "support", `\${x}`, "%{x}", "é", ""];

const values = <T extends string>(one: fc.Arbitrary<T>, list: string) =>
  fc.oneof(one, fc.array(one, { minLength: 1, maxLength: 4 }), fc.constant({ list }));

const someText = fc.constantFrom(...texts.filter((text) => text !== ""), "g*", "*", "*il*r", "s*l*r*r");
const addressMatch = values(fc.constantFrom(...patterns), "addresses");
const named = fc.dictionary(
  fc.constantFrom(...names),
  fc.oneof({ weight: 3, arbitrary: values(someText, "texts") }, fc.record({ present: fc.boolean() })),
  { maxKeys: 2 },
);
const scheduleNames = fc.oneof(
  fc.constantFrom("office", "night"),
  fc.uniqueArray(fc.constantFrom("office", "night"), { minLength: 1 }),
);
const digits = ["1", "12", "123", "2"];
const hmacs = ["a", "b"].map((digit) => ({ hmac: digit.repeat(64) }));

const fields = fc.record(
  {
    to: addressMatch,
    from: addressMatch,
    direction: values(fc.constantFrom("inbound", "outbound"), "directions"),
    type: values(fc.constantFrom("phone", "sip", "webrtc"), "types"),
    headers: named,
    params: named,
    vars: named,
    during: scheduleNames,
    outside: scheduleNames,
    when: fc.constant("params.n > 3"),
  },
  { requiredKeys: [] },
);

/** Fewer conditions at once: rules of which none matches show nothing. */
const few = fields.chain((all) =>
  fc
    .subarray(Object.entries(all), { maxLength: Math.min(3, Object.keys(all).length) })
    .map((some) => Object.fromEntries(some)),
);

const match = fc.oneof(
  { weight: 4, arbitrary: few },
  {
    weight: 1,
    arbitrary: fc
      .tuple(few, few)
      .map(([one, other]) => (Object.keys(other).length === 0 ? one : { ...one, not: other })),
  },
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
  "{from|user|lower}",
  "{to|digits}-{from|last4}",
);

const join = fc.record(
  { muted: fc.boolean(), start_on_enter: fc.boolean(), beep: fc.constantFrom("true", "onEnter") },
  { requiredKeys: [] },
);

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      place: fc
        .record(
          {
            room,
            role: fc.constantFrom("moderator", "participant", "listener", "agent"),
            join,
            sticky: fc.constant("from"),
            capacity: fc.constant(3),
            overflow: fc.constantFrom(overflowTo("next", { rooms: 3 }), overflowTo("spread", { rooms: 2 })),
          },
          { requiredKeys: ["room"] },
        )
        .map(({ overflow, ...place }) =>
          overflow === undefined || place.capacity === undefined ? place : { ...place, overflow },
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

type Done = Record<string, unknown>;

const leaf = fc.tuple(match, action).map(([matched, done]): Done => ({ match: matched, ...done }));

const groupOf = (rules: fc.Arbitrary<Done>) =>
  fc
    .tuple(match, fc.array(rules, { minLength: 1, maxLength: 20 }))
    .map(([matched, inner]): Done => ({ match: matched, rules: inner }));

/** A rule that looks at what was keyed, or puts it into a room's name. */
const answerLeaf = fc
  .tuple(
    few,
    action,
    fc.oneof(
      fc.constantFrom(...digits).map((value) => ({ "answer.menu": value })),
      fc.subarray(digits, { minLength: 1 }).map((several) => ({ "answer.menu": several })),
      fc.constantFrom(...hmacs).map((value) => ({ "answer.pin": value })),
      fc.constant({ "answer.pin": { list: "pins" } }),
      fc.constantFrom<unknown>(true, { role: "chair" }).map((pins) => ({ "answer.pin": { pins } })),
      fc.constant({}),
    ),
    fc.boolean(),
  )
  .map(
    ([matched, done, answer, isRoom]): Done => ({
      match: { ...matched, ...answer },
      ...(isRoom ? { place: { room: "m-{answer.menu}" } } : done),
    }),
  );

const asking = fc
  .tuple(few, fc.array(answerLeaf, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 3 }))
  .map(
    ([matched, inner, tries]): Done => ({
      match: matched,
      ask: {
        menu: { say: "Which?", digits: "1-2", terminator: "none", tries },
        pin: { say: "PIN?", digits: "4-8", secret: true },
      },
      rules: inner,
    }),
  );

const anyRule = fc.oneof(
  { weight: 12, arbitrary: leaf },
  {
    weight: 1,
    arbitrary: groupOf(fc.oneof({ weight: 6, arbitrary: leaf }, { weight: 1, arbitrary: groupOf(leaf) })),
  },
  { weight: 1, arbitrary: asking },
);

/** Rulesets as people may write them, from few enough values that rules and calls often meet. */
export const rulesets = fc
  .record(
    {
      timezone: fc.constantFrom("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"),
      lists: fc.record({
        addresses: fc.uniqueArray(fc.constantFrom(...patterns), { maxLength: 6 }),
        texts: fc.uniqueArray(someText, { maxLength: 4 }),
        directions: fc.constant(["outbound"]),
        types: fc.constant(["sip", "webrtc"]),
        pins: fc.subarray(hmacs),
        holidays: fc.constant(["2026-12-25", "2026-12-30..2027-01-02"]),
      }),
      schedules: fc.constant({
        office: {
          open: ["mon-thu 09:00-12:30", "mon-fri 13:30-17:30", "sat-mon 23:00-01:00"],
          closed: { list: "holidays" },
          on: { "2026-12-24": ["09:00-12:00"], "2026-12-31": [] },
        },
        night: { timezone: "America/New_York", open: ["mon-sun 22:00-06:00", "sun 01:30-02:30"] },
      }),
      roles: fc.constant({ agent: { muted: true, beep: "onExit" } }),
      defaults: fc.record({ join }),
      rules: fc.array(anyRule, { maxLength: 60 }),
      fallback: action,
    },
    { requiredKeys: ["timezone", "lists", "schedules", "roles", "rules"] },
  )
  .map((ruleset) => {
    let count = 0;
    const identified = (rules: readonly Done[]): object[] =>
      rules.map((rule) => {
        const id = `${"ask" in rule ? "ask" : "rule"}-${count++}`;
        return Array.isArray(rule["rules"])
          ? { id, ...rule, rules: identified(rule["rules"]) }
          : { id, ...rule };
      });
    return { ...ruleset, rules: identified(ruleset.rules) };
  });

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

/** Calls that the rulesets above often mean. */
export const calls: fc.Arbitrary<Call> = fc.record({
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
