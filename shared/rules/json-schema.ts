import { z } from "zod";
import { rulesetSchema } from "./schema.ts";

/**
 * The language as a JSON Schema (draft 2020-12), made from the schema that reads it, so that an editor completes and explains
 * every key. What only the whole ruleset shows (names used twice, rules that never match) it cannot say.
 */
export function rulesetJsonSchema(): object {
  const schema = z.toJSONSchema(rulesetSchema, {
    io: "input",
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === "intersection") joinMatch(jsonSchema);
    },
  });
  return { title: "A ruleset of Partyline's", ...schema };
}

/**
 * A match is read as known fields and answers by name, each refusing the other's keys. In a JSON Schema both would refuse
 * all: there they are one object, whose answers are told by a pattern.
 */
function joinMatch(jsonSchema: z.core.JSONSchema.BaseSchema): void {
  const [fields, answers] = jsonSchema.allOf ?? [];
  if (fields === undefined || answers === undefined) return;
  const { pattern } = typeof answers.propertyNames === "object" ? answers.propertyNames : {};
  const { additionalProperties: answer } = answers;
  delete jsonSchema.allOf;
  Object.assign(jsonSchema, fields);
  if (pattern !== undefined && answer !== undefined) jsonSchema.patternProperties = { [pattern]: answer };
}
