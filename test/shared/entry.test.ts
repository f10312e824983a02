import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../shared/canonical-json.ts";
import { entryAfter, entryOf } from "../../shared/entry.ts";

describe("a fresh entry of a call", () => {
  it("has no name where vars and params are empty", async () => {
    expect(await entryOf({}, {})).toBe("");
  });

  it("has sixteen hex digits otherwise, the same whatever order the keys came in", async () => {
    const entry = await entryOf({ a: 1, b: { c: [1, 2], d: null } }, { x: "y" });
    expect(entry).toMatch(/^[0-9a-f]{16}$/);
    expect(await entryOf({ b: { d: null, c: [1, 2] }, a: 1 }, { x: "y" })).toBe(entry);
  });

  it("differs where a var, a param, or which of the two it was, differs", async () => {
    const entries = await Promise.all([
      entryOf({ a: 1 }, {}),
      entryOf({}, { a: 1 }),
      entryOf({ a: "1" }, {}),
      entryOf({ a: [1] }, {}),
      entryOf({ a: { 0: 1 } }, {}),
    ]);
    expect(new Set(entries).size).toBe(entries.length);
  });

  it("differs where the query of the URL does", async () => {
    const entries = await Promise.all([
      entryOf({}, {}),
      entryOf({}, {}, "from=menu"),
      entryOf({}, {}, "from=survey"),
      entryOf({}, { query: "from=menu" }),
    ]);
    expect(new Set(entries).size).toBe(entries.length);
  });

  it("that is like the one before has sixteen hex digits, too, and every one after another", () => {
    expect(entryAfter("")).toBe("0000000000000001");
    expect(entryAfter("0000000000000001")).toBe("0000000000000002");
    expect(entryAfter("00000000000000ff")).toBe("0000000000000100");
    expect(entryAfter("f".repeat(16))).toBe("0".repeat(16));
  });

  it("is found for vars that nest deeper than the stack", async () => {
    const nested: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
    expect(await entryOf({ nested }, {})).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("canonical JSON", () => {
  it("is JSON of the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("keeps a key named __proto__", () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"b":1}');
  });
});
