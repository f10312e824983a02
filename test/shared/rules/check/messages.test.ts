import { expect, test } from "vitest";
import { parseRuleset } from "../../../../shared/rules/check/parse.ts";
import { overflowTo } from "../readings.ts";

/** What is allowed, as many messages say it. */
const ADDRESS =
  'must be an E.164 number such as "+15550100100", a prefix such as "+1555*", a SIP URI such as "sip:*@example.com", or "anonymous"';
const RULE_KEYS = "unknown key; allowed here: id, match, place, reject, hand_over, ask, rules";
const PLACE_KEYS =
  "unknown key; allowed here: room, role, coach, announce, recording_notice, wait, rejoin_s, capacity, overflow, sticky, after, max_duration_s, lock, mute_all, when_moderator_leaves, speaking, join";
const JOIN_KEYS =
  "unknown key; allowed here: muted, beep, start_on_enter, end_on_exit, wait_url, max_participants, record, region, trim, coach, status_callback, status_callback_event, status_callback_event_type, status_callback_method, recording_status_callback, recording_status_callback_event, recording_status_callback_event_type, recording_status_callback_method, stream";
const TOP_KEYS =
  "unknown key; allowed here: ways_in, timezone, lists, schedules, roles, defaults, rules, fallback";
const ZONE = "must be a time zone of the IANA database such as America/New_York";
const OPEN = 'must be days and hours such as "mon-fri 09:00-17:30" or "sat,sun 22:00-06:00"';
const DATES =
  'must be a date such as "2026-12-25", or "12-25" for every year, or the first and last of several such as "2026-12-21..2027-01-01"';
const DIGITS =
  'must be how many digits, at least 1, such as "4" or "4-8", or "0-8" where nothing is an answer, too';
const ON_TEXT =
  "there are contains(), endsWith(), indexOf(), lastIndexOf(), lowerAscii(), size(), split(), startsWith(), substring(), trim(), upperAscii()";
const VARIABLES = "there are answer, call, now, params, tenant, vars";
const CALL_FIELDS = "it has call_id, from, to, direction, type, via, headers";

const rule = (changes: object): object => ({
  rules: [{ id: "one", match: {}, place: { room: "one" }, ...changes }],
});
const match = (matched: unknown) => rule({ match: matched });
const when = (text: string) => match({ when: text });
const place = (changes: object) => rule({ place: { room: "one", ...changes } });
const join = (parameters: unknown) => place({ join: parameters });
const rejecting = (reject: unknown): object => ({ rules: [{ id: "one", match: {}, reject }] });
const schedule = (office: unknown): object => ({
  timezone: "UTC",
  schedules: { office },
  ...match({ during: "office" }),
});
const ask = (question: object, wanted: unknown = "1"): object => ({
  rules: [
    {
      id: "one",
      match: {},
      ask: { pin: { say: "PIN?", digits: "4", ...question } },
      rules: [{ id: "in", match: { "answer.pin": wanted }, place: { room: "a" } }],
    },
  ],
});

/** Errors and warnings, each as a person reads it: path, message, and what was probably meant. */
function problemsOf(source: unknown, tenant?: string): string[] {
  const { warnings, ...parsed } = parseRuleset(source, tenant === undefined ? {} : { tenant });
  return [...(parsed.ok ? [] : parsed.errors), ...warnings].map(
    ({ path, message, suggestion }) =>
      `${path}: ${message}${suggestion === undefined ? "" : ` -> ${suggestion}`}`,
  );
}

test.each<[source: unknown, problem: string]>([
  [join({ muted: "off" }), 'rules[0].place.join.muted: must be true or false, not "off": write false'],
  [join({ muted: "yes" }), 'rules[0].place.join.muted: must be true or false, not "yes": write true'],
  [
    join({ muted: "True" }),
    'rules[0].place.join.muted: must be true or false, not "True": write true, without quotes',
  ],
  [join({ muted: 1 }), "rules[0].place.join.muted: must be true or false, not 1: write true"],
  [
    join({ start_on_enter: "n" }),
    'rules[0].place.join.start_on_enter: must be true or false, not "n": write false',
  ],
  [ask({ secret: "on" }, "1234"), 'rules[0].ask.pin.secret: must be true or false, not "on": write true'],
  [join({ muted: "maybe" }), 'rules[0].place.join.muted: must be true or false, not "maybe"'],
])("a word or number for true or false is an error that says which to write", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [{ timezone: "EST5", rules: [] }, `timezone: ${ZONE}, not "EST5" -> America/New_York`],
  [
    { timezone: "US/Pacific Time", rules: [] },
    `timezone: ${ZONE}, not "US/Pacific Time" -> America/Los_Angeles`,
  ],
  [
    { timezone: "W. Europe Standard Time", rules: [] },
    `timezone: ${ZONE}, not "W. Europe Standard Time" -> Europe/Berlin`,
  ],
  [
    { timezone: "+01:00", rules: [] },
    `timezone: ${ZONE}, not "+01:00": an offset knows no daylight-saving time: write the zone of a place`,
  ],
  [{ timezone: "India", rules: [] }, `timezone: ${ZONE}, not "India" -> Asia/Kolkata`],
  [{ timezone: "Mars/Base", rules: [] }, `timezone: ${ZONE}, not "Mars/Base"`],
  [{ timezone: 5, rules: [] }, "timezone: must be text, not 5 -> 5"],
])(
  "a time zone that there is not is an error that names the nearest, where that is no guess",
  (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  },
);

test.each<[source: unknown, problem: string]>([
  [
    place({ record: "record-from-start" }),
    `rules[0].place.record: ${PLACE_KEYS}; it belongs inside "join": "join": { "record": … }`,
  ],
  [
    place({ muted: true }),
    `rules[0].place.muted: ${PLACE_KEYS}; it belongs inside "join": "join": { "muted": … }`,
  ],
  [
    join({ capacity: 5 }),
    `rules[0].place.join.capacity: ${JOIN_KEYS}; it belongs in "place", beside "join": "place": { "capacity": … }`,
  ],
  [rule({ room: "x" }), `rules[0].room: ${RULE_KEYS}; it belongs inside "place": "place": { "room": … }`],
  [
    rule({ to: "+15550100100" }),
    `rules[0].to: ${RULE_KEYS}; it belongs inside "match": "match": { "to": … }`,
  ],
  [
    rule({ "answer.pin": "1" }),
    `rules[0]["answer.pin"]: ${RULE_KEYS}; it belongs inside "match": "match": { "answer.pin": … }`,
  ],
  [
    rule({ digits: "4" }),
    `rules[0].digits: ${RULE_KEYS}; it belongs inside a question: "ask": { "<name>": { "digits": … } }`,
  ],
  [
    rule({ timezone: "UTC" }),
    `rules[0].timezone: ${RULE_KEYS}; it belongs at the top of the ruleset, beside "rules"`,
  ],
  [
    { defaults: { record: "record-from-start" }, rules: [] },
    'defaults.record: unknown key; allowed here: join, recording_notice, language, voice; it belongs inside "join": "join": { "record": … }',
  ],
  [
    { open: ["mon 09:00-10:00"], rules: [] },
    `open: ${TOP_KEYS}; it belongs inside a schedule: "schedules": { "<name>": { … } }`,
  ],
  [{ room: "x", rules: [] }, `room: ${TOP_KEYS}; it belongs inside a rule: "place": { "room": … }`],
  [
    { project_id: "x", rules: [] },
    `project_id: ${TOP_KEYS}; it belongs in a tenant's record, not in a ruleset`,
  ],
  [
    place(overflowTo("next")),
    `rules[0].place.then: ${PLACE_KEYS}; it belongs inside "overflow": "overflow": { "then": … }`,
  ],
  [
    place({ say: "hi" }),
    `rules[0].place.say: ${PLACE_KEYS}; it belongs inside "announce": "announce": { "say": … }`,
  ],
  [
    rule({ reason: "busy" }),
    `rules[0].reason: ${RULE_KEYS}; it belongs inside "reject": "reject": { "reason": … }`,
  ],
  [
    place({ reject: { reason: "busy" } }),
    `rules[0].place.reject: ${PLACE_KEYS}; it belongs in the rule itself, beside "place"`,
  ],
  [
    place({ max_s: 60 }),
    `rules[0].place.max_s: ${PLACE_KEYS}; it belongs inside "wait": "wait": { "max_s": … }`,
  ],
  [
    match({ match: {} }),
    'rules[0].match.match: unknown key; allowed here: to, from, direction, type, headers, params, vars, during, outside, when, not, answer.<name>; it belongs in the rule itself, beside "match"',
  ],
  [rule({ join: {} }), `rules[0].join: ${RULE_KEYS}; it belongs inside "place": "place": { "join": … }`],
  [
    rule({ secret: true }),
    `rules[0].secret: ${RULE_KEYS}; it belongs inside a question: "ask": { "<name>": { "secret": … } }`,
  ],
])("a key in the wrong place is an error that says where it belongs", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [
    place({ capacity: "20" }),
    'rules[0].place.capacity: must be a number, not "20": write 20, without quotes',
  ],
  [place({ capacity: "many" }), 'rules[0].place.capacity: must be a number, not "many"'],
  [ask({ tries: "3" }, "1234"), 'rules[0].ask.pin.tries: must be a number, not "3": write 3, without quotes'],
  [
    place({ rejoin_s: "2m" }),
    'rules[0].place.rejoin_s: must be a number, not "2m": it is in seconds: write 120',
  ],
  [place({ capacity: 2.5 }), "rules[0].place.capacity: must be a whole number, not 2.5"],
  [place({ capacity: 0 }), "rules[0].place.capacity: must be at least 1, not 0"],
  [
    join({ max_participants: "50" }),
    'rules[0].place.join.max_participants: must be a number, not "50": write 50, without quotes',
  ],
])("a number in quotes, or none, is an error that says how to write it", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [
    join({ record: true }),
    'rules[0].place.join.record: must be one of "do-not-record", "record-from-start", not true -> record-from-start',
  ],
  [
    join({ record: "no" }),
    'rules[0].place.join.record: must be one of "do-not-record", "record-from-start", not "no" -> do-not-record',
  ],
  [
    join({ trim: true }),
    'rules[0].place.join.trim: must be one of "trim-silence", "do-not-trim", not true -> trim-silence',
  ],
  [
    join({ beep: "on" }),
    'rules[0].place.join.beep: must be one of "true", "false", "onEnter", "onExit", not "on" -> true',
  ],
  [
    join({ beep: true }),
    'rules[0].place.join.beep: must be one of "true", "false", "onEnter", "onExit", not true -> true',
  ],
  [
    join({ region: "europe" }),
    'rules[0].place.join.region: must be one of "global", "us", "eu", "ch", not "europe" -> eu',
  ],
])("a word that is none of a set is an error that names the one that was meant", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [rejecting("busy"), 'rules[0].reject: must be an object, not "busy": write { "reason": "busy" }'],
  [
    rejecting("We are closed."),
    'rules[0].reject: must be an object, not "We are closed.": write { "say": "We are closed." }',
  ],
  [
    rejecting(true),
    'rules[0].reject: must be an object, not true: write { "reason": "busy" } or { "say": "…" }',
  ],
  [
    place({ capacity: 2, overflow: "queue" }),
    'rules[0].place.overflow: must be an object, not "queue": write { "then": "wait" }',
  ],
  [
    place({ capacity: 2, overflow: "next" }),
    'rules[0].place.overflow: must be an object, not "next": write { "then": "next", "rooms": 5 }',
  ],
  [
    place({ capacity: 2, overflow: overflowTo("queue") }),
    'rules[0].place.overflow.then: must be one of "next", "spread", "wait", "reject", "hand_over", not "queue" -> wait',
  ],
  [
    rule({ place: "support" }),
    'rules[0].place: must be an object, not "support": write { "room": "support" }',
  ],
  [
    { rules: [{ id: "one", match: {}, hand_over: "https://example.com/vm" }] },
    'rules[0].hand_over: must be an object, not "https://example.com/vm": write { "swml": "https://example.com/vm" }',
  ],
  [
    place({ after: "https://example.com/vm" }),
    'rules[0].place.after: must be "hang_up", not "https://example.com/vm": write { "hand_over": { "swml": "https://example.com/vm" } }',
  ],
  [
    place({ wait: "moderator" }),
    'rules[0].place.wait: must be an object, not "moderator": write { "for": "moderator" }',
  ],
  [
    place({ role: "coach", coach: "agent" }),
    'rules[0].place.coach: must be an object, not "agent": write { "role": "agent" }',
  ],
  [
    match("+15550100100"),
    'rules[0].match: must be an object, not "+15550100100": write { "to": "+15550100100" }',
  ],
  [match("*"), 'rules[0].match: must be an object, not "*": write {}, which is every call'],
  [
    match([]),
    'rules[0].match: must be an object, not a list: write { "to": "+15550100100" }, or {} for every call',
  ],
  [join("muted"), 'rules[0].place.join: must be an object, not "muted": write { "muted": true }'],
  [
    {
      rules: [
        { id: "one", match: {}, ask: "PIN?", rules: [{ id: "b", match: {}, reject: { reason: "busy" } }] },
      ],
    },
    'rules[0].ask: must be an object, not "PIN?": write { "pin": { "say": "…", "digits": "4" } }',
  ],
  [
    {
      rules: [
        {
          id: "one",
          match: {},
          ask: { say: "PIN?" },
          rules: [{ id: "b", match: {}, reject: { reason: "busy" } }],
        },
      ],
    },
    'rules[0].ask.say: must be an object, not "PIN?": write { "ask": { "<name>": { "say": "…", "digits": "4" } } }: each question has a name',
  ],
  [
    join({ stream: "wss://example.com" }),
    'rules[0].place.join.stream: must be an object, not "wss://example.com": write { "url": "wss://example.com" }',
  ],
  [
    { lists: { vips: "+15550100001" }, ...match({ from: { list: "vips" } }) },
    'lists.vips: must be a list, or { "kv": "name" }, not text: write ["+15550100001"]',
  ],
  [
    { rules: { a: {} } },
    'rules: must be a list, not an object: write [ { "id": "…", … } ], a list in the order in which rules are looked at',
  ],
  [
    { rules: ["a"] },
    'rules[0]: must be an object, not "a": write { "id": "…", "match": { … }, "place": { "room": "…" } }',
  ],
  [
    { roles: { agent: "muted" }, rules: [] },
    'roles.agent: must be an object, not "muted": write { "muted": true }, or other parameters of a join',
  ],
  [
    { timezone: "UTC", schedules: { office: "mon-fri 9-17" }, ...match({ during: "office" }) },
    'schedules.office: must be an object, not "mon-fri 9-17": write { "open": ["mon-fri 09:00-17:00"] }',
  ],
])(
  "the chief part alone, in place of an object or a list, is an error that shows the form",
  (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  },
);

test.each<[source: unknown, problem: string]>([
  [
    schedule({ open: "mon-fri 9-17" }),
    'schedules.office.open: must be a list, not "mon-fri 9-17": write ["mon-fri 09:00-17:00"]',
  ],
  [
    schedule({ open: ["9am-5pm"] }),
    `schedules.office.open[0]: ${OPEN}, not "9am-5pm": the days are missing, and the hours are 09:00-17:00: write "mon-fri 09:00-17:00", say`,
  ],
  [
    schedule({ open: ["Mon-Fri 9am-5pm"] }),
    `schedules.office.open[0]: ${OPEN}, not "Mon-Fri 9am-5pm" -> mon-fri 09:00-17:00`,
  ],
  [schedule({ open: ["mon-fri 9-5"] }), `schedules.office.open[0]: ${OPEN}, not "mon-fri 9-5"`],
  [schedule({ open: ["24/7"] }), `schedules.office.open[0]: ${OPEN}, not "24/7" -> mon-sun 00:00-24:00`],
  [
    schedule({ open: ["mon 09:00-10:00"], on: { "2026-12-24": ["9am-1pm"] } }),
    'schedules.office.on["2026-12-24"][0]: must be hours such as "09:00-12:00", not "9am-1pm" -> 09:00-13:00',
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], on: { "2026-12-24": "9-13" } }),
    'schedules.office.on["2026-12-24"]: must be a list, not "9-13": write ["09:00-13:00"]',
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], on: { "2026-12-24": "closed" } }),
    'schedules.office.on["2026-12-24"]: must be a list, not "closed": write [] where it is closed all day',
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], closed: ["25.12.2026"] }),
    `schedules.office.closed[0]: ${DATES}, not "25.12.2026" -> 2026-12-25`,
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], closed: ["01/02/2027"] }),
    `schedules.office.closed[0]: ${DATES}, not "01/02/2027"`,
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], closed: "2026-12-21 to 2027-01-01" }),
    `schedules.office.closed: ${DATES}, not "2026-12-21 to 2027-01-01" -> 2026-12-21..2027-01-01`,
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], closed: "2027-01-02..2026-12-21" }),
    `schedules.office.closed: ${DATES}, not "2027-01-02..2026-12-21": the last date comes before the first`,
  ],
  [
    schedule({ open: ["mon 09:00-10:00"], on: { "Dec 24": ["09:00-10:00"] } }),
    'schedules.office.on["Dec 24"]: the key must be a date such as "2026-12-25", or "12-25" for every year -> 12-24',
  ],
  [
    schedule({ open: ["mon 09:00-09:00"] }),
    "schedules.office.open[0]: begins when it ends: all day is 00:00-24:00",
  ],
  [
    { ...match({ during: "always" }) },
    'rules[0].match.during: there is no schedule "always"; there are no schedules',
  ],
])(
  "hours and dates as people write them are errors with the form that rules take, where there is one reading",
  (source, problem) => {
    expect(problemsOf(source)).toEqual([problem]);
  },
);

test.each<[source: unknown, problem: string]>([
  [
    ask({ digits: "0-6" }, "1234"),
    'rules[0].ask.pin.digits: takes no digits, too, and no rule of the group says what then: write a rule with "answer.pin": { "none": true }, or at least 1 digit -> 1-6',
  ],
  [ask({ digits: "0" }, "1234"), `rules[0].ask.pin.digits: ${DIGITS}, not "0"`],
  [ask({ digits: "4 to 8" }, "1234"), `rules[0].ask.pin.digits: ${DIGITS}, not "4 to 8" -> 4-8`],
  [
    ask({ digits: "8-4" }, "1234"),
    'rules[0].ask.pin.digits: must be from fewer to more digits, at most 32, not "8-4" -> 4-8',
  ],
  [ask({ digits: 4 }, "1234"), "rules[0].ask.pin.digits: must be text, not 4 -> 4"],
  [
    ask({ digits: "40" }, "1234"),
    'rules[0].ask.pin.digits: must be from fewer to more digits, at most 32, not "40"',
  ],
  [
    ask({}, { none: true }),
    'rules[0].rules[0].match["answer.pin"].none: never holds: the question takes at least 4 digits, and asks again until it has them; write "digits": "0-4" where it is asked',
  ],
])("digits that no question takes are errors that say how many there may be", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [null, ': is empty: write at least { "rules": [] }'],
  [[], ': must be an object, not a list: write { "rules": [ … ] }'],
  ["[1,\n2,]", ": is not JSON: line 2, column 3"],
])("what is no ruleset at all is an error that says how one begins", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [match({ from: "*" }), `rules[0].match.from: ${ADDRESS}, not "*": leave "from" out, where any will do`],
  [match({ to: "any" }), `rules[0].match.to: ${ADDRESS}, not "any": leave "to" out, where any will do`],
  [match({ to: ["*"] }), `rules[0].match.to[0]: ${ADDRESS}, not "*": leave "to" out, where any will do`],
  [
    match({ type: "any" }),
    'rules[0].match.type: must be one of "phone", "sip", "webrtc", not "any": leave "type" out, where any will do',
  ],
  [
    match({ direction: "incoming" }),
    'rules[0].match.direction: must be one of "inbound", "outbound", not "incoming" -> inbound',
  ],
  [match({ to: "030 5550110" }), `rules[0].match.to: ${ADDRESS}, not "030 5550110"`],
  [match({ to: "0113 4960000" }), `rules[0].match.to: ${ADDRESS}, not "0113 4960000"`],
])("an address for any caller is to be left out, and a local number is not guessed at", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [
    join({ stream_obj: { url: "wss://example.com" } }),
    `rules[0].place.join.stream_obj: ${JOIN_KEYS} -> stream`,
  ],
  [
    join({ startConferenceOnEnter: true }),
    `rules[0].place.join.startConferenceOnEnter: ${JOIN_KEYS} -> start_on_enter`,
  ],
  [
    join({ end_conference_on_exit: true }),
    `rules[0].place.join.end_conference_on_exit: ${JOIN_KEYS} -> end_on_exit`,
  ],
  [
    place({ stream_obj: {} }),
    `rules[0].place.stream_obj: ${PLACE_KEYS}; as "stream" it belongs inside "join": "join": { "stream": … }`,
  ],
  [rule({ name: "x" }), `rules[0].name: ${RULE_KEYS} -> id`],
  [
    join({ statusCallback: "https://example.com" }),
    `rules[0].place.join.statusCallback: ${JOIN_KEYS} -> status_callback`,
  ],
])("the name that SignalWire's other languages have for a key is an error with ours", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [
    ask({ terminator: "#" }, "1234#"),
    'rules[0].rules[0].match["answer.pin"]: "1234#" is never keyed: # ends the answer, and is no part of it -> 1234',
  ],
  [
    ask({}, "12-34"),
    'rules[0].rules[0].match["answer.pin"]: must be what can be keyed: 1 to 32 digits, * and #, such as "1234", not text -> 1234',
  ],
  [
    ask({}, 1234),
    'rules[0].rules[0].match["answer.pin"]: must be digits in quotes, { "hmac": "…" }, a list of these, { "list": "name" }, { "pins": true } or { "none": true }, not a number -> 1234',
  ],
  [
    ask({ terminator: "*" }, "123*"),
    'rules[0].rules[0].match["answer.pin"]: "123*" is never keyed: * ends the answer, and is no part of it',
  ],
])("digits that cannot be keyed so are told, with those that can", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test.each<[source: unknown, problem: string]>([
  [
    when("now.hour > 9"),
    "rules[0].match.when: now is a time, and has no hour, at character 1: a time zone's clock is asked with functions, such as now.getHours('Europe/Berlin') -> now.getHours('Europe/Berlin')",
  ],
  [
    when("now.weekday == 1"),
    "rules[0].match.when: now is a time, and has no weekday, at character 1: a time zone's clock is asked with functions, such as now.getHours('Europe/Berlin') -> now.getDayOfWeek('Europe/Berlin')",
  ],
  [
    when("answer.foo == '1'"),
    'rules[0].match.when: nothing asks for "foo" before this rule is looked at, at character 1',
  ],
  [
    when("'foo' in answer"),
    'rules[0].match.when: nothing asks for "foo" before this rule is looked at, at character 1',
  ],
  [when("call.foo == 'x'"), `rules[0].match.when: call has no foo, at character 6; ${CALL_FIELDS}`],
  [
    when("call.header['x'] == 'x'"),
    `rules[0].match.when: call has no header, at character 6; ${CALL_FIELDS} -> call.headers`,
  ],
  [
    when("call.form == 'x'"),
    `rules[0].match.when: call has no form, at character 6; ${CALL_FIELDS} -> call.from`,
  ],
  [
    when("call.from.startswith('+1')"),
    `rules[0].match.when: there is no function startswith(), at character 1; ${ON_TEXT} -> startsWith`,
  ],
  [
    when("call.from.toLowerCase() == 'x'"),
    `rules[0].match.when: there is no function toLowerCase(), at character 1; ${ON_TEXT} -> lowerAscii`,
  ],
  [
    when("len(call.from) > 2"),
    "rules[0].match.when: there is no function len(), at character 1; there are bool(), double(), duration(), dyn(), has(), int(), size(), string(), timestamp(), type(), uint() -> size",
  ],
  [when("call.from.foo()"), `rules[0].match.when: there is no function foo(), at character 1; ${ON_TEXT}`],
  [
    when("now.getHour('UTC') > 2"),
    "rules[0].match.when: there is no function getHour(), at character 1; there are getDate(), getDayOfMonth(), getDayOfWeek(), getDayOfYear(), getFullYear(), getHours(), getMilliseconds(), getMinutes(), getMonth(), getSeconds() -> getHours",
  ],
  [
    when("now.getHours() > 2"),
    "rules[0].match.when: getHours() without a time zone is in UTC, at character 1: write getHours('Europe/Berlin'), say",
  ],
  [
    when("now.getHours('US/Pacific Time') > 2"),
    'rules[0].match.when: "US/Pacific Time" is no time zone of the IANA database, at character 1 -> America/Los_Angeles',
  ],
  [when("tenat == 'x'"), `rules[0].match.when: there is no tenat, at character 1; ${VARIABLES} -> tenant`],
  [when("from == '+1'"), `rules[0].match.when: there is no from, at character 1; ${VARIABLES} -> call.from`],
  [
    when("tenant.id == 'acme'"),
    "rules[0].match.when: tenant is text, and has no id, at character 1: it is the tenant's id -> tenant",
  ],
  [
    when("call.headers.x-tier == 'gold'"),
    "rules[0].match.when: there is no tier, at character 16: a name with - in it stands in brackets -> call.headers['x-tier']",
  ],
  [
    when("call.headers['X-Tier'] == 'gold'"),
    'rules[0].match.when: call.headers has its names in lower case, and never "X-Tier", at character 1 -> x-tier',
  ],
  [when("call.from = '+1'"), "rules[0].match.when: cannot be read, at character 11: write == to compare"],
  [
    when("call.from == '+1' and tenant == 'x'"),
    "rules[0].match.when: cannot be read, at character 19: write && for and",
  ],
  [when("not call.from == '+1'"), "rules[0].match.when: cannot be read, at character 5: write ! for not"],
  [
    when("not(call.from == '+1')"),
    "rules[0].match.when: there is no function not(), at character 1: write ! for not",
  ],
  [
    when("call.from matches '^555'"),
    "rules[0].match.when: cannot be read, at character 11: there is no matches: write startsWith(), endsWith() or contains()",
  ],
  [
    when("call.from contains '555'"),
    "rules[0].match.when: cannot be read, at character 11: a function stands behind a dot: call.from.contains('555')",
  ],
  [
    when("size(call.from) > 3 || null"),
    "rules[0].match.when: &&, || and ! join what is true or false, not null, at character 1",
  ],
  [when(""), "rules[0].match.when: must not be empty"],
  [
    when("now.getHours('UTC') > '9'"),
    "rules[0].match.when: compares what is not of one kind (a number > text), at character 1: text stands in quotes, numbers do not",
  ],
  [when("(call.from == '+1'"), "rules[0].match.when: cannot be read, at character 19: a ) is missing"],
  [when("call.from"), "rules[0].match.when: gives text, not true or false"],
  [
    when("call.via == 'xml'"),
    'rules[0].match.when: is never true, at character 1: call.via is one of "swml", "cxml", "relay", not "xml" -> cxml',
  ],
  [
    when("call.direction == 'in'"),
    'rules[0].match.when: is never true, at character 1: call.direction is one of "inbound", "outbound", not "in" -> inbound',
  ],
  [
    when("call.from.number == 'x'"),
    "rules[0].match.when: call.from is text, and has no number, at character 1 -> call.from",
  ],
  [when("var.x == 'a'"), `rules[0].match.when: there is no var, at character 1; ${VARIABLES} -> vars`],
  [
    when("call.from.contains(1)"),
    "rules[0].match.when: contains() of text does not take a number here, at character 1",
  ],
  [when("call.from == gold"), `rules[0].match.when: there is no gold, at character 14; ${VARIABLES}`],
])("what an expression reads that there is not is told, with what there is", (source, problem) => {
  expect(problemsOf(source)).toEqual([problem]);
});

test("a tenant's rules that compare its id with another are told so, where it is known whose they are", () => {
  expect(problemsOf(when("tenant == 'acme'"), "acme")).toEqual([]);
  expect(problemsOf(when("tenant == 'acme'"))).toEqual([]);
  expect(problemsOf(when("tenant == 'acme'"), "school")).toEqual([
    'rules[0].match.when: is never true, at character 1: these are the rules of the tenant "school", not of "acme"',
  ]);
});

test("what parts mean is checked though the shape of others is wrong, and every fault is told at once", () => {
  const source = {
    timezone: "EST5",
    lists: { vips: ["+1555*", "555-010-0100"] },
    schedules: { office: { open: "mon-fri 9-17" } },
    rules: [
      {
        id: "one",
        match: { from: { list: "vip" }, during: "ofice" },
        place: { room: "a", capacity: "20", join: { muted: "off" } },
      },
      { id: "one", match: { from: { list: "vips" }, when: "now.hour > 9" }, reject: "busy" },
      { id: "two", match: { form: "+1555*" }, place: { room: "zwölf", role: "agent" } },
    ],
  };
  expect(problemsOf(source)).toEqual([
    `timezone: ${ZONE}, not "EST5" -> America/New_York`,
    'schedules.office.open: must be a list, not "mon-fri 9-17": write ["mon-fri 09:00-17:00"]',
    'rules[0].place.capacity: must be a number, not "20": write 20, without quotes',
    'rules[0].place.join.muted: must be true or false, not "off": write false',
    'rules[1].reject: must be an object, not "busy": write { "reason": "busy" }',
    "rules[2].match.form: unknown key; allowed here: to, from, direction, type, headers, params, vars, during, outside, when, not, answer.<name> -> from",
    'rules[0].match.from.list: there is no list "vip"; there are "vips" -> vips',
    'rules[0].match.during: there is no schedule "ofice"; there are "office" -> office',
    'rules[1].id: "one" is the id of rules[0] already: ids are used once',
    `lists.vips[1]: ${ADDRESS}, not "555-010-0100" -> +15550100100`,
    "rules[1].match.when: now is a time, and has no hour, at character 1: a time zone's clock is asked with functions, such as now.getHours('Europe/Berlin') -> now.getHours('Europe/Berlin')",
    'rules[2].place.room: "zwölf" holds a character that is not printable ASCII',
    'rules[2].place.role: there is no role "agent"; there are "moderator", "participant", "listener", "coach"',
  ]);
});

test("a fault that only comes of another is not told: a room without seats to count overflows, but it has a wrong count", () => {
  expect(problemsOf(place({ capacity: "20", overflow: overflowTo("reject") }))).toEqual([
    'rules[0].place.capacity: must be a number, not "20": write 20, without quotes',
  ]);
  expect(problemsOf({ rules: [{ id: "one", match: {}, plce: { room: "a" } }] })).toEqual([
    `rules[0].plce: ${RULE_KEYS} -> place`,
  ]);
});

test("rules that serve are not stopped by what is only refused where rules are written", () => {
  const written = when("now.hour > 9 || answer.foo == '1' || tenant == 'acme'");
  expect(parseRuleset(written, { tenant: "school", serving: true }).ok).toBe(true);
  expect(problemsOf(written, "school")).toHaveLength(3);
});

test("a time zone's abbreviation is warned of, for what it is read as is seldom meant", () => {
  expect(problemsOf({ timezone: "BST", rules: [] })).toEqual([
    'timezone: "BST" is an abbreviation, and read as Asia/Dhaka: write the zone of a place',
  ]);
  expect(problemsOf({ timezone: "EST", rules: [] })).toEqual([
    'timezone: "EST" is an abbreviation, and read as America/Panama: write the zone of a place -> America/New_York',
  ]);
});
