import { describe, expect, test } from "vitest";
import { callWith, decideFor } from "./sample.ts";

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
