import fc from "fast-check";
import { digits, hmacs, names, numbers, texts } from "./arbitrary-values.ts";
import { whens } from "./naive-when.ts";
import { overflowTo } from "./readings.ts";

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
    when: fc.constantFrom(...whens),
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
      fc.constantFrom("answer.menu", "answer.pin").map((answer) => ({ [answer]: { none: true } })),
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

/** How many digits a question takes: none, too, if a rule wants that. */
function digitsWith(digits: string, answer: string, rules: readonly Done[]): string {
  const isNone = rules.some(({ match }) => JSON.stringify(match).includes(`"${answer}":{"none":true}`));
  return isNone ? `0${digits.slice(1)}` : digits;
}

const asking = fc
  .tuple(few, fc.array(answerLeaf, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 3 }))
  .map(
    ([matched, inner, tries]): Done => ({
      match: matched,
      ask: {
        menu: { say: "Which?", digits: digitsWith("1-2", "answer.menu", inner), terminator: "none", tries },
        pin: { say: "PIN?", digits: digitsWith("4-8", "answer.pin", inner), secret: true },
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
        holidays: fc.constantFrom(
          ["2026-12-25", "2026-12-30..2027-01-02"],
          ["12-25", "12-30..01-02", "2026-11-01"],
        ),
      }),
      schedules: fc.constant({
        office: {
          open: ["mon-thu 09:00-12:30", "mon-fri 13:30-17:30", "sat-mon 23:00-01:00"],
          closed: { list: "holidays" },
          on: { "2026-12-24": ["09:00-12:00"], "12-24": ["10:00-11:00"], "01-04": [], "2026-12-31": [] },
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
