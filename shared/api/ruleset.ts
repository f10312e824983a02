import * as z from "zod";
import { refusalSchema } from "./refusal.ts";

export const problems = z.array(
  z.object({ path: z.string(), message: z.string(), suggestion: z.string().exactOptional() }),
);

/** What `PUT /api/tenants/:tenant/ruleset` answers where the ruleset was written. */
export const writtenSchema = z.object({
  /** SHA-256 of the text in KV, hex: the version's name in decisions, and its `ETag`. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  warnings: problems,
});

export type Written = z.infer<typeof writtenSchema>;

/** What it answers, with 422, where the ruleset has errors. Nothing was written. */
export const badRulesetSchema = refusalSchema.extend({ errors: problems, warnings: problems });

export type BadRuleset = z.infer<typeof badRulesetSchema>;
