import { describe, expect, test } from "vitest";
import { compileRuleset, hashRuleset } from "../../../shared/rules/compile/compile.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { acme, askFor, callWith, decideFor, mustParse } from "./sample.ts";

const support = { id: "support", match: { to: "+15550100100" }, place: { room: "support" } };

describe("matching", () => {
  test("the first rule that matches decides", () => {
    const rules = [{ id: "vip", match: { from: { list: "vips" } }, place: { room: "vip" } }, support];
    const source = { lists: { vips: ["+15550100001"] }, rules };
    expect(decideFor(source, callWith())).toMatchObject({ rule: "vip", rooms: ["vip"] });
    expect(decideFor(source, callWith({ from: "+15550100002" }))).toMatchObject({
      rule: "support",
      rooms: ["support"],
    });
  });

  test.each([
    ["a number", "+15550100100", "+15550100100", true],
    ["another number", "+15550100100", "+155501001000", false],
    ["a prefix", "+1555*", "+15550100100", true],
    ["another prefix", "+1444*", "+15550100100", false],
    ["a host's every user", "sip:*@example.com", "sip:alice@example.com", true],
    [
      "a host in capitals, with port and parameters",
      "sip:*@example.com",
      "sips:alice@EXAMPLE.COM:5061;transport=tls",
      true,
    ],
    ["a host that only a parameter names", "sip:*@example.com", "sip:a@evil.example;x=@example.com", false],
    ["a host before another", "sip:*@example.com", "sip:a@example.com@evil.example", false],
    ["a user anywhere", "sip:alice@*", "sip:alice@sub.example.com", true],
    ["a user in other letters", "sip:alice@*", "sip:Alice@example.com", false],
  ])("%s: %s against %s", (_, to, called, holds) => {
    const source = { rules: [{ id: "one", match: { to }, place: { room: "one" } }] };
    expect(decideFor(source, callWith({ to: called })).rule).toBe(holds ? "one" : null);
  });

  test("headers match in any case, by any of the values sent, and never by what an object inherits", () => {
    const source = {
      rules: [
        { id: "gold", match: { headers: { "X-Tier": ["gold", "platinum"] } }, place: { room: "gold" } },
      ],
    };
    expect(decideFor(source, callWith({ headers: { "x-tier": ["trial", "gold"] } })).rule).toBe("gold");
    expect(decideFor(source, callWith({ headers: { "x-tier": ["Gold"] } })).rule).toBe(null);
    const inherited = {
      rules: [{ id: "odd", match: { headers: { constructor: "x" } }, place: { room: "{header.toString}" } }],
    };
    expect(decideFor(inherited, callWith()).rule).toBe(null);
  });

  test("params match as text, whether they came as text, number or boolean", () => {
    const source = {
      rules: [{ id: "floor", match: { params: { floor: "4" } }, place: { room: "floor-{param.floor}" } }],
    };
    expect(decideFor(source, callWith({ params: { floor: 4 } }))).toMatchObject({ rooms: ["floor-4"] });
    expect(decideFor(source, callWith({ params: { floor: "4" } })).rule).toBe("floor");
    expect(decideFor(source, callWith({ params: { floor: [4] } })).rule).toBe(null);
  });
});

describe("explaining", () => {
  test("a decision says of each rule looked at why it did or did not match", () => {
    const rules = [
      { id: "vip", match: { to: "+15550100100", from: { list: "vips" } }, place: { room: "vip-{from}" } },
      { id: "sip", match: { type: ["sip", "webrtc"] }, place: { room: "sip" } },
      { id: "tier", match: { headers: { "X-Tier": "gold" } }, place: { room: "gold" } },
      { id: "own", match: { to: "+1555*" }, place: { room: "own-{from}" } },
    ];
    const decision = decideFor({ lists: { vips: ["+15550100009"] }, rules }, callWith());
    expect(decision).toMatchObject({ rule: "own", ruleset: "5ha256", decided_at: 1_700_000_000_000 });
    expect(decision.looked_at).toEqual([
      {
        rule: "vip",
        matched: false,
        findings: [
          { field: "to", holds: true, why: '"+15550100100" is "+15550100100"' },
          { field: "from", holds: false, why: '"+15550100001" is not in list "vips"' },
        ],
      },
      {
        rule: "sip",
        matched: false,
        findings: [{ field: "type", holds: false, why: '"phone" is not among "sip", "webrtc"' }],
      },
      {
        rule: "tier",
        matched: false,
        findings: [{ field: "headers.x-tier", holds: false, why: 'there is no header "x-tier"' }],
      },
      {
        rule: "own",
        matched: true,
        findings: [
          { field: "to", holds: true, why: '"+15550100100" fits "+1555*"' },
          { field: "place.room", holds: true, why: 'is "own-+15550100001"' },
        ],
      },
    ]);
  });

  test("of many rules that name numbers only those that could match are looked at", () => {
    const rules = Array.from({ length: 1_000 }, (_, index) => ({
      id: `n${index}`,
      match: { to: `+1555010${String(index).padStart(4, "0")}` },
      place: { room: "room" },
    }));
    expect(decideFor({ rules }, callWith({ to: "+15550100700" })).looked_at.map((look) => look.rule)).toEqual(
      ["n700"],
    );
  });

  test("likewise of many that name prefixes, lists or several callers, all under one number", () => {
    const many = (from: (index: number) => unknown) =>
      Array.from({ length: 100 }, (_, index) => ({
        id: `n${index}`,
        match: { to: "+15550100100", from: from(index + 100) },
        place: { room: "room" },
      }));
    const lists = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`l${index + 100}`, [`+1555${index + 100}0001`]]),
    );
    for (const rules of [
      many((index) => `+1555${index}*`),
      many((index) => ({ list: `l${index}` })),
      many((index) => [`+1555${index}0002`, `+1555${index}0001`]),
    ]) {
      const { looked_at } = decideFor({ lists, rules }, callWith({ from: "+15551500001" }));
      expect(looked_at.map((look) => look.rule)).toEqual(["n50"]);
    }
  });

  test("likewise of many whose expressions name numbers, and of many by schedules", () => {
    const many = (match: (index: number) => object) =>
      Array.from({ length: 100 }, (_, index) => ({
        id: `n${index}`,
        match: match(index),
        place: { room: "room" },
      }));
    const to = (index: number) => `call.to == '+1555010${String(index).padStart(4, "0")}'`;
    // The instant of these decisions is a Tuesday, 22:13 UTC.
    const schedules = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => {
        const begin = index === 50 ? 13 : 14 + (index % 40);
        return [`s${index}`, { open: [`tue 22:${begin}-23:00`] }];
      }),
    );
    for (const rules of [
      many((index) => ({ when: `call.type == 'phone' && ${to(index)}` })),
      many((index) => ({ when: `call.from in ['+15550200${index + 100}', '+15550100${index}']` })),
      many((index) => ({ during: `s${index}`, direction: "inbound" })),
    ]) {
      const call = callWith({ to: "+15550100050", from: "+1555010050" });
      const { looked_at } = decideFor({ timezone: "UTC", schedules, rules }, call);
      expect(looked_at.map((look) => look.rule)).toEqual(["n50"]);
    }
  });

  test("a wrong secret counts, though the rules that compare it name other numbers", () => {
    const secret = (index: number) => ({
      id: `s${index}`,
      match: { "answer.pin": { hmac: "a".repeat(64) }, when: `call.to == '+1555020${1_000 + index}'` },
      place: { room: "room" },
    });
    const rules = [
      ...Array.from({ length: 20 }, (_, index) => secret(index)),
      { id: "any", match: {}, place: { room: "lobby" } },
    ];
    const ask = { pin: { say: "PIN?", digits: "4", secret: true } };
    const decision = askFor({ rules: [{ id: "asks", match: {}, ask, rules }] }, callWith(), {
      pin: { hmac: "b".repeat(64) },
    });
    expect(decision).toMatchObject({ rule: "any", after_wrong: "pin" });
  });

  test("fifty rules are explained and the rest counted, the winner always listed", () => {
    const rules = Array.from({ length: 200 }, (_, index) => ({
      id: `n${index}`,
      match: { params: { floor: String(index) } },
      place: { room: "room" },
    }));
    const decision = decideFor({ rules }, callWith({ params: { floor: 180 } }));
    expect(decision).toMatchObject({ rule: "n180", more_looked_at: 130 });
    expect(decision.looked_at).toHaveLength(51);
    expect(decision.looked_at.at(-1)).toMatchObject({ rule: "n180", matched: true });
  });

  test("a long value of the caller's is cut", () => {
    const { looked_at } = decideFor({ rules: [support] }, callWith({ to: "9".repeat(1_000) }));
    expect(looked_at[0]?.findings[0]?.why).toBe(`"${"9".repeat(79)}…" is not "+15550100100"`);
  });
});

describe("other ends", () => {
  test("a call that no rule matches is rejected with a line, unless the ruleset or the tenant says otherwise", () => {
    const call = callWith({ to: "+15550100555" });
    expect(decideFor({ rules: [support] }, call)).toMatchObject({
      action: "reject",
      say: { say: "We are sorry. This number cannot take your call. Goodbye." },
      rule: null,
    });
    const tenants = { reject: { reason: "decline" } } as const;
    expect(decideFor({ rules: [support] }, call, { fallback: tenants })).toMatchObject({
      reason: "decline",
      rule: null,
    });
    const own = { rules: [support], fallback: { place: { room: "lobby" } } };
    expect(decideFor(own, call, { fallback: tenants })).toMatchObject({
      action: "place",
      rooms: ["lobby"],
      rule: null,
    });
  });

  test("a fallback that cannot be filled in gives way to the line, and says why", () => {
    const decision = decideFor({ rules: [], fallback: { place: { room: "{param.room}" } } }, callWith());
    expect(decision).toMatchObject({ action: "reject", rule: null });
    expect(decision.looked_at).toEqual([
      {
        rule: "fallback",
        matched: false,
        findings: [{ field: "place.room", holds: false, why: "{param.room} has no value in this call" }],
      },
    ]);
  });

  test("a hand-over matches only calls for which it has a document", () => {
    const rules = [{ id: "night", match: {}, hand_over: { cxml: "https://example.com/night.xml" } }];
    expect(decideFor({ rules }, callWith({ via: "cxml" }))).toMatchObject({
      action: "hand_over",
      rule: "night",
    });
    const { rule, looked_at } = decideFor({ rules }, callWith());
    expect(rule).toBe(null);
    expect(looked_at[0]?.findings[0]?.why).toBe("there is no swml URL for a call that came by swml");
  });

  test("decisions share nothing that one could change under another", () => {
    const compiled = compileRuleset(mustParse({ rules: [support] }), { ...acme, hash: "" });
    const first = decide(compiled, callWith(), 0);
    if (first.action === "place") first.join.muted = true;
    expect(decide(compiled, callWith(), 0)).toMatchObject({ join: {} });
  });

  test("a ruleset's version is the SHA-256 of its text", async () => {
    expect(await hashRuleset("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});
