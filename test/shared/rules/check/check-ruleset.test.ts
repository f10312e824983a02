import { describe, expect, test } from "vitest";
import { parseRuleset } from "../../../../shared/rules/check/parse.ts";
import { errorsOf, overflowTo, warningsOf, withJoin, withMatch, withRule } from "../readings.ts";

const to = "+15550100100";
const secret = "a".repeat(64);
const room = { place: { room: "a" } };
const withPlace = (place: object) => withRule({ place: { room: "a", ...place } });

describe("schedules", () => {
  const schedules = (office: object) => ({
    timezone: "UTC",
    schedules: { office },
    ...withMatch({ during: "office" }),
  });

  test("that are never open, or without a time zone, are errors", () => {
    const never = 'schedules.office: is never open: write hours in "open", or dates with hours in "on"';
    expect(errorsOf(schedules({}))).toEqual([never]);
    expect(errorsOf(schedules({ open: [], on: { "2026-12-24": [] } }))).toEqual([never]);
    const { timezone, ...nowhere } = schedules({ open: ["mon 09:00-10:00"] });
    expect(errorsOf(nowhere)).toEqual([
      'schedules.office: has no time zone: write "timezone" here, or for the whole ruleset, e.g. America/New_York',
    ]);
  });

  test("say how hours and dates are written", () => {
    expect(errorsOf(schedules({ open: ["monday 9-5", "mon 09:00-09:00", "mon 24:00-25:00"] }))).toEqual([
      'schedules.office.open[0]: must be days and hours such as "mon-fri 09:00-17:30" or "sat,sun 22:00-06:00", not "monday 9-5"',
      "schedules.office.open[1]: begins when it ends: all day is 00:00-24:00",
      'schedules.office.open[2]: must be days and hours such as "mon-fri 09:00-17:30" or "sat,sun 22:00-06:00", not "mon 24:00-25:00"',
    ]);
    expect(errorsOf(schedules({ open: ["mon 09:00-10:00"], closed: ["2026-02-30"] }))).toEqual([
      'schedules.office.closed[0]: must be a date such as "2026-12-25", or "12-25" for every year, or the first and last of several such as "2026-12-21..2027-01-01", not "2026-02-30"',
    ]);
    const lists = { days: ["2027-01-02..2027-01-01"] };
    expect(
      errorsOf({ lists, ...schedules({ open: ["mon 09:00-10:00"], closed: { list: "days" } }) }),
    ).toEqual([
      'lists.days[0]: must be a date such as "2026-12-25", or "12-25" for every year, or the first and last of several such as "2026-12-21..2027-01-01", not "2027-01-02..2027-01-01"',
    ]);
  });

  test("that close a date and open it are errors", () => {
    const twice = { open: ["mon 09:00-10:00"], closed: "2026-12-24", on: { "2026-12-24": ["09:00-10:00"] } };
    expect(errorsOf(schedules(twice))).toEqual([
      'schedules.office.on["2026-12-24"]: "2026-12-24" is among the closed dates too: leave it out of one of the two',
    ]);
  });

  test("that are missing are errors, that nothing uses or nothing fits, warnings", () => {
    const open = { timezone: "UTC", schedules: { office: { open: ["mon 09:00-10:00"] } } };
    expect(errorsOf({ ...open, ...withMatch({ during: "ofice" }) })).toEqual([
      'rules[0].match.during: there is no schedule "ofice"; there are "office" -> office',
    ]);
    expect(warningsOf({ ...open, rules: [] })).toEqual(["schedules.office: no rule uses this schedule"]);
    expect(warningsOf({ ...open, ...withMatch({ during: "office", outside: ["office"] }) })).toEqual([
      'rules[0].match.during: never matches: "office" would have to be open and closed at once',
    ]);
  });
});

describe("answers", () => {
  const asking = (rules: object[], question: object = {}, more: object = {}) => ({
    ...more,
    rules: [{ id: "g", match: {}, ask: { pin: { say: "PIN?", digits: "2-4", ...question } }, rules }],
  });
  const one = (match: object, place: object = { room: "a" }) => [{ id: "a", match, place }];

  test("that nobody asked for are errors", () => {
    expect(errorsOf(withMatch({ "answer.pin": "1" }))).toEqual([
      'rules[0].match["answer.pin"]: nothing asks for "pin" before this rule is looked at',
    ]);
    expect(errorsOf(asking(one({ "answer.pim": "11" })))).toEqual([
      'rules[0].rules[0].match["answer.pim"]: nothing asks for "pim" before this rule is looked at; there is "pin" -> pin',
    ]);
    expect(errorsOf({ rules: [], fallback: { place: { room: "{answer.pin}" } } })).toEqual([
      'fallback.place.room: nothing asks for "pin" before this rule is looked at',
    ]);
  });

  test("that are secrets are compared as such, and go nowhere", () => {
    const isSecret = { secret: true };
    expect(errorsOf(asking(one({ "answer.pin": "1234" }), isSecret))).toEqual([
      'rules[0].rules[0].match["answer.pin"]: compared with a secret, so must be { "hmac": "…" }, as `npx partyline secret` makes it',
    ]);
    expect(errorsOf(asking(one({ "answer.pin": { hmac: secret } })))).toEqual([
      'rules[0].rules[0].match["answer.pin"]: compared with digits, so must be digits, or the question "secret"',
    ]);
    const lists = { pins: ["1234"] };
    expect(errorsOf(asking(one({ "answer.pin": { list: "pins" } }), isSecret, { lists }))).toEqual([
      'lists.pins[0]: compared with a secret, so must be { "hmac": "…" }, as `npx partyline secret` makes it, not "1234"',
    ]);
    expect(errorsOf(asking(one({}, { room: "r-{answer.pin|last4}" }), isSecret))).toEqual([
      "rules[0].rules[0].place.room: {answer.pin} is a secret, and a secret goes nowhere",
    ]);
    expect(
      errorsOf({ lists: { pins: [{ hmac: secret }] }, ...withMatch({ from: { list: "pins" } }) })[0],
    ).toMatch(/^lists\.pins\[0\]: must be an E\.164 number .*, not a secret$/);
  });

  test("that are never keyed, or begin with one another, are warned of", () => {
    expect(warningsOf(asking(one({ "answer.pin": "12345" })))).toEqual([
      'rules[0].rules[0].match["answer.pin"]: "12345" is never keyed: the question takes 2-4 digits',
    ]);
    const values = one({ "answer.pin": ["123", "12", "34"] });
    expect(warningsOf(asking(values))).toEqual([]);
    expect(warningsOf(asking(values, { terminator: "none" }))).toEqual([
      'rules[0].ask.pin.terminator: "123" begins with "12", and no key ends an answer: the shorter is taken only after a pause; write "terminator": "#"',
    ]);
  });

  test("are asked for once on the way to a rule, by a group that has rules, nested no deeper than four", () => {
    const ask = { pin: { say: "PIN?", digits: "4" } };
    const inner = { id: "in", match: {}, ask, rules: one({}) };
    expect(errorsOf({ rules: [{ id: "out", match: {}, ask, rules: [inner] }] })).toEqual([
      "rules[0].rules[0].ask.pin: was asked by a group around this one already: choose another name",
    ]);
    expect(errorsOf(withRule({ ask }))).toEqual([
      'rules[0].ask: needs "rules" beside it, which say what each answer does',
    ]);
    const nested = (depth: number): object =>
      depth === 0
        ? { id: "leaf", match: {}, ...room }
        : { id: `g${depth}`, match: {}, rules: [nested(depth - 1)] };
    expect(errorsOf({ rules: [nested(4)] })).toEqual([]);
    expect(errorsOf({ rules: [nested(5)] })[0]).toMatch(/rules: holds groups nested deeper than 4$/);
  });

  test("are written as digits in quotes", () => {
    expect(errorsOf(asking(one({ "answer.pin": 1234 })))).toEqual([
      'rules[0].rules[0].match["answer.pin"]: must be digits in quotes, { "hmac": "…" }, a list of these, { "list": "name" }, { "pins": true } or { "none": true }, not a number -> 1234',
    ]);
    expect(errorsOf(asking(one({}), { digits: "8-4" }))).toEqual([
      'rules[0].ask.pin.digits: must be from fewer to more digits, at most 32, not "8-4" -> 4-8',
    ]);
  });
});

describe("seats", () => {
  const next = overflowTo("next", { rooms: 3 });

  test("are no more than the participants that the join lets in", () => {
    expect(errorsOf(withPlace({ capacity: 20, join: { max_participants: 10 } }))).toEqual([
      "rules[0].place.capacity: 20 seats are more than the 10 participants that max_participants lets in",
    ]);
    const defaults = { join: { max_participants: 10 } };
    expect(errorsOf({ defaults, ...withPlace({ capacity: 20 }) })).toHaveLength(1);
  });

  test("and more than a conference takes unless told are warned of", () => {
    expect(warningsOf(withPlace({ capacity: 251 }))).toEqual([
      'rules[0].place.capacity: 251 seats are more than the 250 participants that a conference takes unless told: write "max_participants" in its "join"',
    ]);
    expect(warningsOf(withPlace({ capacity: 250 }))).toEqual([]);
    expect(warningsOf(withPlace({ capacity: 251, join: { max_participants: 251 } }))).toEqual([
      "rules[0].place.join.max_participants: RELAY's guide knows no more than 250; SWML's goes to 100000",
    ]);
  });

  test("overflow by one plan, with what it needs", () => {
    const plan = (overflow: object) => errorsOf(withPlace({ capacity: 2, overflow }));
    expect(plan(overflowTo("next"))).toEqual([
      'rules[0].place.overflow: next needs "rooms": how many rooms there are',
    ]);
    expect(plan(overflowTo("reject", { rooms: 2 }))).toEqual([
      'rules[0].place.overflow.rooms: reject has one room: leave "rooms" out',
    ]);
    expect(plan(overflowTo("hand_over"))).toEqual([
      'rules[0].place.overflow: hand_over needs a URL: "swml", "cxml" or both',
    ]);
    expect(plan(overflowTo("next", { rooms: 2, say: "Full.", swml: "https://example.com" }))).toEqual([
      "rules[0].place.overflow: a caller who is handed over is told nothing: leave out the line and the reason",
    ]);
    expect(errorsOf(withPlace({ overflow: next }))).toEqual([
      "rules[0].place.overflow: nothing overflows without a capacity: write one",
    ]);
  });

  test("in numbered rooms need names that fit the wire, the last one's too", () => {
    const place = { room: "r".repeat(58), capacity: 2, overflow: next };
    expect(errorsOf(withRule({ place }), { tenant: "acme" })).toEqual([
      `rules[0].place.room: "${"r".repeat(58)}-2" is 65 characters long with the tenant's prefix, and 64 are allowed`,
    ]);
  });

  test("in rooms that no moderator comes to are warned of", () => {
    const rules = (moderator: object) => ({
      rules: [
        { id: "chair", match: { from: to }, place: { room: "a", role: "moderator", ...moderator } },
        { id: "all", match: {}, place: { room: "a", capacity: 2, overflow: next } },
      ],
    });
    expect(warningsOf(rules({}))).toEqual([
      'rules[1].place.overflow.rooms: leads to "a-2", where no rule places a moderator: who overflows into it waits for nobody; give the moderator\'s rule the same overflow',
    ]);
    expect(warningsOf(rules({ capacity: 2, overflow: next }))).toEqual([]);
  });
});

describe("roles", () => {
  test("that the join takes back are warned of", () => {
    const fight = (role: string, join: object) => warningsOf(withPlace({ role, join }));
    expect(fight("moderator", { start_on_enter: false })).toEqual([
      "rules[0].place.join.start_on_enter: fights with the role: a moderator starts the room: nobody would",
    ]);
    expect(fight("listener", { muted: false })).toEqual([
      "rules[0].place.join.muted: fights with the role: a listener is muted: this one would be heard",
    ]);
    const coach = { role: "coach", coach: { role: "participant" } };
    expect(warningsOf(withPlace({ ...coach, join: { muted: true } }))).toEqual([
      "rules[0].place.join.muted: fights with the role: a coach is heard by one participant: this one would be by none",
    ]);
    expect(errorsOf(withPlace({ ...coach, join: { coach: "abc" } }))).toEqual([
      'rules[0].place.join.coach: fights with the role: whom a coach coaches is found by "coach" beside the room',
    ]);
  });

  test("a coach says whom, and nobody else does", () => {
    expect(errorsOf(withPlace({ role: "coach" }))).toEqual([
      'rules[0].place: a coach needs to know whom: write "coach": { "call_from": … } or { "role": … }',
    ]);
    expect(errorsOf(withPlace({ coach: { role: "participant" } }))).toEqual([
      'rules[0].place.coach: only the role of a coach coaches: write "role": "coach"',
    ]);
    expect(errorsOf(withPlace({ role: "coach", coach: {} }))).toEqual([
      "rules[0].place.coach: takes exactly one of call_from, role, and has none",
    ]);
    expect(errorsOf(withPlace({ role: "coach", coach: { role: "agnt" } }))[0]).toMatch(
      /^rules\[0\]\.place\.coach\.role: there is no role "agnt"; there are "moderator", "participant"/,
    );
  });
});

test("a match that opposes every call is an error", () => {
  expect(errorsOf(withMatch({ not: {} }))).toEqual([
    "rules[0].match.not: is every call, so that no call is left: write what it must not be",
  ]);
});

test("presence and lists are told apart by the key that was nearly meant", () => {
  expect(errorsOf(withMatch({ headers: { a: { presnt: true } } }))).toEqual([
    "rules[0].match.headers.a.present: is missing: true or false",
    "rules[0].match.headers.a.presnt: unknown key; allowed here: present -> present",
  ]);
});

test("a join of more than 250, or told of by http, is warned of wherever it stands", () => {
  const join = { max_participants: 300, status_callback: "http://example.com" };
  expect(warningsOf({ roles: { big: join }, ...withJoin({}) })).toEqual([
    "roles.big.max_participants: RELAY's guide knows no more than 250; SWML's goes to 100000",
    "roles.big.status_callback: is not https: what is sent there can be read on the way",
  ]);
});

test.each(["list", "role", "schedule"])(
  "20,000 rules that name a %s that there is not are refused without delay",
  (what) => {
    const names = Array.from({ length: 20_000 }, (_, n) => `${"name-of-some-length-".repeat(2)}${n}`);
    const known = (value: unknown) => Object.fromEntries(names.map((name) => [name, value]));
    const rules = names.map((name, n) => ({
      id: `r${n}`,
      match:
        what === "list" ? { to: { list: `${name}x` } } : what === "schedule" ? { during: `${name}x` } : {},
      place: { room: "board", ...(what === "role" ? { role: `${name}x` } : {}) },
    }));
    const named = {
      list: { lists: known(["+15550100001"]) },
      role: { roles: known({ muted: true }) },
      schedule: { schedules: known({ open: ["mon-fri 09:00-17:00"] }) },
    }[what];
    const begun = performance.now();
    expect(parseRuleset({ ...named, rules }).ok).toBe(false);
    expect(performance.now() - begun).toBeLessThan(15_000);
  },
);
