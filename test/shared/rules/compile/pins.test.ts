import { describe, expect, test } from "vitest";
import type { Answer } from "../../../../shared/rules/answers.ts";
import { compileRuleset } from "../../../../shared/rules/compile/compile.ts";
import { pinRecord } from "../../../../shared/rules/schema/pin-record.ts";
import { errorsOf, warningsOf, withMatch } from "../readings.ts";
import { acme, askFor, callWith, mustParse } from "../sample.ts";

const hmac = "f".repeat(64);
const chairPin = { hmac: "1".repeat(64) };
const asking = (rules: object[], question: object = {}) => ({
  rules: [
    {
      id: "bridge",
      match: {},
      ask: { pin: { say: "PIN?", digits: "4-8", secret: true, ...question } },
      rules,
    },
  ],
});
const bridge = asking([
  { id: "chair", match: { "answer.pin": { pins: { role: "chair" } } }, place: { room: "board" } },
  { id: "own", match: { "answer.pin": { pins: true } }, place: { room: "b-{pin.room|lower}" } },
  { id: "any", match: { "answer.pin": { pins: true } }, place: { room: "hall" } },
  { id: "written", match: { "answer.pin": chairPin }, place: { room: "desk" } },
]);
const answered = (pin: Answer, source: object = bridge) => askFor(source, callWith(), { pin });

describe("a PIN of KV", () => {
  test("picks the rule by the role that its record has, or by being one at all", () => {
    expect(answered({ hmac, pin: { role: "chair", room: "B" } })).toMatchObject({ rule: "chair" });
    expect(answered({ hmac, pin: { role: "guest" } })).toMatchObject({ rule: "any", rooms: ["hall"] });
    expect(answered({ hmac })).toMatchObject({ action: "ask", rule: "bridge" });
    expect(answered(chairPin)).toMatchObject({ rule: "written" });
  });

  test("picks the room, held to what a room's name may be", () => {
    expect(answered({ hmac, pin: { room: "Blue" } })).toMatchObject({ rule: "own", rooms: ["b-blue"] });
    const long = answered({ hmac, pin: { room: "r".repeat(64) } });
    expect(long.rule).toBe("any");
    expect(long.looked_at.find(({ rule }) => rule === "own")?.findings.at(-1)?.why).toContain(
      "and 64 are allowed",
    );
  });

  test("gives its room to the rule whose match takes it, and no other secret's", () => {
    const source = {
      rules: [
        {
          id: "two",
          match: {},
          ask: {
            first: { say: "1?", digits: "4", secret: true },
            second: { say: "2?", digits: "4", secret: true },
          },
          rules: [
            {
              id: "by-second",
              match: { "answer.second": { pins: true } },
              rules: [{ id: "in", match: {}, place: { room: "{pin.room}" } }],
            },
          ],
        },
      ],
    };
    const answers = { first: { hmac, pin: { room: "one" } }, second: { hmac, pin: { room: "two" } } };
    expect(askFor(source, callWith(), answers)).toMatchObject({ rule: "in", rooms: ["two"] });
  });

  test("is looked up only where a rule compares one", () => {
    const compiled = (source: object) => compileRuleset(mustParse(source), { ...acme, hash: "5ha256" }).pins;
    expect(compiled(bridge)).toBe(true);
    const not = { not: { "answer.pin": { pins: true } } };
    expect(compiled(asking([{ id: "a", match: not, reject: { say: "No." } }]))).toBe(true);
    expect(compiled(asking([{ id: "a", match: { "answer.pin": chairPin }, place: { room: "a" } }]))).toBe(
      false,
    );
  });

  test("has a record whose room may be part of a name", () => {
    expect(pinRecord.safeParse({ room: "Board 7", role: "chair", note: "Zoë's" }).success).toBe(true);
    expect(pinRecord.safeParse({}).success).toBe(true);
    for (const room of ["", " ", "zwölf", "a%{b}", "r".repeat(65), "a\n"])
      expect(pinRecord.safeParse({ room }).success).toBe(false);
    expect(pinRecord.safeParse({ pin: "1234" }).success).toBe(false);
  });
});

describe("a wrong try", () => {
  const wrong = (pin: Answer, source: object) => answered(pin, source).after_wrong;
  const takes = { id: "in", match: { "answer.pin": chairPin }, place: { room: "a" } };

  test("is told of, whether it is asked again or goodbye is said; a right one is not", () => {
    expect(answered({ hmac, tries: 1 })).toMatchObject({ action: "ask", after_wrong: "pin" });
    expect(answered({ hmac, tries: 3 })).toMatchObject({ action: "reject", after_wrong: "pin" });
    expect(answered({ hmac, pin: { role: "guest" } })).not.toHaveProperty("after_wrong");
    expect(askFor(bridge, callWith())).not.toHaveProperty("after_wrong");
    expect(answered({ tries: 1 })).not.toHaveProperty("after_wrong");
  });

  test("is told of where it leads somewhere else, or by a match that must not hold", () => {
    const lobby = { id: "lobby", match: {}, place: { room: "lobby" } };
    expect(answered({ hmac }, asking([takes, lobby]))).toMatchObject({ rule: "lobby", after_wrong: "pin" });
    const not = { id: "not", match: { not: takes.match }, reject: { say: "No." } };
    expect(wrong({ hmac }, asking([not, lobby]))).toBe("pin");
  });

  test("is none where no rule compared it: nothing came of it that tells anything", () => {
    const closed = { id: "closed", match: { from: "+15550100001" }, reject: { say: "Closed." } };
    expect(wrong({ hmac }, asking([closed, takes]))).toBeUndefined();
  });

  test("is none where the group took it, whatever becomes of the questions within", () => {
    const menu = {
      id: "menu",
      match: takes.match,
      ask: { menu: { say: "Which?", digits: "1" } },
      rules: [{ id: "one", match: { "answer.menu": "1" }, place: { room: "a" } }],
    };
    const source = asking([menu]);
    const answers = { pin: chairPin, menu: { value: "2" } };
    expect(askFor(source, callWith(), answers)).toMatchObject({ action: "ask", rule: "menu" });
    expect(askFor(source, callWith(), answers)).not.toHaveProperty("after_wrong");
    expect(wrong({ hmac }, source)).toBe("pin");
  });
});

describe("what is written of PINs", () => {
  const one = (match: object, place: object = { room: "a" }) => [{ id: "a", match, place }];
  const pins = { "answer.pin": { pins: true } };

  test("is for a secret question", () => {
    expect(errorsOf(asking(one(pins), { secret: false }))).toEqual([
      'rules[0].rules[0].match["answer.pin"].pins: PINs are secrets, and this question is none: write "secret": true where it is asked',
    ]);
    expect(errorsOf(withMatch(pins))).toEqual([
      'rules[0].match["answer.pin"]: nothing asks for "pin" before this rule is looked at',
    ]);
    expect(errorsOf(asking(one({ "answer.pin": { pins: "all" } })))).toEqual([
      'rules[0].rules[0].match["answer.pin"].pins: must be true, or { "role": "name" }, not text',
    ]);
  });

  test("has their room where the match takes one, and in the room's name alone", () => {
    expect(errorsOf(asking(one({}, { room: "{pin.room}" })))).toEqual([
      'rules[0].rules[0].place.room: {pin.room} is the room of a PIN that the match takes, and this match takes none: write { "pins": true } for an answer in it',
    ]);
    expect(errorsOf({ rules: [], fallback: { place: { room: "{pin.room}" } } })[0]).toMatch(
      /^fallback\.place\.room: \{pin\.room\} is the room of a PIN/,
    );
    expect(errorsOf(asking(one(pins, { room: "a", announce: "Room {pin.room}." })))).toEqual([
      'rules[0].rules[0].place.announce: {pin.room} may stand in a place\'s "room" alone',
    ]);
  });

  test("shadows what wants no more than it takes", () => {
    const role = { "answer.pin": { pins: { role: "chair" } } };
    const two = (first: object, second: object) =>
      warningsOf(asking([...one(first), { id: "b", match: second, place: { room: "b" } }]));
    const shadow = 'rules[0].rules[1]: never matches: "a" (rules[0].rules[0]) takes every call that it would';
    expect(two(pins, role)).toEqual([shadow]);
    expect(two(pins, pins)).toEqual([shadow]);
    expect(two(role, pins)).toEqual([]);
    expect(two(pins, { "answer.pin": chairPin })).toEqual([]);
    expect(two({ "answer.pin": chairPin }, pins)).toEqual([]);
  });
});
