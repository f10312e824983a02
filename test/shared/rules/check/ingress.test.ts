import { expect, test } from "vitest";
import { errorsOf, overflowTo, warningsOf, withJoin, withRule } from "../readings.ts";

const swml = "https://example.com/a";
const cxml = "https://example.com/a.xml";
const byCxml = { ways_in: ["cxml"] };
const withPlace = (place: object) => withRule({ place: { room: "a", ...place } });

test("parameters and events that cXML does not have are warned of, wherever they are written", () => {
  const join = { region: "eu", beep: "onEnter", status_callback_event: "join modify announcement" };
  const stream = { url: "wss://example.com" };
  expect(
    warningsOf({ ...byCxml, defaults: { join }, roles: { fed: { stream } }, ...withJoin({ region: "us" }) }),
  ).toEqual([
    "defaults.join.region: has no counterpart in cXML: calls that come by it join without",
    'defaults.join.status_callback_event: cXML has no event "modify" and "announcement": of calls that come by it nothing tells',
    "roles.fed.stream: has no counterpart in cXML: calls that come by it join without",
    "rules[0].place.join.region: has no counterpart in cXML: calls that come by it join without",
  ]);
  expect(warningsOf({ ways_in: ["swml", "relay"], ...withJoin(join) })).toEqual([]);
  expect(warningsOf(withJoin(join))).toEqual([]);
});

test("a hand-over has a document for each way in, wherever it stands", () => {
  const lacksCxml = 'has no "cxml" URL, so that calls which come by cXML pass this by: write one';
  const hand_over = { swml };
  const inner = {
    id: "in",
    match: {},
    place: { room: "a", wait: { for: "admission", otherwise: { hand_over } } },
  };
  const source = {
    rules: [
      { id: "group", match: {}, rules: [inner] },
      { id: "after", match: {}, place: { room: "a", after: { hand_over } } },
      {
        id: "full",
        match: {},
        place: { room: "a", capacity: 2, overflow: overflowTo("hand_over", { swml }) },
      },
      {
        id: "coach",
        match: {},
        place: { room: "a", role: "coach", coach: { role: "listener", if_several: { hand_over } } },
      },
    ],
    fallback: { hand_over },
  };
  expect(warningsOf(source)).toEqual([]);
  expect(warningsOf({ ...byCxml, ...source })).toEqual([
    `rules[0].rules[0].place.wait.otherwise.hand_over: ${lacksCxml}`,
    `rules[1].place.after.hand_over: ${lacksCxml}`,
    `rules[2].place.overflow: ${lacksCxml}`,
    `rules[3].place.coach.if_several.hand_over: ${lacksCxml}`,
    `fallback.hand_over: ${lacksCxml}`,
  ]);
  const onlyCxml = { rules: [], fallback: { hand_over: { cxml } } };
  expect(warningsOf({ ways_in: ["relay", "swml"], ...onlyCxml })).toEqual([
    'fallback.hand_over: has no "swml" URL, so that calls which come by SWML or RELAY pass this by: write one',
  ]);
  expect(warningsOf({ ways_in: ["relay"], ...onlyCxml })).toEqual([
    'fallback.hand_over: has no "swml" URL, so that calls which come by RELAY pass this by: write one',
  ]);
});

test("a cXML document anywhere says that calls come by cXML, unless the ruleset says how they come", () => {
  const source = { ...withJoin({ region: "us" }), fallback: { hand_over: { swml, cxml } } };
  expect(warningsOf(source)).toHaveLength(1);
  expect(warningsOf({ ways_in: ["swml"], ...source })).toEqual([]);
});

test("a call that was never answered is declined where cXML cannot hang up", () => {
  const reject = (word: object) => ({ ...byCxml, rules: [{ id: "no", match: {}, reject: word }] });
  const why = 'cXML hangs up only on calls that were answered: others are declined, as by "decline"';
  expect(warningsOf(reject({ reason: "hangup" }))).toEqual([`rules[0].reject.reason: ${why}`]);
  expect(warningsOf(reject({ reason: "hangup", say: "Bye." }))).toEqual([]);
  expect(warningsOf(reject({ reason: "busy" }))).toEqual([]);
  expect(
    warningsOf({
      ...byCxml,
      ...withPlace({ capacity: 2, overflow: overflowTo("reject", { reason: "busy" }) }),
    }),
  ).toEqual([]);
});

test("ways in are three", () => {
  expect(errorsOf({ ways_in: ["sip"], rules: [] })).toEqual([
    'ways_in[0]: must be one of "swml", "cxml", "relay", not "sip"',
  ]);
  expect(errorsOf({ ways_in: [], rules: [] })).toEqual(["ways_in: must not be empty"]);
});
