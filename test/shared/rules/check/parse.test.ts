import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRuleset } from "../../../../shared/rules/check/parse.ts";
import { rulesets } from "../arbitrary-rulesets.ts";
import { errorsOf, warningsOf, withJoin, withMatch, withRule } from "../readings.ts";

const ADDRESS =
  'must be an E.164 number such as "+15550100100", a prefix such as "+1555*", a SIP URI such as "sip:*@example.com", or "anonymous"';

test("a ruleset is read from JSON text or from an object alike, and comes out as it went in", () => {
  const source = {
    timezone: "America/New_York",
    lists: { vips: ["+15550100001", "+1555*"] },
    defaults: { join: { beep: "onEnter", region: "us" } },
    rules: [
      {
        id: "vip",
        match: { to: "+15550100100", from: { list: "vips" } },
        place: { room: "vip-{from}", announce: "Hello." },
      },
      {
        id: "closed",
        match: { to: ["+15550100100", "sip:*@example.com"] },
        reject: { say: "We are closed.", voice: "Amy" },
      },
      {
        id: "night",
        match: { headers: { "X-Site": "3" } },
        hand_over: { swml: "https://voicemail.example.com/acme" },
      },
    ],
    fallback: { reject: { reason: "decline" } },
  };
  expect(parseRuleset(source)).toEqual({ ok: true, ruleset: source, warnings: [] });
  expect(parseRuleset(JSON.stringify(source))).toEqual({ ok: true, ruleset: source, warnings: [] });
});

test("every ruleset that can be generated is accepted, so that the laws of deciding are about something", async () => {
  await fc.assert(
    fc.property(rulesets, (source) => {
      expect(errorsOf(source, { tenant: "acme" })).toEqual([]);
    }),
  );
});

describe("what is not a ruleset at all", () => {
  test.each([
    ["text that is not JSON", '{"rules": [}', ": is not JSON: line 1, column 12"],
    ["nothing", undefined, ": is missing: an object"],
    ["a list", [], ': must be an object, not a list: write { "rules": [ … ] }'],
    ["no rules", {}, "rules: is missing: a list"],
  ])("%s", (_, source, message) => {
    const normal = (text: string | undefined) => text?.replace(/: line.*$/, "");
    expect(normal(errorsOf(source)[0])).toBe(normal(message));
  });

  test("an error about broken JSON does not quote it: it may hold a secret", () => {
    expect(errorsOf('{"authorization_bearer_token": "hunter2", }').join()).not.toContain("hunter2");
  });

  test("too much of it", () => {
    const tooLarge = ": the ruleset is larger than 4 MiB; split it by tenant, or use lists";
    expect(errorsOf(`"${"x".repeat(4 * 1024 * 1024)}"`)).toEqual([tooLarge]);
    const shared = Array.from({ length: 10_000 }, () => "x".repeat(100));
    expect(errorsOf({ rules: Array.from({ length: 100 }, () => shared) })).toEqual([tooLarge]);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(errorsOf(loop)[0]).toContain("nests deeper than 16 levels");
    const many = Array.from({ length: 20_001 }, (_, index) => ({
      id: `r${index}`,
      match: {},
      reject: { reason: "busy" },
    }));
    expect(errorsOf({ rules: many })).toEqual(["rules: must hold at most 20000 values"]);
  });

  test("the key __proto__, at any depth, which would otherwise widen a match in silence", () => {
    const text = '{"rules":[{"id":"a","match":{"params":{"__proto__":"x"}},"place":{"room":"a"}}]}';
    expect(errorsOf(text)).toEqual(["rules[0].match.params.__proto__: is not a name that can be used here"]);
  });
});

describe("keys", () => {
  test("an unknown key is an error that says what was meant and what there is", () => {
    const allowed =
      "unknown key; allowed here: to, from, direction, type, headers, params, vars, during, outside, when, not, answer.<name>";
    expect(errorsOf(withMatch({ form: "+1555*" }))).toEqual([`rules[0].match.form: ${allowed} -> from`]);
    expect(errorsOf(withRule({ mtach: {} }))[0]).toContain(
      "rules[0].mtach: unknown key; allowed here: id, match, place",
    );
  });

  test("join takes neither the undocumented parameters nor a name", () => {
    for (const key of ["acl", "swml", "name"]) {
      expect(errorsOf(withJoin({ [key]: "x" }))[0]).toMatch(`rules[0].place.join.${key}: unknown key`);
    }
  });

  test("a key that is no word is quoted in the path", () => {
    expect(errorsOf(withMatch({ headers: { "x-tier": 4 } }))[0]).toMatch(
      'rules[0].match.headers["x-tier"]: must be text, a list of texts, { "list": "name" } or { "present": true }',
    );
    expect(errorsOf(withMatch({ headers: { "x tier": "a" } }))).toEqual([
      'rules[0].match.headers["x tier"]: a header\'s name is 1 to 128 of the characters that SIP allows',
    ]);
  });
});

describe("numbers", () => {
  test.each([
    ["(555) 010-0100", "+15550100100"],
    ["555-010-0100", "+15550100100"],
    ["1 555 010 0100", "+15550100100"],
    ["+1 (555) 010-0100", "+15550100100"],
    ["+49 (0)30 1234567", "+49301234567"],
    ["0044 20 7946 0000", "+442079460000"],
    ["011 44 20 7946 0000", "+442079460000"],
    ["1555*", "+1555*"],
    ["alice@example.com", "sip:alice@example.com"],
  ])("%s is refused, with %s as the suggestion", (written, meant) => {
    expect(errorsOf(withMatch({ to: written }))).toEqual([
      `rules[0].match.to: ${ADDRESS}, not "${written}" -> ${meant}`,
    ]);
    expect(errorsOf(withMatch({ from: [written] }))[0]).toContain(`-> ${meant}`);
  });

  test.each(["010-0100", "support", "+", "+0155", "555*5", "sip:alice"])(
    "%s is refused without one",
    (written) => {
      expect(errorsOf(withMatch({ to: written }))).toEqual([
        `rules[0].match.to: ${ADDRESS}, not "${written}"`,
      ]);
    },
  );

  test("a number that YAML read as a number gets its plus and quotes back", () => {
    const message =
      'rules[0].match.to: must be text, a list of texts, or { "list": "name" }, not 15550100100 -> +15550100100';
    expect(errorsOf(withMatch({ to: 15550100100 }))).toEqual([message]);
    expect(errorsOf(withMatch({ to: [5550100100] }))).toEqual([
      "rules[0].match.to[0]: must be text, not 5550100100 -> +15550100100",
    ]);
  });

  test("in a list that to or from uses they are held to the same; in another list they are texts", () => {
    const lists = { vips: ["555-010-0100"] };
    expect(errorsOf({ lists, ...withMatch({ from: { list: "vips" } }) })).toEqual([
      `lists.vips[0]: ${ADDRESS}, not "555-010-0100" -> +15550100100`,
    ]);
    expect(errorsOf({ lists, ...withMatch({ params: { number: { list: "vips" } } }) })).toEqual([]);
  });
});

describe("names", () => {
  test("ids are used once, and none is called like the fallback", () => {
    const rule = { id: "a", match: {}, place: { room: "a" } };
    expect(errorsOf({ rules: [rule, { ...rule, id: "b" }, rule] })).toEqual([
      'rules[2].id: "a" is the id of rules[0] already: ids are used once',
    ]);
    expect(errorsOf(withRule({ id: "fallback" }))[0]).toContain("choose another id");
    expect(errorsOf(withRule({ id: "a b" }))[0]).toContain("a rule's id is 1 to 64 letters");
  });

  test("a list that is missing is an error, one that nothing uses a warning", () => {
    const lists = { vips: ["+1555*"] };
    expect(errorsOf({ lists, ...withMatch({ from: { list: "vip" } }) })).toEqual([
      'rules[0].match.from.list: there is no list "vip"; there are "vips" -> vips',
    ]);
    expect(errorsOf(withMatch({ from: { list: "toString" } }))).toEqual([
      'rules[0].match.from.list: there is no list "toString"; there are no lists',
    ]);
    expect(warningsOf({ lists, rules: [] })).toEqual(["lists.vips: no rule uses this list"]);
  });

  test("a header written twice, in different case, is an error", () => {
    expect(errorsOf(withMatch({ headers: { "X-Tier": "a", "x-tier": "b" } }))).toEqual([
      'rules[0].match.headers["x-tier"]: is here twice: headers have no case',
    ]);
  });

  test("a list of words used for a direction holds directions", () => {
    expect(errorsOf({ lists: { ways: ["inbund"] }, ...withMatch({ direction: { list: "ways" } }) })).toEqual([
      'lists.ways[0]: used as a direction, so must be one of "inbound", "outbound", not "inbund"',
    ]);
    expect(errorsOf(withMatch({ direction: "inbund" }))).toEqual([
      'rules[0].match.direction: must be one of "inbound", "outbound", not "inbund" -> inbound',
    ]);
  });
});
