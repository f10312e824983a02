import * as z from "zod";
import { problems } from "./ruleset.ts";

/** What `PUT …/record` answers where the record was written. */
export const recordWrittenSchema = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  warnings: problems,
});

export type RecordWritten = z.infer<typeof recordWrittenSchema>;

const next = z.string().nullable();

/** The answers of `GET /api/tenants` and `GET /api/projects`. Null: the record does not say it. */
export const recordListSchemas = {
  tenant: z.object({
    tenants: z.array(z.object({ tenant: z.string(), project_id: z.string().nullable() })),
    next,
  }),
  project: z.object({
    projects: z.array(z.object({ project: z.string(), space: z.string().nullable() })),
    next,
  }),
} as const;
