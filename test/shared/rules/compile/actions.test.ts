import { describe, expect, test } from "vitest";
import { overflowTo } from "../readings.ts";
import { callWith, decideFor } from "../sample.ts";

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

  test.each([
    ["{from|digits}", { from: "+1 (555) 010" }, "1555010"],
    ["{to|user|lower}", { to: "sip:Alice.B@example.com;x=1" }, "alice.b"],
    ["{from|last4}", {}, "0001"],
    ["{from|digits|last4}", { from: "+1555" }, "1555"],
    ["{from|user}", {}, "{from|user} has no value in this call"],
    ["{from|last4}", { from: "+15" }, "{from|last4} has no value in this call"],
    ["{header.x|digits}", { headers: { x: ["none"] } }, "{header.x|digits} has no value in this call"],
  ])("%s makes something of a value, or has none", (room, changes, made) => {
    expect(roomFor(room, changes)).toBe(made);
  });

  test.each([
    ["{param.room}", "trail ", "trail"],
    ["{param.room}", "\t trail\r\n", "trail"],
    [" {param.room} ", "trail", "trail"],
    ["{param.room} ", " a b ", "a b"],
    [" trail", undefined, "trail"],
  ])("blanks around the name are no part of it: %j with %j", (room, value, made) => {
    expect(roomFor(room, { params: { room: value } })).toBe(made);
    expect(roomFor(room, { params: { room: value } }, { plain: true })).toBe(made);
  });

  test("numbered rooms have no blank before their number", () => {
    const place = { room: "{param.room}", capacity: 2, overflow: overflowTo("next", { rooms: 2 }) };
    const decided = decideFor(
      { rules: [{ id: "one", match: {}, place }] },
      callWith({ params: { room: "trail " } }),
    );
    expect(decided).toMatchObject({ rooms: ["trail", "trail-2"] });
  });

  test("a moderator's room is the same with a blank behind its name", () => {
    const rules = [
      { id: "chair", match: { from: "+15550100010" }, place: { room: "board ", role: "moderator" } },
      { id: "others", match: {}, place: { room: "board" } },
    ];
    expect(decideFor({ rules }, callWith())).toMatchObject({ join: { start_on_enter: false } });
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
    expect(spoken).toMatchObject({ rule: "one", announce: [{ say: "Hello Zoë.", voice: "Amy" }] });
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

describe("seats", () => {
  const placed = (place: object, changes = {}, more: object = {}) =>
    decideFor(
      { ...more, rules: [{ id: "one", match: {}, place: { room: "a", ...place } }] },
      callWith(changes),
    );

  test("a capacity rejects with a line where it is full, unless the rule says otherwise", () => {
    expect(placed({ capacity: 3 })).toMatchObject({
      rooms: ["a"],
      strategy: "first",
      capacity: 3,
      when_full: {
        action: "reject",
        say: { say: "We are sorry. All seats are taken. Please call again later." },
      },
    });
    const busy = placed({ capacity: 3, overflow: overflowTo("reject", { reason: "busy" }) });
    expect(busy).toMatchObject({ when_full: { action: "reject", reason: "busy" } });
    const swml = "https://example.com/full";
    expect(placed({ capacity: 3, overflow: overflowTo("hand_over", { swml }) })).toMatchObject({
      rooms: ["a"],
      when_full: { action: "hand_over", swml },
    });
  });

  test("rooms are numbered, and taken in order or by emptiness", () => {
    const next = overflowTo("next", { rooms: 3, say: "Full, {from|last4}." });
    expect(placed({ room: "a-{to|last4}", capacity: 3, overflow: next })).toMatchObject({
      rooms: ["a-0100", "a-0100-2", "a-0100-3"],
      strategy: "first",
      when_full: { say: { say: "Full, 0001." } },
    });
    const spread = overflowTo("spread", { rooms: 2 });
    expect(placed({ capacity: 3, overflow: spread })).toMatchObject({
      rooms: ["a", "a-2"],
      strategy: "emptiest",
    });
  });

  test("a last room whose name is too long makes the rule not match", () => {
    const params = { room: "r".repeat(58) };
    const overflow = overflowTo("next", { rooms: 2 });
    const { rule, looked_at } = placed({ room: "{param.room}", capacity: 3, overflow }, { params });
    expect(rule).toBe(null);
    expect(looked_at[0]?.findings[0]?.why).toContain("is 65 characters long with the tenant's prefix");
  });

  test("a caller who shows a number comes back to the room", () => {
    expect(placed({ sticky: "from" })).toMatchObject({ sticky_key: "+15550100001" });
    expect(placed({ sticky: "from" }, { from: "anonymous" })).not.toHaveProperty("sticky_key");
  });

  test("what comes after, and how long a call lasts, go along", () => {
    const swml = "https://example.com/after";
    expect(placed({ after: { hand_over: { swml } }, max_duration_s: 600 })).toMatchObject({
      after: { action: "hand_over", swml },
      max_duration_s: 600,
    });
    expect(placed({ after: "hang_up" })).not.toHaveProperty("after");
    const cxml = placed({ after: { hand_over: { swml } } }, { via: "cxml" });
    expect(cxml.looked_at[0]?.findings).toEqual([
      { field: "place.after", holds: false, why: "there is no cxml URL for a call that came by cxml" },
    ]);
  });

  test("roles of one's own are sets of join parameters", () => {
    const roles = { agent: { muted: true, beep: "onExit" } };
    expect(placed({ role: "agent", join: { beep: "false" } }, {}, { roles })).toMatchObject({
      role: "agent",
      join: { muted: true, beep: "false" },
    });
  });

  test("a coach is told whom to coach, and what else to do", () => {
    const coach = { call_from: "{param.agent}", if_absent: "listen" };
    expect(placed({ role: "coach", coach }, { params: { agent: "+15550100400" } })).toMatchObject({
      role: "coach",
      join: { start_on_enter: false },
      coach: {
        call_from: "+15550100400",
        if_absent: "listen",
        if_several: { action: "reject", say: { say: "We are sorry. There is more than one to coach." } },
      },
    });
    expect(placed({ role: "coach", coach }).rule).toBe(null);
  });

  test("everything spoken has the defaults' language and voice, unless it has its own", () => {
    const defaults = { language: "de-DE", voice: "Vicki" };
    expect(placed({ announce: "Hallo.", capacity: 2 }, {}, { defaults })).toMatchObject({
      announce: [{ say: "Hallo.", ...defaults }],
      when_full: { say: defaults },
    });
    const own = placed({ announce: { say: "Hi.", language: "en-US" } }, {}, { defaults });
    expect(own).toMatchObject({ announce: [{ say: "Hi.", language: "en-US", voice: "Vicki" }] });
  });
});

describe("a caller whose room another rule records", () => {
  /** So many rules record rooms of this kind each; `last` is one of them, with this room. */
  const isTold = (records: number, room: (nth: number) => string, mine: string, name: string) => {
    const recording = Array.from({ length: records }, (_, nth) => ({
      id: `records-${nth}`,
      match: { params: { nobody: String(nth) } },
      place: {
        room: room(nth),
        capacity: 9,
        overflow: overflowTo("next", { rooms: 20 }),
        join: { record: "record-from-start" },
      },
    }));
    const rules = [{ id: "mine", match: {}, place: { room: mine } }, ...recording];
    const ruleset = { defaults: { recording_notice: { say: "You are recorded." } }, rules };
    const decision = decideFor(ruleset, callWith({ params: { name } }));
    if (decision.action !== "place") throw new Error("the call was not placed");
    return decision.announces_recording === true;
  };

  test("is told, by the first rooms and by those that they overflow into, and no other is", () => {
    const own = (nth: number) => `team-{param.name}-of-${nth}`;
    expect(isTold(3, own, "team-{param.name}-of-2", "x")).toBe(true);
    expect(isTold(3, own, "team-x-of-2-20", "x")).toBe(true);
    expect(isTold(3, own, "team-x-of-2-21", "x")).toBe(false);
    expect(isTold(3, own, "team-{param.name}-of-3", "x")).toBe(false);
    expect(isTold(3, own, "team", "x")).toBe(false);
  });

  test("is told that it may be where more rooms than can be filled in begin as its name does, and only there", () => {
    expect(isTold(1_001, (nth) => `team-{param.name}-${nth}`, "team-a", "x")).toBe(true);
    expect(isTold(1_001, (nth) => `team-{param.name}-${nth}`, "desk-a", "x")).toBe(false);
    expect(isTold(1_001, (nth) => `team-${nth}-{param.name}`, "team-a", "x")).toBe(false);
    expect(isTold(1_001, (nth) => `team-${nth}-{param.name}`, "team-1000-{param.name}", "x")).toBe(true);
  });
});
