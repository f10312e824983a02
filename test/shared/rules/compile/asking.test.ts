import { describe, expect, test } from "vitest";
import { askFor, callWith, decideFor } from "../sample.ts";

const chair = "0".repeat(64);
const other = "f".repeat(64);

const bridge = {
  lists: { pins: [{ hmac: "1".repeat(64) }] },
  defaults: { language: "en-US" },
  rules: [
    {
      id: "bridge",
      match: { to: "+15550100100" },
      ask: {
        pin: {
          say: "PIN, then pound.",
          digits: "4-8",
          secret: true,
          tries: 2,
          no_input: "Nothing came.",
          wrong: { say: "No such PIN.", voice: "Amy" },
          goodbye: "Bye.",
        },
      },
      rules: [
        {
          id: "chair",
          match: { "answer.pin": { hmac: chair } },
          place: { room: "board", role: "moderator" },
        },
        { id: "member", match: { "answer.pin": { list: "pins" } }, place: { room: "board" } },
      ],
    },
    { id: "never", match: { to: "+15550100100" }, place: { room: "lobby" } },
  ],
};

describe("a group that asks", () => {
  test("asks, before its rules are looked at", () => {
    const decision = askFor(bridge, callWith());
    expect(decision).toMatchObject({
      action: "ask",
      rule: "bridge",
      ask: [
        {
          name: "pin",
          words: [{ say: "PIN, then pound.", language: "en-US" }],
          min_digits: 4,
          max_digits: 8,
          terminator: "#",
          secret: true,
          try: 1,
        },
      ],
    });
    expect(decision.looked_at).toEqual([
      {
        rule: "bridge",
        matched: true,
        entered: true,
        findings: [
          { field: "to", holds: true, why: '"+15550100100" is "+15550100100"' },
          { field: "ask.pin", holds: true, why: "was not asked yet" },
        ],
      },
    ]);
  });

  test("places by what was keyed, of which the trace shows nothing", () => {
    expect(askFor(bridge, callWith(), { pin: { hmac: chair } })).toMatchObject({
      rule: "chair",
      role: "moderator",
    });
    const member = askFor(bridge, callWith(), { pin: { hmac: "1".repeat(64) } });
    expect(member).toMatchObject({ rule: "member", join: { start_on_enter: false } });
    expect(JSON.stringify(member.looked_at)).not.toContain("1111");
    expect(member.looked_at.flatMap(({ findings }) => findings.map(({ why }) => why))).toEqual([
      '"+15550100100" is "+15550100100"',
      'what was keyed is not "a secret"',
      'what was keyed is in list "pins"',
    ]);
  });

  test("tells nothing keyed from something wrong, and says goodbye after the last try", () => {
    const heard = (answer: object) => {
      const decision = askFor(bridge, callWith(), { pin: answer });
      return decision.action === "ask"
        ? decision.ask.map((prompt) => ({ words: prompt.words, try: prompt.try }))
        : decision;
    };
    const question = { say: "PIN, then pound.", language: "en-US" };
    expect(heard({ tries: 1 })).toEqual([
      { words: [{ say: "Nothing came.", language: "en-US" }, question], try: 2 },
    ]);
    expect(heard({ hmac: other, tries: 1 })).toEqual([
      { words: [{ say: "No such PIN.", language: "en-US", voice: "Amy" }, question], try: 2 },
    ]);
    for (const last of [{ tries: 2 }, { hmac: other, tries: 2 }])
      expect(heard(last)).toMatchObject({ action: "reject", say: { say: "Bye." }, rule: "bridge" });
  });

  test("lets no call past it, and is passed over where nothing can be asked", () => {
    expect(decideFor(bridge, callWith())).toMatchObject({ rule: "never" });
    expect(decideFor(bridge, callWith()).looked_at[0]?.findings.at(-1)).toEqual({
      field: "ask",
      holds: false,
      why: "this call cannot be asked anything",
    });
    expect(askFor(bridge, callWith(), { pin: { hmac: other } })).toMatchObject({ action: "ask" });
  });
});

describe("answers", () => {
  const meeting = (rules: object[], question: object = {}) => ({
    rules: [
      {
        id: "meet",
        match: {},
        ask: {
          number: { say: "Which meeting?", digits: "2-4", terminator: "none", ...question },
          again: { say: "And again?", digits: "1" },
        },
        rules,
      },
    ],
  });
  const any = meeting([{ id: "any", match: {}, place: { room: "meet-{answer.number}" } }]);

  test("that are still missing are asked for together, in order", () => {
    const asked = (answers: object) => {
      const decision = askFor(any, callWith(), { ...answers });
      return decision.action === "ask" ? decision.ask.map(({ name }) => name) : decision.action;
    };
    expect(asked({})).toEqual(["number", "again"]);
    expect(asked({ number: { value: "77" } })).toEqual(["again"]);
    expect(asked({ number: { value: "77" }, again: { value: "1" } })).toBe("place");
  });

  test("that are no secret may be part of a room's name", () => {
    const answers = { number: { value: "77" }, again: { value: "1" } };
    expect(askFor(any, callWith(), answers)).toMatchObject({ rooms: ["meet-77"] });
  });

  test("of too few digits are wrong, whatever the rules would take", () => {
    const answers = { number: { value: "7" }, again: { value: "1" } };
    expect(askFor(any, callWith(), answers)).toMatchObject({
      action: "ask",
      ask: [{ name: "number", words: [{ say: "That is not right." }, { say: "Which meeting?" }], try: 2 }],
    });
  });

  test("that no rule takes are all asked for again", () => {
    const none = meeting([{ id: "one", match: { "answer.number": ["11", "12"] }, place: { room: "a" } }]);
    const decision = askFor(none, callWith(), { number: { value: "13" }, again: { value: "1" } });
    expect(decision).toMatchObject({ action: "ask", ask: [{ name: "number" }, { name: "again" }] });
  });

  test("are seen by expressions, but for secrets", () => {
    const when = meeting([
      { id: "big", match: { when: "int(answer.number) > 50" }, place: { room: "big" } },
      { id: "small", match: {}, place: { room: "small" } },
    ]);
    expect(askFor(when, callWith(), { number: { value: "77" }, again: { value: "1" } }).rule).toBe("big");
    expect(askFor(when, callWith(), { number: { value: "11" }, again: { value: "1" } }).rule).toBe("small");
    const secret = meeting(
      [
        { id: "leak", match: { when: "answer[params.name] == '77'" }, place: { room: "leak" } },
        { id: "safe", match: {}, place: { room: "safe" } },
      ],
      { secret: true },
    );
    expect(
      askFor(secret, callWith({ params: { name: "number" } }), {
        number: { hmac: other },
        again: { value: "1" },
      }).rule,
    ).toBe("safe");
  });
});
