import * as z from "zod";
import { strictObject } from "../rules/schema/strict-object.ts";
import { moment } from "./paging.ts";
import { type Scope, scopes } from "./scopes.ts";

/** What is about the whole tenant: a token for some rooms may have none of these. */
const OF_TENANT: readonly Scope[] = ["rules:read", "rules:write", "webhooks", "audit:read", "tokens"];
/** What shows numbers as they are: rules that were read with masked numbers could not be written back. */
const WITH_NUMBERS: readonly Scope[] = ["rules:read", "rules:write", "webhooks"];

/** What an operator posts to have a token made. */
export const newToken = strictObject({
  /** What the audit calls its holder. */
  name: z.string().trim().min(1).max(100),
  scopes: z.array(z.enum(scopes)).min(1).max(scopes.length),
  /** Plain names, `*` being any text; absent: all rooms. */
  rooms: z.array(z.string().min(1).max(64)).min(1).max(100).nullable().default(null),
  mask_numbers: z.boolean().default(false),
  /** Milliseconds since the epoch, or an ISO 8601 date and time; absent: it does not expire. */
  expires_at: moment.nullable().default(null),
}).check(({ value, issues }) => {
  const reject = (why: string, forbidden: readonly Scope[]) => {
    const found = value.scopes.filter((scope) => forbidden.includes(scope));
    if (found.length === 0) return;
    issues.push({
      code: "custom",
      input: value.scopes,
      path: ["scopes"],
      message: `${why} ${found.join(", ")}`,
    });
  };
  if (value.rooms !== null) reject("a token for some rooms cannot have", OF_TENANT);
  if (value.mask_numbers) reject("a token that sees no numbers cannot have", WITH_NUMBERS);
});

export type NewTokenBody = z.output<typeof newToken>;
