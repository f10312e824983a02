import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callerParams } from "../../../shared/documents/caller-params.ts";

/** Put together here, since a linter takes it for a forgotten template. */
const code = ["$", "{x}"].join("");

describe("a caller's own params", () => {
  it("travel along as they came", () => {
    const params = { tier: "gold", list: [1, null, { deep: true }], empty: {} };
    expect(callerParams(params)).toEqual({ params, dropped: [] });
  });

  it("lose what holds an expansion mark, however deep, in value or key", () => {
    const params = { ok: "$5", a: code, b: ["fine", { c: "say %{x}" }], d: { "%{k}": 1 }, [code]: 1 };
    expect(callerParams(params)).toEqual({ params: { ok: "$5" }, dropped: ["a", "b", "d", code] });
  });

  it("lose partyline, which is ours, without a word", () => {
    expect(callerParams({ partyline: "forged", tier: "gold" })).toEqual({
      params: { tier: "gold" },
      dropped: [],
    });
  });

  it("are 8 KiB together at most: what goes over is left behind, what still fits is not", () => {
    const params = { a: "a".repeat(4000), b: "b".repeat(5000), c: "c".repeat(4000) };
    const { params: kept, dropped } = callerParams(params);
    expect(Object.keys(kept)).toEqual(["a", "c"]);
    expect(dropped).toEqual(["b"]);
  });

  it("never take more than 8 KiB of JSON, whatever came", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary", maxLength: 3000 })),
        (params) => {
          const { params: kept } = callerParams(params);
          return new TextEncoder().encode(JSON.stringify(kept)).length <= 8192;
        },
      ),
    );
  });

  it("may be named __proto__ and change nothing by it", () => {
    const { params } = callerParams(JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, unknown>);
    expect(JSON.stringify(params)).toBe('{"__proto__":{"polluted":true}}');
    expect(Object.getPrototypeOf(params)).toBe(Object.prototype);
  });

  it("lose what nests deeper than the stack", () => {
    const nested: unknown = JSON.parse("[".repeat(100_000) + "]".repeat(100_000));
    expect(callerParams({ nested, tier: "gold" })).toEqual({ params: { tier: "gold" }, dropped: ["nested"] });
  });

  it("that are dropped by the thousand are named by the twenty, each cut to 64 characters", () => {
    const params = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`${index}-${"n".repeat(100)}`, code]),
    );
    const { dropped } = callerParams(params);
    expect(dropped.length).toBe(20);
    expect(Math.max(...dropped.map((name) => name.length))).toBe(64);
  });
});
