import { z } from "zod";
import { rulesetSchema } from "./schema.ts";

/**
 * The language as a JSON Schema (draft 2020-12), made from the schema that reads it, so that an editor completes and explains
 * every key. What only the whole ruleset shows (names used twice, rules that never match) it cannot say.
 */
export function rulesetJsonSchema(): object {
  return { title: "A ruleset of Partyline's", ...z.toJSONSchema(rulesetSchema, { io: "input" }) };
}
