import { describe, expect, test } from "vitest";
import { compileRuleset, hashRuleset } from "../../../shared/rules/compile.ts";
import { decide } from "../../../shared/rules/decide.ts";
import { acme, callWith, decideFor, mustParse } from "./sample.ts";

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
    expect(looked_at[0]?.findings[0]?.why).toBe(``\${`9".repeat(79)}…" is not "+15550100100"`);
  });
});

describe("rooms", () => {
  const roomFor = (room: string, changes: Parameters<typeof callWith>[0], options = {}) => {
    const { looked_at, ...decision } = decideFor(
      { rules: [{ id: "one", match: {}, place: { room } }] },
      callWith(changes),
      options,
    );
    return decision.action === "place" ? decision.rooms[0] : looked_at[0]?.findings.at(-1)?.why;
  };

  test("a room's name is filled in from the call", () => {
    const call = { headers: { "x-room": ["Blue"] }, params: { room: "7" } };
    expect(roomFor("{to}", call)).toBe("+15550100100");
    expect(roomFor("{from}/{header.X-Room}/{param.room}", call)).toBe("+15550100001/Blue/7");
    expect(roomFor("call-{call_id}", call)).toBe("call-c2d3e4f5-a6b7-4901-8def-234567890abc");
  });

  test.each([
    ["no value", "{param.room}", undefined, "{param.room} has no value in this call"],
    ["an empty value", "{param.room}", "", "{param.room} has no value in this call"],
    ["a value that is no text", "{param.room}", { a: 1 }, "{param.room} has no value in this call"],
    ["nothing but blanks", "{param.room}", "  ", '"  " is empty'],
    ["an expansion", "{param.room}", `\${x}`, `"\${x}" holds \${ or %{, which SignalWire would run as code`],
    [
      "the other expansion",
      "{param.room}",
      "a%{x}",
      `"a%{x}" holds \${ or %{, which SignalWire would run as code`,
    ],
    ["other letters", "{param.room}", "zwölf", '"zwölf" holds a character that is not printable ASCII'],
    ["a line's end", "{param.room}", "a\r\nb", '"a\\r\\nb" holds a character that is not printable ASCII'],
  ])("%s makes the rule not match, and the finding says so", (_, room, value, why) => {
    expect(roomFor(room, { params: { room: value } })).toBe(why);
  });

  test("an expansion that two values make together is seen in the whole name", () => {
    const call = { params: { a: "x$", b: "{y}" } };
    expect(roomFor("{param.a}{param.b}", call)).toBe(
      `"x\${y}" holds \${ or %{, which SignalWire would run as code`,
    );
  });

  test("a name that is too long with the tenant's prefix does not match; without the prefix it has more space", () => {
    const params = { room: "r".repeat(60) };
    expect(roomFor("{param.room}", { params })).toContain(
      "is 65 characters long with the tenant's prefix, and 64 are allowed",
    );
    expect(roomFor("{param.room}", { params }, { plain: true })).toBe("r".repeat(60));
  });

  test("a plain name cannot reach into another tenant's rooms", () => {
    const why = '"other:board" reads as a tenant\'s name and a colon, which a plain name may not';
    expect(roomFor("{param.room}", { params: { room: "other:board" } }, { plain: true })).toBe(why);
    expect(roomFor("{param.room}", { params: { room: "other:board" } })).toBe("other:board");
  });

  test("an announcement is filled in likewise, and a mark in it makes the rule not match", () => {
    const rules = [
      {
        id: "one",
        match: {},
        place: { room: "one", announce: { say: "Hello {param.name}.", voice: "Amy" } },
      },
    ];
    const spoken = decideFor({ rules }, callWith({ params: { name: "Zoë" } }));
    expect(spoken).toMatchObject({ rule: "one", announce: { say: "Hello Zoë.", voice: "Amy" } });
    const { rule, looked_at } = decideFor({ rules }, callWith({ params: { name: "%{x}" } }));
    expect(rule).toBe(null);
    expect(looked_at[0]?.findings).toEqual([
      {
        field: "place.announce",
        holds: false,
        why: `"Hello %{x}." holds \${ or %{, which SignalWire would run as code`,
      },
    ]);
  });
});

describe("roles", () => {
  const joinFor = (place: object, others: object[] = [], more: object = {}) => {
    const rules = [
      { id: "one", match: {}, place },
      ...others.map((other, index) => ({ id: `o${index}`, match: {}, place: other })),
    ];
    const decision = decideFor({ ...more, rules }, callWith());
    return decision.action === "place" ? decision.join : decision.action;
  };
  const chair = { room: "board-{to}", role: "moderator" };

  test("a moderator starts the room, and participants wait where a rule places one", () => {
    expect(joinFor(chair)).toEqual({ start_on_enter: true });
    expect(joinFor({ room: "board-{to}" }, [chair])).toEqual({ start_on_enter: false });
    expect(joinFor({ room: "board-{to}" }, [], { fallback: { place: chair } })).toEqual({
      start_on_enter: false,
    });
  });

  test("a participant of a room without a moderator leaves the wire its default, and a listener is muted", () => {
    expect(joinFor({ room: "other" }, [chair])).toEqual({});
    expect(joinFor({ room: "board-{to}", role: "listener" }, [chair])).toEqual({ muted: true });
  });

  test("the rule's join goes over the role, and the role over the defaults", () => {
    const defaults = { join: { beep: "onEnter", muted: false, start_on_enter: true, region: "us" } };
    expect(joinFor({ room: "board-{to}", join: { region: "eu" } }, [chair], { defaults })).toEqual({
      beep: "onEnter",
      muted: false,
      start_on_enter: false,
      region: "eu",
    });
    expect(joinFor({ room: "a", role: "listener", join: { muted: false } }, [], { defaults })).toMatchObject({
      muted: false,
    });
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
