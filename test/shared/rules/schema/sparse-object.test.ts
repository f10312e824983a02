import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { sparse } from "../../../../shared/rules/schema/sparse-object.ts";

// More sets of keys than are told apart.
const keys = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;
const optional = Object.fromEntries(keys.map((key) => [key, z.string().min(2).exactOptional()]));
const shape = { ...optional, id: z.string(), count: z.int().default(3), maybe: z.string().optional() };

const value = fc.constantFrom<unknown>("ok", "x", 4, undefined, null);
const objects = fc.oneof(
  fc.dictionary(fc.constantFrom(...keys, "id", "count", "maybe", "stray", "constructor"), value, {
    maxKeys: 9,
  }),
  fc.constantFrom<unknown>(null, [], "text", 4, undefined),
);

test.each([
  ["strict", z.strictObject(shape)],
  ["loose", z.looseObject(shape)],
])("an object is read just as Zod's own schema reads it: %s", async (_, plain) => {
  const complain = ({ value, issues }: z.core.ParsePayload<object>) => {
    if ("b" in value) issues.push({ code: "custom", message: "no b", input: value });
  };
  const quick = sparse(plain).check(complain);
  const slow = plain.check(complain);
  await fc.assert(
    fc.property(objects, (raw) => {
      const [read, wanted] = [quick.safeParse(raw), slow.safeParse(raw)];
      expect(read.data).toEqual(wanted.data);
      expect(read.error?.issues).toEqual(wanted.error?.issues);
    }),
    { numRuns: 2_000 },
  );
});
