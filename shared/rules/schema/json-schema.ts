import * as z from "zod";
import { NOT_SAYS } from "./match-schema.ts";
import { rulesetSchema } from "./ruleset.ts";

/**
 * The language as a JSON Schema (draft 2020-12), made from the schema that reads it, so that an editor completes and explains
 * every key. What only the whole ruleset shows (names used twice, rules that never match) it cannot say.
 */
export function rulesetJsonSchema(): object {
  const schema = z.toJSONSchema(rulesetSchema, { io: "output" });
  const every = [schema, ...Object.values(schema.$defs ?? {})];
  for (const { properties } of every) {
    // Of a match in a match Zod writes the reference alone.
    if (typeof properties?.["not"] === "object") properties["not"].description ??= NOT_SAYS;
  }
  return { title: "A ruleset of Partyline's", ...schema };
}
