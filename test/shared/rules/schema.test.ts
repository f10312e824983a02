import { expect, test } from "vitest";
import { z } from "zod";
import { rulesetSchema } from "../../../shared/rules/schema.ts";

/** The paths of every property, at any depth, that has no description. */
function unexplained(schema: unknown, path = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    const here = key === "properties" || key === "anyOf" || key === "items" ? path : `${path}/${key}`;
    if (key !== "properties") return unexplained(value, here);
    return Object.entries(value as Record<string, object>).flatMap(([name, property]) => {
      const missing = "description" in property ? [] : [`${here}/${name}`];
      return [...missing, ...unexplained(property, `${here}/${name}`)];
    });
  });
}

test("every key that a ruleset can have explains itself in the JSON Schema", () => {
  const schema = z.toJSONSchema(rulesetSchema);
  expect(JSON.stringify(schema)).toContain("max_participants");
  expect(unexplained(schema)).toEqual([]);
});
