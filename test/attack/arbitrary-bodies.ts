import fc from "fast-check";
import { name, seldom, value, word } from "./arbitrary-values.ts";
import { type Body, FORM, JSON_TYPE, type Value } from "./bodies.ts";
import { callIds } from "./environment.ts";
import { familyOf } from "./inputs.ts";
import { numbers } from "./rules.ts";

type Fields = fc.Arbitrary<[string, Value][]>;

/** Fields that are right, of which some are changed, left out, or come twice. */
function fields(usual: Record<string, fc.Arbitrary<Value>>): Fields {
  return fc
    .tuple(
      fc.record(usual),
      seldom(null, 3, fc.tuple(fc.constantFrom(...Object.keys(usual)), value)),
      seldom(null, 9, fc.constantFrom(...Object.keys(usual))),
      seldom(null, 4, fc.tuple(fc.oneof(fc.constantFrom(...Object.keys(usual)), name), value)),
    )
    .map(([given, changed, left_out, added]) => {
      const right = Object.entries(given).filter(([key]) => key !== left_out);
      const made = right.map(([key, one]): [string, Value] => [key, key === changed?.[0] ? changed[1] : one]);
      return added === null ? made : [...made, added];
    });
}

export const addresses = [
  ...Object.values(numbers),
  "+15550109999",
  "sip:bob@example.com",
  "/public/bridge",
  "sip:<long 129>@example.com",
];
/** Ids of calls that are there, of one that is not, and of a few that come again and again. */
export const callId = fc.constantFrom(...callIds, "nobody", "made-up-1", "made-up-2");
/** Of calls of which nobody else knows. */
export const ownCallId = fc.oneof(
  fc.constantFrom("alfa-1", "alfa-2", "made-up-1", "made-up-2"),
  fc.integer({ min: 0, max: 1e9 }).map((number) => `made-up-${number}`),
);

const headers: fc.Arbitrary<Value> = fc
  .array(
    fc.tuple(
      fc.constantFrom("X-Site", "x-room", "__proto__", "constructor", "Authorization"),
      fc.oneof(fc.constant<Value>("lab-1"), value),
    ),
    { maxLength: 3 },
  )
  .map((pairs) =>
    pairs.map(
      ([key, one]): Value => ({
        fields: [
          ["name", key],
          ["value", one],
        ],
      }),
    ),
  );

const keyed: Fields = fc.oneof(
  fc.constant<[string, Value][]>([]),
  fc.tuple(value, value).map(([result, digits]): [string, Value][] => [
    ["prompt_result", result],
    ["prompt_value", digits],
  ]),
  fc.array(fc.tuple(name, value), { maxLength: 3 }),
);

function call(id: fc.Arbitrary<string>): fc.Arbitrary<Body> {
  return fc.record({
    is: fc.constant("call" as const),
    as: fc.constantFrom("json" as const, "form" as const),
    call: fields({
      call_id: id,
      node_id: fc.constant("node-1@us-east"),
      call_state: fc.constantFrom("created", "answered"),
      direction: fc.constant("inbound"),
      type: fc.constantFrom("phone", "sip"),
      from: fc.constantFrom("+15550100001", "+15550100002", "anonymous", "sip:amy@example.com"),
      to: fc.constantFrom(...addresses),
      headers,
    }),
    vars: keyed,
    params: fc.oneof(
      fc.constant<[string, Value][]>([]),
      fc.array(
        fc.tuple(
          fc.oneof(fc.constantFrom("team", "partyline", "SipHeader_x-room", "SipHeader_x-site"), name),
          value,
        ),
        { maxLength: 4 },
      ),
    ),
    more: seldom<[string, Value][], [string, Value][]>(
      [],
      5,
      fc.array(fc.tuple(name, value), { maxLength: 3 }),
    ),
  });
}

const statuses = [
  "participant-join",
  "participant-leave",
  "participant-mute",
  "conference-start",
  "conference-end",
  "record-stop",
  "recording-completed",
];
const event: fc.Arbitrary<Body> = fc.record({
  is: fc.constant("event" as const),
  as: fc.constantFrom("json" as const, "form" as const),
  event_type: seldom<Value, Value>("calling.conference", 7, value),
  timestamp: fc.oneof(
    fc.constantFrom<Value>(1e12, 4e9, 0, -1, 1e308, "Thu, 01 Jan 2099 00:00:00 GMT", "2099"),
    value,
  ),
  params: fields({
    status: fc.constantFrom(...statuses),
    name: fc.constantFrom("alfa:team", "bravo:team", "charlie:team", "team", "spare:team"),
    conference_id: fc.constantFrom(
      "<conference alfa>",
      "<conference bravo>",
      "<conference charlie>",
      "conf-1",
    ),
    call_id: callId,
    size: fc.constantFrom<Value>(0, 1, -1, 1e12),
  }),
  more: seldom<[string, Value][], [string, Value][]>(
    [],
    5,
    fc.array(fc.tuple(name, value), { maxLength: 2 }),
  ),
});

const type = fc.constantFrom(
  JSON_TYPE,
  FORM,
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "Application/X-WWW-Form-URLEncoded",
);
const anything: fc.Arbitrary<Body> = fc.oneof(
  fc.constant<Body>({ is: "none" }),
  fc.record({
    is: fc.constant("text" as const),
    text: fc.oneof(
      word,
      fc.string({ unit: "binary" }),
      fc.constantFrom("{", "[]", "null", '"x"', "0", "{}", '{"call":null}', "a=b&a=c&%zz=%ff"),
    ),
    type,
  }),
  fc.record({
    is: fc.constant("bytes" as const),
    base64: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("base64")),
    type,
  }),
  fc.record({ is: fc.constant("json" as const), value, type }),
  fc.record({
    is: fc.constant("fields" as const),
    count: fc.constantFrom(1, 297, 298, 299, 5_000),
    length: fc.constantFrom(0, 1, 12, 300),
  }),
);
/** As large as may be, and more. */
const huge: fc.Arbitrary<Body> = fc.record({
  is: fc.constant("repeated" as const),
  text: fc.constantFrom("a", "[", '{"a":', "a&", "a=%41&"),
  times: fc.constantFrom(8_193, 32_768, 65_536, 65_537, 262_144, 262_145),
  type: fc.constantFrom(JSON_TYPE, FORM),
});

/** What operators send, as they would and otherwise. */
const asked: fc.Arbitrary<Body> = fc
  .oneof(
    fields({
      to: fc.constantFrom("+15550100200", "sip:amy@example.com"),
      from: fc.constant("+15550100100"),
      role: fc.constant("listener"),
      id: fc.constant("dial-1"),
    }),
    fields({
      url: fc.constantFrom(
        "https://user:password@[::1/x",
        "https://partyline.example.com/hooks/spare/swml",
        "http://127.0.0.1:1/hooks/alfa/cxml?a=b#rt=1",
      ),
    }),
    fields({
      rules: fc.constantFrom<Value>([], null, [1], "x"),
      lists: value,
      schedules: value,
      defaults: value,
      fallback: value,
    }),
  )
  .map((made): Body => ({ is: "json", value: { fields: made }, type: JSON_TYPE }));

/** What is sent to a route, usually. @param ids of the calls that webhooks tell of. */
export function bodyFor(route: string, ids: fc.Arbitrary<string>): fc.Arbitrary<Body> {
  const family = familyOf(route);
  const usual = family === "callback" ? event : family === "api" ? asked : call(ids);
  return fc.oneof(
    { weight: 30, arbitrary: usual },
    { weight: 10, arbitrary: anything },
    { weight: 1, arbitrary: huge },
  );
}
