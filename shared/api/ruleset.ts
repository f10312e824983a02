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

const time = z.iso.datetime().nullable();

/** Who writes, by the client's own word: for ADMIN_TOKEN, which has no name. */
export const BY_HEADER = "x-partyline-by";

/** A version in the answer of `GET /api/tenants/:tenant/ruleset/versions`. */
export const versionSchema = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Whether it is the one in KV. */
  standing: z.boolean(),
  /** Whether its text is kept. It is not where it reached KV without the API, and no call came since. */
  kept: z.boolean(),
  first_seen_at: time,
  last_served_at: time,
  pushed_at: time,
  pushed_by: z.string().nullable(),
});

export type Version = z.infer<typeof versionSchema>;

export const versionListSchema = z.object({ versions: z.array(versionSchema) });

/** What is decided on a call: of a `Decision` what the caller would notice, with its secrets as `***`. */
const landing = z.object({ action: z.string(), rule: z.string().nullable() }).catchall(z.unknown());

export type Landing = z.infer<typeof landing>;

/** A call in the answer of `POST /api/tenants/:tenant/ruleset/diff`. */
export const comparedCallSchema = z.object({
  call_id: z.string(),
  at: z.iso.datetime(),
  from: z.string(),
  to: z.string(),
  /** What of its call and answers was not kept, so that rules could not look at it. */
  left_out: z.array(z.string()),
  /** Null where the draft does with it what the standing ruleset does. */
  elsewhere: z
    .object({
      step: z.number(),
      now: landing,
      draft: landing,
      /** What differs, by name: `rooms`, `join.muted`. */
      changed: z.array(z.string()),
      why: z.array(z.string()),
    })
    .nullable(),
});

export type ComparedCall = z.infer<typeof comparedCallSchema>;

export const comparisonSchema = z.object({
  /** The hash of the ruleset that the draft is compared with; null where none stands. */
  ruleset: z.string().nullable(),
  calls: z.array(comparedCallSchema),
  next: z.number().nullable(),
});

export type Comparison = z.infer<typeof comparisonSchema>;

/** What it answers, with 422, where the ruleset has errors. Nothing was written. */
export const badRulesetSchema = refusalSchema.extend({ errors: problems, warnings: problems });

export type BadRuleset = z.infer<typeof badRulesetSchema>;
